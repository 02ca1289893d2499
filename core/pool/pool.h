/*
 * pool: worker threads over one bounded queue. It knows "run" and nothing else.
 *
 * A job is moved into the pool by pool_push() and is the run function's from then on. The lock is
 * never held around work. Threads: any thread may push; run functions execute on the workers.
 */
#ifndef CARVED_CORE_POOL_POOL_H
#define CARVED_CORE_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/list.h"
#include "core/base/mem.h"

struct error;
struct pool;

struct pool_job {
	struct list link;
	/** Does the work on a worker thread; worker is what worker_new returned for that thread. */
	void (*run)(struct pool_job *job, void *worker);
};

struct pool_options {
	unsigned workers;
	size_t limit; /* most jobs in the queue at once; what a worker has taken is beside it */
	/** Makes a thread's own state (on that thread, before its first job); NULL: none. A
	 * non-NULL error leaves the pool unable to start: return -errno and fill err. */
	int (*worker_new)(void **worker, void *context, struct error *err);
	void (*worker_free)(void *worker);
	void *context;
};

enum pool_result {
	POOL_TAKEN = 0,
	POOL_FULL,
	POOL_STOPPED
};

int pool_new(struct pool **out, const struct pool_options *options, struct error *err);
/** Moves job into the queue; POOL_FULL and POOL_STOPPED leave it with the caller. */
enum pool_result pool_push(struct pool *pool, struct pool_job *job);
/** The same, but a sleeping worker hears of it only when some have gathered, or by pool_wake(),
 * which must follow. For who pushes many: else workers that are faster fall asleep after each. */
enum pool_result pool_put(struct pool *pool, struct pool_job *job);
void pool_wake(struct pool *pool);
/** From now on there are so many workers (1 and more). Those that are too many finish the job that
 * they are at; what they had taken beside it goes to the others. More are there when it returns;
 * when one cannot start it fails, and there are as many as before. Not from two threads at once. */
int pool_resize(struct pool *pool, unsigned workers, struct error *err);
/** How many workers there are to be; the resizing thread's. */
unsigned pool_workers(const struct pool *pool);
/** Jobs that have not begun, and workers that are at work. Both 0: all that was pushed is through.
 */
void pool_counts(struct pool *pool, size_t *waiting, size_t *running);
/** Takes back those jobs that have not begun and that wants() names, to the end of out. It is asked
 * under the pool's lock, of each of them. How many. */
size_t pool_withdraw(struct pool *pool, bool (*wants)(struct pool_job *job), struct list *out);
/** Takes no more jobs and moves the waiting ones to abandoned (a list head), without waiting for
 * the running ones. Idempotent. */
void pool_stop(struct pool *pool, struct list *abandoned);
/** Stops (if need be), joins all threads, frees. Waiting jobs must have been taken back. */
void pool_free(struct pool *pool);
AUTO_DEFINE(pool);

#endif
