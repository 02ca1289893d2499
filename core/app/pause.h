/*
 * pause: no file is given to detectors until it is resumed, while events are read and new files
 * recorded as queued, as when all workers are busy. The loop's.
 *
 * Memory stays flat: what would go to a worker goes to the history. A doubt about a row that stands
 * has no row of its own to wait in: it is let go, and when work is resumed a walk has it again,
 * once what was noted of it is committed. A pause is not remembered over a restart.
 */
#ifndef CARVED_CORE_APP_PAUSE_H
#define CARVED_CORE_APP_PAUSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct error;
struct job;
struct str;

/* Embedded in the app. */
struct pausing {
	atomic_bool on;	      /* the loop sets it; read by any thread */
	int64_t since_ns;     /* wall clock */
	uint64_t doubts_left; /* doubts that were let go and that no walk was asked for yet */
	uint64_t side_op;     /* the ordinal that must be committed before that walk */
};

/** Whether it is paused. Any thread. */
bool pause_is_on(const struct app *app);
/** Pauses, or says in err why not. Files that workers have begun with are finished. */
int pause_begin(struct app *app, struct error *err);
/** Files that workers are at: they are finished. */
size_t pause_at_work(const struct app *app);
/** Resumes; false: it was not paused. why, "on request", is for the log. */
bool pause_end(struct app *app, const char *why);
/** Lets go of a doubt that cannot wait in the history; drops the job. */
void pause_leave_doubt(struct app *app, struct job *job);
/** A worker gave the job back before it began, because of a pause. */
void pause_take_back(struct app *app, struct job *job);
/** Whether files may have changed that a walk is still to be asked for because of a pause. */
bool pause_left_doubts(const struct app *app);
/** Asks for that walk when its time has come; each turn of the loop. */
void pause_tick(struct app *app);
/** Appends what the status says of it, with a comma before. */
void pause_status(const struct app *app, struct str *out);

#endif
