/*
 * flight: all jobs in memory, found by path and by inode, listed by state. Bounded by whoever
 * admits; the rest waits in the history. The loop's alone.
 */
#ifndef CARVED_CORE_APP_FLIGHT_H
#define CARVED_CORE_APP_FLIGHT_H

#include <stddef.h>

#include "core/app/job.h"

struct flight {
	struct table by_path;
	struct table by_inode;
	struct table by_row;
	struct list lists[JOB_STATES]; /* WAITING is ordered by due */
	size_t counts[JOB_STATES];
	bool row_shows; /* a job that hid a queued row has left its path: the queue is to be asked
			 */
};

void flight_init(struct flight *flight);
/** Frees all jobs that are left. */
void flight_done(struct flight *flight);

/** Calls visit for every job, in no order; visit may not add or drop any. */
void flight_each(struct flight *flight, void (*visit)(void *context, struct job *job),
		 void *context);
/** A job for path in state WAITING, due at once; in no list until flight_move(). */
struct job *flight_add(struct flight *flight, struct app *app, const char *path, size_t len);
/** Takes the job out of everything and frees it with its version. */
void flight_drop(struct flight *flight, struct job *job);
/** Puts the job into the list of state. PARKED jobs are put into behind's list. */
void flight_move(struct flight *flight, struct job *job, enum job_state state);
void flight_park(struct flight *flight, struct job *job, struct job *behind);
/** WAITING until due; keeps the list ordered. */
void flight_wait(struct flight *flight, struct job *job, struct mono due);

struct job *flight_at(const struct flight *flight, const char *path, size_t len);
/** A job of the same file (file system, inode, birth time), not itself. */
struct job *flight_same_file(const struct flight *flight, const struct identity *identity,
			     const struct job *not_this);
/** Whether the row that job got meanwhile, if any, is committed: committed is the ordinal up to
 * which such rows are. Whoever goes on with the job's file must find it in the history. */
bool flight_row_is_known(uint64_t committed, const struct job *job);
/** The job that goes on with the row of this id, at whatever path; NULL: none. */
struct job *flight_row_holder(const struct flight *flight, int64_t row);
/** job goes on with this row from now on. A job that waits has to give it up, and
 * goes on as one that was never recorded; false when a worker or the store is at it. */
bool flight_claim_row(struct flight *flight, struct job *job, int64_t row);
/** Notes the identity that the loop saw and indexes it. */
void flight_set_seen(struct flight *flight, struct job *job, const struct identity *identity);
/** Gives the job another path; its entry must be parsed anew. */
void flight_repath(struct flight *flight, struct job *job, const char *path, size_t len);
size_t flight_total(const struct flight *flight);
/** The first job of a state's list, NULL when empty. */
struct job *flight_first(const struct flight *flight, enum job_state state);

#endif
