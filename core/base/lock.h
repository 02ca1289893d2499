/*
 * lock: a mutex that knows its owner, so that a function which needs it can assert that it is held.
 *
 * Fields that it guards stand under a comment "guarded by lock". Any thread.
 */
#ifndef CARVED_CORE_BASE_LOCK_H
#define CARVED_CORE_BASE_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lock {
	pthread_mutex_t mutex;
	_Atomic(unsigned long) owner; /* pthread_self() of the holder, 0 when free */
};

void lock_init(struct lock *lock);
void lock_done(struct lock *lock);
void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);
/** True when the calling thread holds the lock; for assertions. */
bool lock_mine(struct lock *lock);
/** pthread_cond_wait() on the lock, which the caller holds; the owner is kept right. */
void lock_wait(struct lock *lock, pthread_cond_t *condition);
/** The same until an absolute CLOCK_MONOTONIC time in ns; false when the time came. The condition
 * must have been made by lock_condition_init(). */
bool lock_wait_until(struct lock *lock, pthread_cond_t *condition, long long mono_ns);
/** A condition variable that counts in CLOCK_MONOTONIC. */
void lock_condition_init(pthread_cond_t *condition);

#endif
