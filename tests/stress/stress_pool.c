/*
 * Many pushers, many workers, a small queue, and stops in the middle: every job is run or given
 * back exactly once, whatever the interleaving. Plain main(), so that it runs under the thread
 * sanitizer.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/pool/pool.h"

enum {
	PUSHERS = 3,
	JOBS = 20000,
	ROUNDS = 12
};

struct job {
	struct pool_job base;
	unsigned runs; /* not atomic on purpose: two runs of one job are a race that TSan reports */
};

struct round {
	struct pool *pool;
	struct job *jobs[PUSHERS];
	unsigned char pushed[PUSHERS][JOBS];
	atomic_int started, stop_at;
	atomic_long runs;
};

static void run(struct pool_job *base, void *worker)
{
	struct job *job = LIST_OF(base, struct job, base);
	job->runs++;
	atomic_fetch_add((atomic_long *)worker, 1);
}

static int worker_new(void **worker, void *context, struct error *err)
{
	(void)err;
	*worker = context;
	return 0;
}

struct pusher {
	struct round *round;
	int number;
};

static void *push_all(void *argument)
{
	struct pusher *pusher = argument;
	struct round *round = pusher->round;
	for (int i = 0; i < JOBS; i++) {
		struct job *job = &round->jobs[pusher->number][i];
		enum pool_result result;
		while ((result = pool_push(round->pool, &job->base)) == POOL_FULL)
			sched_yield();
		if (result == POOL_STOPPED)
			break;
		round->pushed[pusher->number][i] = 1;
	}
	return NULL;
}

static int check(struct round *round, const struct list *abandoned)
{
	long given_back = 0, pushed = 0, run_once = 0, wrong = 0;
	LIST_FOREACH(at, abandoned) {
		struct job *job = LIST_OF(at, struct job, base.link);
		given_back++;
		wrong += job->runs != 0;
	}
	for (int p = 0; p < PUSHERS; p++) {
		for (int i = 0; i < JOBS; i++) {
			pushed += round->pushed[p][i];
			run_once += round->jobs[p][i].runs == 1;
			wrong += round->jobs[p][i].runs > 1;
		}
	}
	if (wrong == 0 && pushed == run_once + given_back && atomic_load(&round->runs) == run_once)
		return 0;
	fprintf(stderr, "pushed %ld, run %ld, given back %ld, wrong %ld\n", pushed, run_once,
		given_back, wrong);
	return 1;
}

/* stop_after: jobs run before the pool is stopped in the middle; 0: all are run. */
static int play(unsigned workers, size_t limit, long stop_after)
{
	struct round *round = xcalloc(1, sizeof *round);
	for (int p = 0; p < PUSHERS; p++) {
		round->jobs[p] = xcalloc(JOBS, sizeof(struct job));
		for (int i = 0; i < JOBS; i++)
			round->jobs[p][i].base.run = run;
	}
	struct pool_options options = { .workers = workers,
					.limit = limit,
					.worker_new = worker_new,
					.context = &round->runs };
	struct error err = { 0 };
	if (pool_new(&round->pool, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	pthread_t threads[PUSHERS];
	struct pusher pushers[PUSHERS];
	for (int p = 0; p < PUSHERS; p++) {
		pushers[p] = (struct pusher){ round, p };
		pthread_create(&threads[p], NULL, push_all, &pushers[p]);
	}
	struct list abandoned;
	list_init(&abandoned);
	long until = stop_after ? stop_after : (long)PUSHERS * JOBS;
	while (atomic_load(&round->runs) < until) {
		size_t waiting, running;
		pool_counts(round->pool, &waiting, &running);
		if (running > workers)
			abort();
		sched_yield();
	}
	pool_stop(round->pool, &abandoned);
	for (int p = 0; p < PUSHERS; p++)
		pthread_join(threads[p], NULL);
	pool_free(round->pool);
	int bad = check(round, &abandoned);
	for (int p = 0; p < PUSHERS; p++)
		free(round->jobs[p]);
	free(round);
	return bad;
}

int main(void)
{
	int bad = 0;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned workers = 1 + (unsigned)i % 4;
		size_t limit = i % 3 == 0 ? 1 : i % 3 == 1 ? 50 : 5000;
		bad += play(workers, limit, i % 2 ? 1000 + 3000L * i : 0);
	}
	printf("%s\n", bad ? "FAILED" : "ok");
	return bad ? 1 : 0;
}
