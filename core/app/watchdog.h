/*
 * watchdog: the service manager's (sd_watchdog_enabled(3)). It is fed at half of its interval, by
 * the loop, and only while everybody who has work gets on with it: the reader, the history's
 * writer, the workers, the sinks. A loop that hangs feeds nobody. The loop's.
 */
#ifndef CARVED_CORE_APP_WATCHDOG_H
#define CARVED_CORE_APP_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/pulse.h"

struct app;
struct str;

/* Embedded in the app. */
struct watchdog {
	int64_t interval_ms; /* 0: nobody waits to be told */
	struct mono due;     /* when it is fed next */
	struct pulse reader; /* the watcher's thread as the loop sees it */
	uint64_t rounds;     /* of it, when it was looked at last */
	bool starving;	     /* it is not fed, which was said */
};

/** Whether there is one, by $WATCHDOG_USEC and $WATCHDOG_PID. The watcher runs. */
void watchdog_begin(struct app *app);
void watchdog_done(struct app *app);
/** Feeds it when that is due and nobody has stalled. Each turn of the loop, and while the loop
 * waits for somebody else. */
void watchdog_tick(struct app *app);
/** When it is to be called; ns 0: there is none. */
struct mono watchdog_due(const struct app *app);
/** The same for poll(), ms; -1: there is none. */
int watchdog_wait_ms(const struct app *app);
/** For how long, ms, somebody with work has not got on, when that is longer than limit_ms, and
 * whose name it is in out; 0: everybody gets on. Compares with the last call. */
int64_t watchdog_stalled_ms(struct app *app, int64_t limit_ms, char out[24]);

#endif
