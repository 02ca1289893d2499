/*
 * decide: what a version found on disk is, given the history: new, known, a sighting, a change. The
 * loop's.
 */
#ifndef CARVED_CORE_APP_DECIDE_H
#define CARVED_CORE_APP_DECIDE_H

#include "core/store/version.h"

struct app;
struct job;

/**
 * Looks the job's version (identity and entry set) up and acts on it. reason says why it will not
 * be scanned in any case (unmatched, not-regular), REASON_NONE otherwise. The job may be gone
 * afterwards.
 */
void decide(struct app *app, struct job *job, enum version_reason reason);

/** Gives the job to a worker, or to the history's queue when there is no room. */
void decide_dispatch(struct app *app, struct job *job);
/** Gives the job to a worker and nothing else: 0; enum pool_result when the pool has no room (it is
 * RUNNING all the same, and the caller's). */
int decide_hand_out(struct app *app, struct job *job);

#endif
