/*
 * conclude: from what each detector said to state, reason and verdict of a version, and to the time
 * of another attempt. On a worker; pure but for the clock and the jitter.
 */
#ifndef CARVED_CORE_APP_CONCLUDE_H
#define CARVED_CORE_APP_CONCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/outcome.h"

struct config_detector;
struct version;

/* How one detector that wants the version stands after an attempt. */
struct standing {
	const struct config_detector *row; /* borrowed; NULL: it does not want the version */
	enum outcome outcome;		   /* OUTCOMES: none, it is away and waited for */
	unsigned failures; /* errors and timeouts since the version was queued, this one too */
	bool final;	   /* a failure that no further attempt will change */
	bool away;
	bool abstains; /* it has no part in the conclusion (known.h), unless it is all there is */
};

/* What happens next. */
struct conclusion {
	bool done;
	bool again;	    /* at due_ns; not when done */
	bool away;	    /* because of a detector that is away, at least */
	int64_t pause_ms;   /* before that */
	enum outcome worst; /* OUTCOMES: nobody said anything */
};

/** True when the detector failed as often as it may: it is not asked again. */
bool conclude_exhausted(const struct config_detector *row, unsigned failures);
/** The pause after so many failures (at least 1): retry_pause doubled with each, at most an hour
 * (or retry_pause, when that is longer), and up to a quarter more, so that files that failed
 * together do not come back together. ms. */
int64_t conclude_pause_ms(const struct config_detector *row, unsigned failures);
/** No pause on account of this detector is longer. ms. */
int64_t conclude_pause_max_ms(const struct config_detector *row);
/** How long until a detector that has been away for so long is asked for again. ms. */
int64_t conclude_away_ms(int64_t away_ms);
/** Weighs all standings; away_ms: how long the version has waited for one that is away. */
struct conclusion conclude(const struct standing *standings, size_t count, int64_t away_ms);
/** Writes the conclusion into the version: state, reason, verdict, times. Findings, attempt and
 * tries are the caller's. */
void conclude_write(const struct conclusion *conclusion, struct version *version);

#endif
