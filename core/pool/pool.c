/*
 * pool: see pool.h.
 *
 * A worker takes a small batch of jobs under the lock and runs them without it: one job while the
 * queue is short, more when it is long relative to the workers, because a burst of tiny jobs should
 * not pay a lock round trip each. What stands in a batch behind a slow job is not lost to the
 * others: a batch is an array with an atomic cursor, so whoever holds the lock can move what has
 * not begun back to the queue (take_back), and each job is still run or returned exactly once. An
 * idle worker does that before it sleeps, and pool_stop() does it.
 */
#include "core/pool/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/base/pulse.h"

#define BATCH_MAX 16u

struct worker {
	struct pool *pool;
	pthread_t thread;
	unsigned number; /* from 1 */
	bool threaded;	 /* the thread was started, and not joined yet; the owner's */
	bool alive;	 /* guarded by the pool's lock */
	/* Index of the next job to begin. Whoever raises it owns the jobs between old and new. */
	atomic_uint cursor;
	/* Written by this worker under the lock while its batch is used up; read by it without. */
	struct pool_job *batch[BATCH_MAX];
	unsigned batch_len;
	struct pulse pulse; /* works while it has a batch; its own */
};

struct pool {
	struct pool_options options; /* workers: at the start */
	struct lock lock;
	pthread_cond_t wake; /* there is a job, or stopping */
	pthread_cond_t born; /* born changed */
	/* guarded by lock */
	struct worker *
		*workers; /* all that ever were, by number; those that ended may come again */
	unsigned made;
	unsigned wanted; /* whose number is higher ends */
	struct list queue;
	size_t queued;
	unsigned unheard; /* jobs that no worker was woken for */
	unsigned busy;	  /* workers between taking a batch and coming back for the next */
	unsigned alive;	  /* workers that wait for jobs or are at work */
	unsigned started; /* threads so far, and how many of them know whether they could start */
	unsigned born_count;
	bool stopping;
	/* works while jobs wait and a worker is free to take them; each batch is a step */
	struct pulse pulse;
	struct error birth_error; /* of the first worker that could not start; code 0: none */
};

static void enqueue(struct pool *pool, struct pool_job *job)
{
	assert(lock_mine(&pool->lock));
	list_append(&pool->queue, &job->link);
	pool->queued++;
}

static void note_queue(struct pool *pool)
{
	assert(lock_mine(&pool->lock));
	if (pool->queued > 0 && pool->busy < pool->alive)
		pulse_work(&pool->pulse);
	else
		pulse_rest(&pool->pulse);
}

/* Moves every job that stands in a batch and has not begun to the end of the queue. */
static void take_back(struct pool *pool)
{
	assert(lock_mine(&pool->lock));
	for (unsigned i = 0; i < pool->made; i++) {
		struct worker *worker = pool->workers[i];
		unsigned at = atomic_exchange(&worker->cursor, BATCH_MAX);
		for (; at < worker->batch_len; at++)
			enqueue(pool, worker->batch[at]);
	}
}

/* Fills the worker's batch, which is used up. */
static void take_batch(struct worker *worker)
{
	struct pool *pool = worker->pool;
	assert(lock_mine(&pool->lock));
	size_t share = pool->queued / (2 * (size_t)pool->wanted) + 1;
	unsigned want = share < BATCH_MAX ? (unsigned)share : BATCH_MAX;
	worker->batch_len = 0;
	while (worker->batch_len < want && pool->queued > 0) {
		struct list *link = list_shift(&pool->queue);
		worker->batch[worker->batch_len++] = LIST_OF(link, struct pool_job, link);
		pool->queued--;
	}
	atomic_store(&worker->cursor, 0);
}

/* One that is too many, or that the pool has no work for any more, ends. */
static void retire(struct worker *worker)
{
	struct pool *pool = worker->pool;
	assert(lock_mine(&pool->lock));
	worker->alive = false;
	pool->alive--;
	note_queue(pool);
	if (pool->queued > 0) /* it may have been woken for a job that it does not take */
		(void)pthread_cond_signal(&pool->wake);
}

static bool is_wanted(const struct worker *worker)
{
	return !worker->pool->stopping && worker->number <= worker->pool->wanted;
}

/* Waits for work. False: the worker is to end. */
static bool next_batch(struct worker *worker)
{
	struct pool *pool = worker->pool;
	lock_take(&pool->lock);
	while (pool->queued == 0 && is_wanted(worker)) {
		take_back(pool);
		if (pool->queued == 0)
			lock_wait(&pool->lock, &pool->wake);
	}
	bool more = is_wanted(worker);
	if (!more)
		retire(worker);
	if (more) {
		take_batch(worker);
		pool->busy++;
		pulse_work(&worker->pulse);
		pulse_step(&pool->pulse);
		note_queue(pool);
	}
	lock_drop(&pool->lock);
	return more;
}

static void run_batch(struct worker *worker, void *state)
{
	for (;;) {
		unsigned at = atomic_fetch_add(&worker->cursor, 1);
		if (at >= worker->batch_len)
			break;
		struct pool_job *job = worker->batch[at];
		job->run(job, state);
		pulse_beat();
	}
	lock_take(&worker->pool->lock);
	worker->pool->busy--;
	pulse_rest(&worker->pulse);
	note_queue(worker->pool);
	lock_drop(&worker->pool->lock);
}

/* Makes the thread's own state and tells pool_new() how that went. */
static int be_born(struct worker *worker, void **state)
{
	struct pool *pool = worker->pool;
	struct error err = { 0 };
	int result = 0;
	if (pool->options.worker_new)
		result = pool->options.worker_new(state, pool->options.context, &err);
	lock_take(&pool->lock);
	pool->born_count++;
	if (result < 0)
		retire(worker);
	if (result < 0 && pool->birth_error.code == 0) {
		pool->birth_error = err;
		pool->birth_error.code = -result;
	}
	(void)pthread_cond_signal(&pool->born);
	lock_drop(&pool->lock);
	return result;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	void *state = NULL;
	char name[16];
	(void)snprintf(name, sizeof name, "worker-%u", worker->number);
	(void)pthread_setname_np(pthread_self(), name);
	pulse_take(&worker->pulse);
	if (be_born(worker, &state) < 0)
		return NULL;
	while (next_batch(worker))
		run_batch(worker, state);
	if (worker->pool->options.worker_free)
		worker->pool->options.worker_free(state);
	return NULL;
}

static void join(struct worker *worker)
{
	if (!worker->threaded)
		return;
	int result = pthread_join(worker->thread, NULL);
	assert(result == 0);
	(void)result;
	worker->threaded = false;
}

/* Places for workers up to the number that is wanted. */
static void make_workers(struct pool *pool)
{
	assert(lock_mine(&pool->lock));
	if (pool->made >= pool->wanted)
		return;
	pool->workers = xrealloc(pool->workers, pool->wanted, sizeof(struct worker *));
	for (; pool->made < pool->wanted; pool->made++) {
		struct worker *worker = xcalloc(1, sizeof *worker);
		char name[24];
		worker->pool = pool;
		worker->number = pool->made + 1;
		atomic_init(&worker->cursor, BATCH_MAX);
		(void)snprintf(name, sizeof name, "worker-%u", worker->number);
		pulse_init(&worker->pulse, name);
		pool->workers[pool->made] = worker;
	}
}

static int start_thread(struct worker *worker, struct error *err)
{
	struct pool *pool = worker->pool;
	join(worker); /* an earlier one that has ended */
	lock_take(&pool->lock);
	worker->alive = true;
	pool->alive++;
	pool->started++;
	lock_drop(&pool->lock);
	int result = pthread_create(&worker->thread, NULL, work, worker);
	worker->threaded = result == 0;
	if (result == 0)
		return 0;
	lock_take(&pool->lock);
	pool->started--;
	retire(worker);
	lock_drop(&pool->lock);
	return error_set(err, result,
			 "cannot start worker thread %u of %u: %s (memory, ulimit -u, TasksMax=, "
			 "pids.max)",
			 worker->number, pool->wanted, error_text(result));
}

/* The first worker from index on that is wanted and does not live; NULL: all do. */
static struct worker *missing(struct pool *pool, unsigned index)
{
	struct worker *found = NULL;
	lock_take(&pool->lock);
	make_workers(pool);
	for (; index < pool->wanted && !found && !pool->stopping; index++) {
		if (!pool->workers[index]->alive)
			found = pool->workers[index];
	}
	lock_drop(&pool->lock);
	return found;
}

/* Starts those that are wanted and not there; all of them know whether they could. */
static int start_workers(struct pool *pool, struct error *err)
{
	int result = 0;
	struct worker *worker = missing(pool, 0);
	for (; worker && result == 0; worker = missing(pool, worker->number))
		result = start_thread(worker, err);
	lock_take(&pool->lock);
	while (pool->born_count < pool->started)
		lock_wait(&pool->lock, &pool->born);
	struct error birth = pool->birth_error;
	pool->birth_error.code = 0;
	lock_drop(&pool->lock);
	if (result < 0)
		return result;
	return birth.code == 0 ? 0 : error_set(err, birth.code, "%s", birth.text);
}

int pool_new(struct pool **out, const struct pool_options *options, struct error *err)
{
	assert(options->workers > 0 && options->limit > 0);
	AUTO(pool) struct pool *pool = xcalloc(1, sizeof *pool);
	pool->options = *options;
	lock_init(&pool->lock);
	pulse_init(&pool->pulse, "queue of the workers");
	lock_condition_init(&pool->wake);
	lock_condition_init(&pool->born);
	list_init(&pool->queue);
	pool->wanted = options->workers;
	int result = start_workers(pool, err);
	if (result < 0)
		return result;
	*out = TAKE(pool);
	return 0;
}

/* Whose number is too high ends when it has done the job that it is at. */
static unsigned want(struct pool *pool, unsigned workers)
{
	lock_take(&pool->lock);
	unsigned before = pool->wanted;
	pool->wanted = workers;
	if (workers < before)
		take_back(pool);
	note_queue(pool);
	(void)pthread_cond_broadcast(&pool->wake);
	lock_drop(&pool->lock);
	return before;
}

int pool_resize(struct pool *pool, unsigned workers, struct error *err)
{
	assert(workers > 0);
	unsigned before = want(pool, workers);
	int result = start_workers(pool, err);
	if (result < 0)
		(void)want(pool, before);
	return result;
}

unsigned pool_workers(const struct pool *pool)
{
	return pool->wanted; /* nobody else changes it */
}

static enum pool_result put(struct pool *pool, struct pool_job *job)
{
	assert(lock_mine(&pool->lock));
	if (pool->stopping)
		return POOL_STOPPED;
	if (pool->queued >= pool->options.limit)
		return POOL_FULL;
	enqueue(pool, job);
	note_queue(pool);
	pool->unheard++;
	return POOL_TAKEN;
}

static unsigned take_unheard(struct pool *pool)
{
	assert(lock_mine(&pool->lock));
	unsigned jobs = pool->unheard;
	pool->unheard = 0;
	return jobs < pool->wanted ? jobs : pool->wanted;
}

/* Without the lock, which those that wake take first of all. Where nobody sleeps it costs nothing.
 */
static void wake(struct pool *pool, unsigned workers)
{
	for (; workers > 0; workers--)
		(void)pthread_cond_signal(&pool->wake);
}

enum pool_result pool_push(struct pool *pool, struct pool_job *job)
{
	lock_take(&pool->lock);
	enum pool_result result = put(pool, job);
	unsigned sleepers = take_unheard(pool);
	lock_drop(&pool->lock);
	wake(pool, sleepers);
	return result;
}

enum pool_result pool_put(struct pool *pool, struct pool_job *job)
{
	unsigned sleepers = 0;
	lock_take(&pool->lock);
	enum pool_result result = put(pool, job);
	if (pool->unheard >= BATCH_MAX)
		sleepers = take_unheard(pool);
	lock_drop(&pool->lock);
	wake(pool, sleepers);
	return result;
}

void pool_wake(struct pool *pool)
{
	lock_take(&pool->lock);
	unsigned sleepers = take_unheard(pool);
	lock_drop(&pool->lock);
	wake(pool, sleepers);
}

void pool_counts(struct pool *pool, size_t *waiting, size_t *running)
{
	lock_take(&pool->lock);
	*waiting = pool->queued;
	for (unsigned i = 0; i < pool->made; i++) {
		const struct worker *worker = pool->workers[i];
		unsigned at = atomic_load(&worker->cursor);
		if (at < worker->batch_len)
			*waiting += worker->batch_len - at;
	}
	*running = pool->busy;
	lock_drop(&pool->lock);
}

size_t pool_withdraw(struct pool *pool, bool (*wants)(struct pool_job *job), struct list *out)
{
	size_t taken = 0;
	lock_take(&pool->lock);
	take_back(pool);
	struct list kept;
	list_init(&kept);
	for (struct list *link; (link = list_shift(&pool->queue));) {
		bool wanted = wants(LIST_OF(link, struct pool_job, link));
		list_append(wanted ? out : &kept, link);
		taken += wanted;
	}
	list_splice(&pool->queue, &kept);
	pool->queued -= taken;
	note_queue(pool);
	lock_drop(&pool->lock);
	return taken;
}

void pool_stop(struct pool *pool, struct list *abandoned)
{
	lock_take(&pool->lock);
	pool->stopping = true;
	take_back(pool);
	list_splice(abandoned, &pool->queue);
	pool->queued = 0;
	note_queue(pool);
	(void)pthread_cond_broadcast(&pool->wake);
	lock_drop(&pool->lock);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	lock_take(&pool->lock);
	pool->stopping = true;
	(void)pthread_cond_broadcast(&pool->wake);
	lock_drop(&pool->lock);
	for (unsigned i = 0; i < pool->made; i++)
		join(pool->workers[i]);
	for (unsigned i = 0; i < pool->made; i++) {
		pulse_done(&pool->workers[i]->pulse);
		free(pool->workers[i]);
	}
	pulse_done(&pool->pulse);
	assert(list_empty(&pool->queue));
	(void)pthread_cond_destroy(&pool->born);
	(void)pthread_cond_destroy(&pool->wake);
	lock_done(&pool->lock);
	free(pool->workers);
	free(pool);
}
