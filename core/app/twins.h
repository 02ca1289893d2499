/*
 * twins: identical content in flight is scanned once.
 *
 * The first job with a content leads; others with the same SHA-256 are parked behind it, on no
 * thread, and given back to the pool when the leader has an answer, or has failed to get one. Then
 * each of them scans for itself, unless there is an answer by its turn: if they waited for one
 * another, a thousand copies of a content that a detector cannot take would go on for a thousand
 * times as long as it takes to fail. An answered leader's findings stay here until its commit, so
 * that there is no moment at which the content is neither in flight nor in the history. Any thread.
 */
#ifndef CARVED_CORE_APP_TWINS_H
#define CARVED_CORE_APP_TWINS_H

#include <stddef.h>

#include "core/base/list.h"

struct finding;
struct job;
struct twins;

enum twins_result {
	TWINS_LEAD,   /* nobody else has this content: scan, then twins_answer() or twins_fail() */
	TWINS_ALONE,  /* somebody leads, but this one waits for nobody any more: scan */
	TWINS_PARKED, /* behind a leader; the job is not the caller's any more */
	TWINS_ANSWERED, /* a leader that is not committed yet has these findings */
};

struct twins *twins_new(void);
/** Jobs that have not left (a store in trouble) are no longer looked at. */
void twins_free(struct twins *twins);

/** Enters job by its version's sha256. TWINS_ANSWERED: *findings is a copy, owned by the caller. */
enum twins_result twins_enter(struct twins *twins, struct job *job, struct finding **findings,
			      size_t *count);
/** The leader has its findings (copied from its version); its followers move to the list followers,
 * linked by twin_link. */
void twins_answer(struct twins *twins, struct job *leader, struct list *followers);
/** The leader has no answer, or gives up its place; harmless for a job that does not lead. */
void twins_fail(struct twins *twins, struct job *job, struct list *followers);
/** After the commit: the history knows the answer now. Harmless for a job that does not lead. */
void twins_leave(struct twins *twins, struct job *job);

#endif
