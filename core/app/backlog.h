/*
 * backlog: the queue that lies in the history, and the bounded window of it in memory. The loop's.
 *
 * While rows wait there, new files go to its end: nobody overtakes.
 */
#ifndef CARVED_CORE_APP_BACKLOG_H
#define CARVED_CORE_APP_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct job;

/** Whether job may go to a worker now instead of to the history. */
bool backlog_has_room(struct app *app, const struct job *job);
/** A queued row with this due time (wall clock ns, 0: now) is in the history and not in memory. */
void backlog_note(struct app *app, int64_t due_ns);
/** Brings due rows into memory while there is room; notes when the next one is due. True when there
 * may be more to bring at once. */
bool backlog_refill(struct app *app);
/** Whether the history holds queued rows of this run that wait for anything but a writer. */
bool backlog_has_own(struct app *app);
/** Tells app_options.left of all that is queued and not in memory; with own_only of our own. */
void backlog_tell(struct app *app);

#endif
