/* pool: worker threads over one bounded queue. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/pulse.h"
#include "core/pool/pool.h"

/* A job that says that it runs and then waits to be let go. */
struct gate {
	sem_t running, go;
};

struct job {
	struct pool_job base;
	struct gate *gate; /* NULL: does not wait */
	atomic_int *order; /* counts the jobs that began */
	int position;	   /* which of them this was; 0: never ran */
	void *worker;
};

static void run(struct pool_job *base, void *worker)
{
	struct job *job = LIST_OF(base, struct job, base);
	job->worker = worker;
	if (job->order)
		job->position = atomic_fetch_add(job->order, 1) + 1;
	if (job->gate) {
		sem_post(&job->gate->running);
		sem_wait(&job->gate->go);
	}
}

static void gate_init(struct gate *gate)
{
	sem_init(&gate->running, 0, 0);
	sem_init(&gate->go, 0, 0);
}

static struct job make(struct gate *gate, atomic_int *order)
{
	return (struct job){ .base.run = run, .gate = gate, .order = order };
}

static struct pool *start(unsigned workers, size_t limit)
{
	struct pool *pool = NULL;
	struct pool_options options = { .workers = workers, .limit = limit };
	struct error err;
	cr_assert_eq(pool_new(&pool, &options, &err), 0);
	return pool;
}

static size_t length(const struct list *head)
{
	size_t count = 0;
	LIST_FOREACH(at, head)
		count++;
	return count;
}

Test(pool, freeing_nothing_and_an_idle_one_is_fine)
{
	pool_free(NULL);
	pool_free(start(3, 10));
}

Test(pool, one_worker_runs_jobs_in_the_order_pushed)
{
	enum {
		COUNT = 100
	};
	struct pool *pool = start(1, COUNT);
	struct gate gate;
	gate_init(&gate);
	atomic_int order = 0;
	static struct job jobs[COUNT];
	for (int i = 0; i < COUNT; i++) {
		jobs[i] = make(i == COUNT - 1 ? &gate : NULL, &order);
		cr_assert_eq(pool_push(pool, &jobs[i].base), POOL_TAKEN);
	}
	sem_wait(&gate.running);
	sem_post(&gate.go);
	pool_free(pool);
	for (int i = 0; i < COUNT; i++)
		cr_assert_eq(jobs[i].position, i + 1);
}

Test(pool, what_is_put_is_heard_of_when_some_have_gathered_or_at_the_wake)
{
	enum {
		GATHERED = 16,
		ROUNDS = 200
	};
	struct pool *pool = start(2, GATHERED + 2);
	struct gate gates[2];
	atomic_int order = 0;
	struct job first[2], few[GATHERED];
	for (int i = 0; i < 2; i++) {
		gate_init(&gates[i]);
		first[i] = make(&gates[i], &order);
		cr_assert_eq(pool_put(pool, &first[i].base), POOL_TAKEN);
	}
	pool_wake(pool);
	for (int i = 0; i < 2; i++) /* both workers are awake, and at work */
		sem_wait(&gates[i].running);
	for (int i = 0; i < 2; i++)
		sem_post(&gates[i].go);
	for (int round = 0; round < ROUNDS; round++) { /* mostly the workers are asleep by then */
		for (size_t waiting = 1, running = 1; waiting + running > 0; sched_yield())
			pool_counts(pool, &waiting, &running);
		struct gate last;
		gate_init(&last);
		for (int i = 0; i < GATHERED; i++) {
			few[i] = make(i == GATHERED - 1 ? &last : NULL, &order);
			cr_assert_eq(pool_put(pool, &few[i].base), POOL_TAKEN);
		}
		sem_wait(&last.running);
		sem_post(&last.go);
	}
	pool_free(pool);
	cr_expect_eq(atomic_load(&order), ROUNDS * GATHERED + 2);
}

static bool is_marked(struct pool_job *base)
{
	return LIST_OF(base, struct job, base)->position == -1;
}

Test(pool, what_has_not_begun_can_be_taken_back_one_by_one)
{
	enum {
		COUNT = 40
	};
	struct pool *pool = start(1, COUNT + 1);
	struct gate gate;
	gate_init(&gate);
	atomic_int order = 0;
	struct job first = make(&gate, &order), jobs[COUNT];
	for (int i = 0; i < COUNT; i++) { /* some of them stand in the worker's hand */
		jobs[i] = make(i == COUNT - 1 ? &gate : NULL, &order);
		if (i == 0)
			cr_assert_eq(pool_put(pool, &first.base), POOL_TAKEN);
		if (i % 3 == 1)
			jobs[i].position = -1;
		cr_assert_eq(pool_put(pool, &jobs[i].base), POOL_TAKEN);
	}
	pool_wake(pool);
	sem_wait(&gate.running);
	struct list out;
	list_init(&out);
	cr_expect_eq(pool_withdraw(pool, is_marked, &out), 13);
	cr_expect_eq(length(&out), 13u);
	size_t waiting = 0, running = 0;
	pool_counts(pool, &waiting, &running);
	cr_expect_eq(waiting, 27u);
	cr_expect_eq(running, 1u);
	cr_expect_eq(pool_withdraw(pool, is_marked, &out), 0);
	sem_post(&gate.go);
	sem_post(&gate.go);
	for (waiting = 1; waiting + running > 0; sched_yield())
		pool_counts(pool, &waiting, &running);
	pool_free(pool);
	cr_expect_eq(atomic_load(&order), 28);
	for (int i = 0; i < COUNT; i++)
		cr_expect_eq(jobs[i].position == -1, i % 3 == 1);
}

static bool is_any(struct pool_job *base)
{
	(void)base;
	return true;
}

Test(pool, what_was_taken_back_is_no_work_that_waits)
{
	struct pool *pool = start(1, 8);
	struct job job = make(NULL, NULL);
	struct list out;
	char name[24] = "";
	list_init(&out);
	do /* until the worker sleeps, which is woken for none that is put alone */
		cr_assert_eq(pool_put(pool, &job.base), POOL_TAKEN);
	while (pool_withdraw(pool, is_any, &out) == 0);
	struct mono now = mono_now();
	cr_expect_eq(pulse_stalled_ms(now, 10, name), 0);
	cr_expect_eq(pulse_stalled_ms(mono_add_ms(now, 1000), 10, name), 0, "%s", name);
	pool_free(pool);
}

Test(pool, full_says_full_and_leaves_the_job_with_the_caller)
{
	struct pool *pool = start(1, 2);
	struct gate gate;
	gate_init(&gate);
	atomic_int order = 0;
	struct job first = make(&gate, &order), jobs[3];
	cr_assert_eq(pool_push(pool, &first.base), POOL_TAKEN);
	sem_wait(&gate.running);
	for (int i = 0; i < 3; i++) {
		jobs[i] = make(&gate, &order);
		cr_assert_eq(pool_push(pool, &jobs[i].base), i < 2 ? POOL_TAKEN : POOL_FULL);
	}
	size_t waiting = 0, running = 0;
	pool_counts(pool, &waiting, &running);
	cr_assert_eq(waiting, 2u);
	cr_assert_eq(running, 1u);
	for (int i = 0; i < 2; i++) {
		sem_post(&gate.go);
		sem_wait(&gate.running);
	}
	cr_assert_eq(jobs[2].position, 0);
	cr_assert_eq(pool_push(pool, &jobs[2].base), POOL_TAKEN, "there is room again");
	sem_post(&gate.go);
	sem_wait(&gate.running);
	sem_post(&gate.go);
	pool_free(pool);
	cr_assert_eq(atomic_load(&order), 4);
}

Test(pool, stopping_returns_what_waits_without_waiting_for_what_runs)
{
	struct pool *pool = start(1, 100);
	struct gate gate;
	gate_init(&gate);
	atomic_int order = 0;
	struct job first = make(&gate, &order), late = make(NULL, &order), jobs[5];
	cr_assert_eq(pool_push(pool, &first.base), POOL_TAKEN);
	sem_wait(&gate.running);
	for (int i = 0; i < 5; i++) {
		jobs[i] = make(NULL, &order);
		cr_assert_eq(pool_push(pool, &jobs[i].base), POOL_TAKEN);
	}
	struct list abandoned;
	list_init(&abandoned);
	pool_stop(pool, &abandoned);
	cr_assert_eq(length(&abandoned), 5u);
	cr_assert_eq(LIST_OF(list_shift(&abandoned), struct pool_job, link), &jobs[0].base);
	cr_assert_eq(pool_push(pool, &late.base), POOL_STOPPED);
	pool_stop(pool, &abandoned);
	cr_assert_eq(length(&abandoned), 4u, "a second stop adds nothing");
	size_t waiting = 1, running = 0;
	pool_counts(pool, &waiting, &running);
	cr_assert_eq(waiting, 0u);
	cr_assert_eq(running, 1u);
	sem_post(&gate.go);
	pool_free(pool);
	cr_assert_eq(atomic_load(&order), 1);
}

/* One worker with a long queue takes several jobs at once; those that have not begun still wait:
 * they are counted, and a stop returns them. */
Test(pool, a_batch_that_has_not_begun_still_waits)
{
	enum {
		COUNT = 64
	};
	struct pool *pool = start(1, COUNT);
	struct gate gate;
	gate_init(&gate);
	atomic_int order = 0;
	struct job first = make(&gate, &order);
	static struct job jobs[COUNT];
	cr_assert_eq(pool_push(pool, &first.base), POOL_TAKEN);
	sem_wait(&gate.running);
	for (int i = 0; i < COUNT; i++) {
		jobs[i] = make(&gate, &order);
		cr_assert_eq(pool_push(pool, &jobs[i].base), POOL_TAKEN);
	}
	sem_post(&gate.go);
	sem_wait(&gate.running); /* jobs[0], the first of a batch */
	size_t waiting = 0, running = 0;
	pool_counts(pool, &waiting, &running);
	cr_assert_eq(waiting, (size_t)COUNT - 1);
	cr_assert_eq(running, 1u);
	struct list abandoned;
	list_init(&abandoned);
	pool_stop(pool, &abandoned);
	cr_assert_eq(length(&abandoned), (size_t)COUNT - 1);
	sem_post(&gate.go);
	pool_free(pool);
	cr_assert_eq(atomic_load(&order), 2);
}

/* A slow job at the head of a batch does not hold up what stands behind it while others are idle.
 */
Test(pool, the_others_take_over_what_stands_behind_a_slow_job)
{
	enum {
		COUNT = 64
	};
	struct pool *pool = start(2, COUNT);
	struct gate hold, slow, all;
	gate_init(&hold);
	gate_init(&slow);
	gate_init(&all);
	atomic_int order = 0;
	struct job holders[2] = { make(&hold, &order), make(&hold, &order) };
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pool_push(pool, &holders[i].base), POOL_TAKEN);
	for (int i = 0; i < 2; i++)
		sem_wait(&hold.running);
	static struct job jobs[COUNT];
	for (int i = 0; i < COUNT; i++) {
		jobs[i] = make(i == 0 ? &slow : NULL, &order);
		cr_assert_eq(pool_push(pool, &jobs[i].base), POOL_TAKEN);
	}
	sem_post(&hold.go); /* one worker takes a batch, and its first job is the slow one */
	sem_wait(&slow.running);
	sem_post(&hold.go);
	size_t waiting = 1, running = 0;
	while (waiting > 0 || running > 1)
		pool_counts(pool, &waiting, &running);
	cr_assert_eq(atomic_load(&order), 2 + COUNT, "all but the slow one are through");
	sem_post(&slow.go);
	pool_free(pool);
}

struct births {
	atomic_int born, buried;
	int fail_at; /* this birth fails; 0: none */
};

static int worker_new(void **worker, void *context, struct error *err)
{
	struct births *births = context;
	int number = atomic_fetch_add(&births->born, 1) + 1;
	if (number == births->fail_at)
		return error_set(err, EMFILE, "no descriptor for worker %d", number);
	*worker = births;
	return 0;
}

static void worker_free(void *worker)
{
	struct births *births = worker;
	atomic_fetch_add(&births->buried, 1);
}

Test(pool, each_thread_has_a_state_of_its_own)
{
	struct births births = { 0 };
	struct pool_options options = { .workers = 3,
					.limit = 4,
					.worker_new = worker_new,
					.worker_free = worker_free,
					.context = &births };
	struct pool *pool = NULL;
	struct error err;
	cr_assert_eq(pool_new(&pool, &options, &err), 0);
	cr_assert_eq(atomic_load(&births.born), 3, "all are ready when pool_new returns");
	struct gate gate;
	gate_init(&gate);
	struct job job = make(&gate, NULL);
	cr_assert_eq(pool_push(pool, &job.base), POOL_TAKEN);
	sem_wait(&gate.running);
	cr_assert_eq(job.worker, &births);
	sem_post(&gate.go);
	pool_free(pool);
	cr_assert_eq(atomic_load(&births.buried), 3);
}

Test(pool, a_worker_that_cannot_start_is_said_in_words)
{
	for (int fail_at = 1; fail_at <= 3; fail_at++) {
		struct births births = { .fail_at = fail_at };
		struct pool_options options = { .workers = 3,
						.limit = 4,
						.worker_new = worker_new,
						.worker_free = worker_free,
						.context = &births };
		struct pool *pool = NULL;
		struct error err = { 0 };
		cr_assert_eq(pool_new(&pool, &options, &err), -EMFILE);
		cr_assert_null(pool);
		cr_assert(strstr(err.text, "no descriptor"), "%s", err.text);
		cr_assert_eq(atomic_load(&births.buried), 2);
	}
}

Test(pool, more_workers_take_what_waits)
{
	struct gate gate;
	struct error err;
	struct job jobs[3];
	gate_init(&gate);
	struct pool *pool = start(1, 8);
	for (int i = 0; i < 3; i++) {
		jobs[i] = make(&gate, NULL);
		cr_assert_eq(pool_push(pool, &jobs[i].base), POOL_TAKEN);
	}
	sem_wait(&gate.running);
	cr_assert_eq(pool_resize(pool, 3, &err), 0);
	sem_wait(&gate.running);
	sem_wait(&gate.running); /* all three run at once */
	for (int i = 0; i < 3; i++)
		sem_post(&gate.go);
	pool_free(pool);
}

/* A worker's own state: how many there are, and that no more than three can be. */
static atomic_int states;

static int state_new(void **out, void *context, struct error *err)
{
	(void)context;
	if (atomic_fetch_add(&states, 1) < 3) {
		*out = &states;
		return 0;
	}
	atomic_fetch_sub(&states, 1);
	return error_set(err, ENFILE, "no more than three");
}

static void state_free(void *state)
{
	atomic_fetch_sub((atomic_int *)state, 1);
}

static struct pool *start_counted(unsigned workers)
{
	struct pool *pool = NULL;
	struct error err = { 0 };
	struct pool_options options = {
		.workers = workers, .limit = 64, .worker_new = state_new, .worker_free = state_free
	};
	cr_assert_eq(pool_new(&pool, &options, &err), 0, "%s", err.text);
	return pool;
}

/* Threads end when they have done what they are at. */
static void await_states(int count)
{
	while (atomic_load(&states) != count)
		sched_yield();
}

Test(pool, fewer_workers_finish_what_they_are_at_and_leave_the_rest)
{
	struct gate gate, last;
	struct error err;
	struct job jobs[4];
	gate_init(&gate);
	gate_init(&last);
	struct pool *pool = start_counted(3);
	for (int i = 0; i < 4; i++) {
		jobs[i] = make(i < 3 ? &gate : &last, NULL);
		cr_assert_eq(pool_push(pool, &jobs[i].base), POOL_TAKEN);
	}
	for (int i = 0; i < 3; i++)
		sem_wait(&gate.running);
	cr_assert_eq(pool_resize(pool, 1, &err), 0, "and does not wait for them");
	for (int i = 0; i < 3; i++)
		sem_post(&gate.go);
	sem_wait(&last.running); /* it was not lost with those that ended */
	await_states(1);
	sem_post(&last.go);
	pool_free(pool);
}

Test(pool, a_worker_that_cannot_start_leaves_it_as_it_was)
{
	struct pool *pool = start_counted(2);
	struct error err = { 0 };
	cr_assert_eq(pool_resize(pool, 5, &err), -ENFILE);
	cr_assert_str_eq(err.text, "no more than three");
	await_states(2); /* the one that could start ends */
	cr_assert_eq(pool_resize(pool, 3, &err), 0, "%s", err.text);
	pool_free(pool);
	cr_assert_eq(atomic_load(&states), 0);
}

Test(pool, up_and_down_while_jobs_come)
{
	enum {
		JOBS = 20000
	};
	struct error err;
	atomic_int order = 0;
	struct pool *pool = start(2, JOBS);
	struct job *jobs = calloc(JOBS, sizeof *jobs);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = make(NULL, &order);
		cr_assert_eq(pool_put(pool, &jobs[i].base), POOL_TAKEN);
		if (i % 100 == 0)
			cr_assert_eq(pool_resize(pool, (unsigned)(i / 100 * 7 % 9) + 1, &err), 0);
	}
	pool_wake(pool);
	while (atomic_load(&order) < JOBS)
		sched_yield();
	pool_free(pool);
	for (int i = 0; i < JOBS; i++)
		cr_assert(jobs[i].position > 0);
	free(jobs);
}
