/*
 * scan: the life of one file on a worker: open, look who writes, hash, ask the detectors, conclude.
 *
 * A worker gives every job on: to the store when the version has an outcome or a new due time, to
 * the outbox when the loop must decide, or to its twin.
 */
#ifndef CARVED_CORE_APP_SCAN_H
#define CARVED_CORE_APP_SCAN_H

struct error;
struct job;
struct pool_job;

/** pool_options.worker_new: one thread's reading connection, hash context and buffer; context is
 * the app. */
int scanner_new(void **out, void *context, struct error *err);
void scanner_free(void *scanner);

/** pool_job.run. */
void scan_run(struct pool_job *pool_job, void *scanner);

#endif
