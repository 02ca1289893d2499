/*
 * health: whether the daemon does what it is there for, for probes of containers and supervisors.
 * The loop's, but for what is said to be anybody's.
 */
#ifndef CARVED_CORE_APP_HEALTH_H
#define CARVED_CORE_APP_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"

struct app;
struct str;

/* Whether somebody who has work gets on with it. */
struct progress {
	bool busy;	   /* it had work when it was looked at last */
	uint64_t count;	   /* of what it had done by then */
	struct mono since; /* it has had work, and has not got on, since */
};

/* Embedded in the app. */
struct health {
	atomic_uint_fast64_t looks; /* of workers, ended; by any of them */
	uint64_t commits;	    /* heard of */
	struct progress workers, store;
};

/** Notes how things are now. */
void progress_note(struct progress *progress, bool busy, uint64_t count, struct mono now);
/** For how long it has had work without getting on, ms; 0: it gets on. */
int64_t progress_stalled_ms(const struct progress *progress, struct mono now);

/** Each turn of the loop, when all work of that turn was given out. */
void health_tick(struct app *app);
/** Appends a line for each reason why the daemon is not healthy; true: there is none. */
bool health_judge(struct app *app, struct str *lines);

#endif
