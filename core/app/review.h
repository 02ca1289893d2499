/*
 * review: a version that is done is looked at again (job->rescan is set): what differs on a worker
 * from the look at a new file. The steps are scan.c's.
 */
#ifndef CARVED_CORE_APP_REVIEW_H
#define CARVED_CORE_APP_REVIEW_H

#include <stdbool.h>

struct asking;
struct config;
struct identity;
struct job;

/** Whether the open file, as fstat has it, may hold the content of the row. Before the job's
 * version gets this identity. */
bool review_may_be(const struct job *job, const struct identity *now, const struct config *config);
/** Whether the content that was hashed is the row's. True where one of them has no hash. */
bool review_is_content(const struct job *job);
/** After ask_all(): the verdict from the newest definite answers, and what becomes of the version's
 * place in the queue. */
void review_conclude(struct asking *asking);
/** The same for a look that did not come that far: told, job->result says why; else the version was
 * found unscanned. False: nothing is to be recorded (the daemon stops). */
bool review_broke_off(struct job *job, bool told, const struct config *config);

#endif
