/*
 * pace: how much was done in the last minute, and how detectors have answered since the start. The
 * loop's: counted when it is committed, read for the status.
 */
#ifndef CARVED_CORE_APP_PACE_H
#define CARVED_CORE_APP_PACE_H

#include <stdint.h>

#include "core/base/clock.h"

struct pace;
struct str;
struct version;

/* The span of the rates. */
#define PACE_SECONDS 60

/* What was counted in a span of seconds. */
struct pace_sum {
	int64_t seconds;  /* PACE_SECONDS, or less when it has not run for so long; at least 1 */
	uint64_t files;	  /* got their end */
	uint64_t bytes;	  /* of those that were looked at */
	uint64_t answers; /* of detectors that were asked */
};

/* A detector since the start; reloads that keep its name count on. */
struct pace_detector {
	const char *name; /* borrowed from the pace */
	uint64_t answers; /* errors and timeouts among them */
	uint64_t errors, timeouts;
	int64_t total_ns, longest_ns;
};

struct pace *pace_new(struct mono now);
void pace_free(struct pace *pace);
/** A version has got its end. */
void pace_ended(struct pace *pace, const struct version *version, struct mono now);
/** What detectors said of a version was committed. What was taken over, or skipped, does not count.
 */
void pace_answered(struct pace *pace, const struct version *version, struct mono now);
struct pace_sum pace_last_minute(const struct pace *pace, struct mono now);
/** All zero but the name when it was never asked; name is borrowed then. */
struct pace_detector pace_of(const struct pace *pace, const char *name);
/** Appends the rates as a JSON object. */
void pace_json(const struct pace *pace, struct mono now, struct str *out);

#endif
