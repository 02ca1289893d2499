/*
 * pressure: how much there is to do, as a level that a sensor can read from a file.
 *
 * The file is a table that Zeek's input framework reads; it is replaced as a whole when the level
 * changes, and once a second at most while its numbers do. An idle daemon writes nothing. The
 * loop's.
 */
#ifndef CARVED_CORE_APP_PRESSURE_H
#define CARVED_CORE_APP_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"

struct app;
struct pressure;
struct str;

/* What is known of how the daemon does. */
struct pressure_view {
	int64_t oldest_ms; /* how long the file has waited that has waited longest; 0: none waits */
	bool history;	   /* it cannot be written */
	bool overrun;	   /* there is no room for events */
	bool behind;	   /* files wait in the history */
	bool disk_between, disk_over, sheds, stuck;
};

enum pressure_reason {
	PRESSURE_IDLE,	   /* 0 */
	PRESSURE_WAITING,  /* 1: files wait longer than they take */
	PRESSURE_OVERRUN,  /* 2: events are left to the kernel */
	PRESSURE_DISK,	   /* 2: a disk is above disk_low; 3: above disk_high */
	PRESSURE_SHEDDING, /* 3: files are given up */
	PRESSURE_FULL,	   /* 3: and none may be */
	PRESSURE_HISTORY,  /* 3: the history cannot be written */
	PRESSURE_STOPPED,  /* 0: there is no daemon */
	PRESSURE_REASONS
};

/** The highest level that holds, 0 to 3, and why. Pure. */
unsigned pressure_judge(const struct pressure_view *view, enum pressure_reason *reason);
const char *pressure_reason_name(enum pressure_reason reason);

/** Begins; the first file is written by the next tick. */
void pressure_start(struct app *app);
/** Writes the file when it is time; each turn of the loop. */
void pressure_tick(struct app *app);
/** When the next tick has something to do; ns INT64_MAX: when something happens. */
struct mono pressure_next(const struct app *app);
/** Appends what the status says of it, with a comma before. */
void pressure_status(struct app *app, struct str *out);
/** Tells that the daemon has ended, and frees. */
void pressure_stop(struct app *app);

#endif
