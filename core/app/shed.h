/*
 * shed: gives up files that wait for a scan, because a disk is full and nothing else may go: their
 * rows end as unscanned, shed, like any other end.
 *
 * The disposer's thread chooses them from the history, by their rows. A file that a worker has
 * begun with, or that somebody writes to, goes on.
 */
#ifndef CARVED_CORE_APP_SHED_H
#define CARVED_CORE_APP_SHED_H

#include <stddef.h>
#include <stdint.h>

struct app;
struct shed;

/* What of it concerns a job that workers have: it is to be taken back, if none has begun; and so it
 * was. */
enum job_shed {
	SHED_NOT,
	SHED_WANTED,
	SHED_TAKEN,
};

struct shed *shed_new(void);
void shed_free(struct shed *shed);
/** Asks for the rows with these ids to be given up; the loop is to be woken. Any thread. */
void shed_ask(struct shed *shed, const int64_t *ids, size_t count);
/** Gives up what was asked for; each turn of the loop. */
void shed_tick(struct app *app, struct shed *shed);

#endif
