/* lock: a mutex that knows its owner. */
#include <criterion/criterion.h>
#include <signal.h>

#include "core/base/clock.h"
#include "core/base/lock.h"

struct shared {
	struct lock lock;
	pthread_cond_t condition;
	/* guarded by lock */
	bool asked, answered;
	long sum;
	bool foreign_mine;
};

static void setup(struct shared *shared)
{
	*shared = (struct shared){ 0 };
	lock_init(&shared->lock);
	lock_condition_init(&shared->condition);
}

static void teardown(struct shared *shared)
{
	pthread_cond_destroy(&shared->condition);
	lock_done(&shared->lock);
}

Test(lock, is_mine_only_while_i_hold_it)
{
	struct shared shared;
	setup(&shared);
	cr_assert_not(lock_mine(&shared.lock));
	lock_take(&shared.lock);
	cr_assert(lock_mine(&shared.lock));
	lock_drop(&shared.lock);
	cr_assert_not(lock_mine(&shared.lock));
	teardown(&shared);
}

static void *look(void *argument)
{
	struct shared *shared = argument;
	shared->foreign_mine = lock_mine(&shared->lock);
	return NULL;
}

Test(lock, is_not_mine_while_another_holds_it)
{
	struct shared shared;
	setup(&shared);
	pthread_t thread;
	lock_take(&shared.lock);
	cr_assert_eq(pthread_create(&thread, NULL, look, &shared), 0);
	pthread_join(thread, NULL);
	cr_assert_not(shared.foreign_mine);
	lock_drop(&shared.lock);
	teardown(&shared);
}

Test(lock, dropping_what_is_not_mine_aborts, .signal = SIGABRT)
{
	struct shared shared;
	setup(&shared);
	lock_drop(&shared.lock);
}

Test(lock, taking_it_twice_aborts_instead_of_hanging, .signal = SIGABRT)
{
	struct shared shared;
	setup(&shared);
	lock_take(&shared.lock);
	lock_take(&shared.lock);
}

static void *answer(void *argument)
{
	struct shared *shared = argument;
	lock_take(&shared->lock);
	while (!shared->asked)
		lock_wait(&shared->lock, &shared->condition);
	cr_assert(lock_mine(&shared->lock));
	shared->answered = true;
	pthread_cond_broadcast(&shared->condition);
	lock_drop(&shared->lock);
	return NULL;
}

Test(lock, waiting_gives_the_lock_away_and_brings_it_back)
{
	struct shared shared;
	setup(&shared);
	pthread_t thread;
	cr_assert_eq(pthread_create(&thread, NULL, answer, &shared), 0);
	lock_take(&shared.lock);
	shared.asked = true;
	pthread_cond_broadcast(&shared.condition);
	while (!shared.answered)
		lock_wait(&shared.lock, &shared.condition);
	cr_assert(lock_mine(&shared.lock));
	lock_drop(&shared.lock);
	pthread_join(thread, NULL);
	teardown(&shared);
}

Test(lock, waiting_until_a_time_says_when_it_came)
{
	struct shared shared;
	setup(&shared);
	lock_take(&shared.lock);
	struct mono until = mono_add_ms(mono_now(), 5);
	/* a condition may wake for no reason: only the end of the loop is a statement */
	while (lock_wait_until(&shared.lock, &shared.condition, until.ns))
		cr_assert(lock_mine(&shared.lock));
	cr_assert(mono_passed(until));
	cr_assert(lock_mine(&shared.lock));
	lock_drop(&shared.lock);
	teardown(&shared);
}

static void *add(void *argument)
{
	struct shared *shared = argument;
	for (int i = 0; i < 20000; i++) {
		lock_take(&shared->lock);
		shared->sum++;
		lock_drop(&shared->lock);
	}
	return NULL;
}

Test(lock, keeps_counts_of_two_threads_right)
{
	struct shared shared;
	setup(&shared);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, add, &shared), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(shared.sum, 40000);
	teardown(&shared);
}
