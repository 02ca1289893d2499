/* lock: see lock.h. Failures of these calls are our own bugs, hence the assertions. */
#include "core/base/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

static void must(int result)
{
	assert(result == 0);
	(void)result;
}

void lock_init(struct lock *lock)
{
	must(pthread_mutex_init(&lock->mutex, NULL));
	atomic_init(&lock->owner, 0);
}

void lock_done(struct lock *lock)
{
	must(pthread_mutex_destroy(&lock->mutex));
}

void lock_take(struct lock *lock)
{
	assert(!lock_mine(lock));
	must(pthread_mutex_lock(&lock->mutex));
	atomic_store_explicit(&lock->owner, (unsigned long)pthread_self(), memory_order_relaxed);
}

void lock_drop(struct lock *lock)
{
	assert(lock_mine(lock));
	atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
	must(pthread_mutex_unlock(&lock->mutex));
}

bool lock_mine(struct lock *lock)
{
	return atomic_load_explicit(&lock->owner, memory_order_relaxed) ==
	       (unsigned long)pthread_self();
}

void lock_wait(struct lock *lock, pthread_cond_t *condition)
{
	assert(lock_mine(lock));
	atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
	must(pthread_cond_wait(condition, &lock->mutex));
	atomic_store_explicit(&lock->owner, (unsigned long)pthread_self(), memory_order_relaxed);
}

bool lock_wait_until(struct lock *lock, pthread_cond_t *condition, long long mono_ns)
{
	assert(lock_mine(lock));
	struct timespec until = { .tv_sec = (time_t)(mono_ns / 1000000000),
				  .tv_nsec = (long)(mono_ns % 1000000000) };
	atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
	int result = pthread_cond_timedwait(condition, &lock->mutex, &until);
	atomic_store_explicit(&lock->owner, (unsigned long)pthread_self(), memory_order_relaxed);
	assert(result == 0 || result == ETIMEDOUT);
	return result == 0;
}

void lock_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	must(pthread_condattr_init(&attributes));
	must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
	must(pthread_cond_init(condition, &attributes));
	must(pthread_condattr_destroy(&attributes));
}
