/*
 * rescan: the queue of versions that are done and are to be looked at again, behind that of new
 * files. The loop's; the worker's part is review.
 */
#ifndef CARVED_CORE_APP_RESCAN_H
#define CARVED_CORE_APP_RESCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct job;
struct store_op;

/* Embedded in the app. */
struct rescans {
	bool due;	     /* the queue may hold versions that are due and not in memory */
	int64_t next_due_ns; /* earliest due time of the others, wall clock; INT64_MAX: none */
	size_t running;	     /* in memory */
	/* a detector is away: what would wait for it one by one stays where it is until then, wall
	 * clock */
	int64_t paused_until_ns;
	unsigned away; /* how often that was found since there was an answer */
	/* since the start */
	uint64_t answered; /* versions that got new answers */
	uint64_t changed;  /* of them, those whose verdict is another now */
	uint64_t gone, replaced, failed;
};

void rescan_begin(struct app *app);
/** Versions were asked for: the queue is looked at. */
void rescan_note(struct app *app);
/** Gives due versions to workers that have nothing else to do. */
void rescan_refill(struct app *app);
/** The job's look was recorded; op is its operation. The job is dropped by the caller. */
void rescan_recorded(struct app *app, const struct job *job, const struct store_op *op);
/** The history refused the answers (a version can have no more than it can number): the version is
 * to leave the queue without them. True: the job is on its way to the store again. */
bool rescan_was_refused(struct app *app, struct job *job);
/** A worker gave the job back without a result: it stays in the queue. Drops the job. */
void rescan_given_up(struct app *app, struct job *job);

#endif
