/*
 * intake: from paths to jobs, and from jobs to decisions. The loop's.
 */
#ifndef CARVED_CORE_APP_INTAKE_H
#define CARVED_CORE_APP_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/app/job.h"

struct app;
struct statx;
struct version;

/** A new job at a path that has none, in no list yet. root: WATCHER_NO_ROOT finds it by the path.
 */
struct job *intake_admit(struct app *app, const char *path, size_t len, uint32_t root);
/** path is looked at at the loop's next turn, unless a job is there. dir: of its directory, for
 * watcher_directory(); 0: not known. */
void intake_look_soon(struct app *app, const char *path, size_t len, enum job_told told, int dir);
/** Takes a queued row of the history; false when the path is in memory already (version is freed).
 */
bool intake_queued(struct app *app, struct version *version);
/** Looks at one path that the user named. */
void intake_path(struct app *app, const char *path);

/**
 * Decides what is to be done for a job that is with the loop (not RUNNING, not SAVING): stats the
 * path (st may be NULL), compares with what is in memory and in the history, and dispatches, saves,
 * waits, parks or drops. The job may be gone afterwards.
 */
void intake_consider(struct app *app, struct job *job, const struct statx *st);
/** We have no descriptor or memory (errno code) to look at job now: it waits, and it is said. */
void intake_want(struct app *app, struct job *job, int code);
/** The path of job is gone as far as we see: limbo until the events before that are drained. */
void intake_gone(struct app *app, struct job *job);
/** It is gone for good: recorded as vanished. */
void intake_vanished(struct app *app, struct job *job);
/** The path of old, which is dropped, again as a new job: something happened there meanwhile. */
void intake_again(struct app *app, struct job *old, enum job_hint hint);

/** Fills the version's entry from its path, by the schemes of root. */
void intake_name(struct app *app, uint32_t root, struct version *version);

#endif
