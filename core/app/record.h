/*
 * record: what goes to the history and what comes back from it; only then is it announced. The
 * loop's.
 */
#ifndef CARVED_CORE_APP_RECORD_H
#define CARVED_CORE_APP_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store/version.h"

struct app;
struct job;

/** Saves the job's version as unscanned for reason; note may be NULL. */
void record_unscanned(struct app *app, struct job *job, enum version_reason reason,
		      const char *note);
/** Saves the job's version as queued and lets it go from memory. */
void record_spill(struct app *app, struct job *job);
/** A terminal row becomes queued again, and the job is dispatched with it. */
void record_requeue(struct app *app, struct job *job);
/** Brings the size, time and inode of row id up to date with the job's version, whose content is
 * vouched for by a look at checked_ns. */
void record_refresh(struct app *app, struct job *job, int64_t id, int64_t checked_ns);
/** Row id, of this very version, is in doubt: whatever becomes of the job, the next walk that meets
 * the file has the same doubt. */
void record_doubt(struct app *app, const struct version *version, int64_t id);
/** Deletes the job's queued row: another row stands for the file. */
void record_forget(struct app *app, struct job *job);
/** Ends a queued row that has no job in memory, and announces that. Takes version, which is the
 * row.
 */
void record_end_row(struct app *app, struct version *version, enum version_reason reason,
		    const char *note);
/** Has the rows of version's path marked as incomplete (STORE_MARK). Takes version. */
void record_mark(struct app *app, struct version *version);
/** Whether all operations beside the jobs' own, up to that one of app->side_ops_sent, came back. */
bool record_side_ops_are_back(const struct app *app, uint64_t number);
/** Whether a queued row is being given its end just now, so that nobody may go on with it. */
bool record_is_ending(const struct app *app, int64_t row);
/** Deletes another queued row, of the file of version. */
void record_forget_row(struct app *app, const struct version *version, int64_t row);
/** The history knows this version as row id already; drops the job. */
void record_known(struct app *app, struct job *job, int64_t id);
/** The row waits in the history for something else; drops the job. */
void record_let_wait(struct app *app, struct job *job);
/** Puts a copy of the version, as queued, into the history, while the job stays in memory. */
void record_interim(struct app *app, struct job *job);

/** A job that waits for time goes on waiting in the history, due then; its close or move finds it
 * there. */
void record_put_off(struct app *app, struct job *job);
/** Jobs parked behind job are considered anew. */
void record_release_parked(struct app *app, struct job *job);
/** Frees what the store never wrote; after store_close(). */
void record_done(struct app *app);
/** Takes what the store committed. */
void record_committed(struct app *app);

#endif
