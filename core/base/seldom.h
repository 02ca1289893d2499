/*
 * seldom: what may be true of thousands of files at a time, and stay so, is said every ten seconds
 * at most, and how often it was true meanwhile: the log would fill the disk. Any thread.
 */
#ifndef CARVED_CORE_BASE_SELDOM_H
#define CARVED_CORE_BASE_SELDOM_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/lock.h"

#define SELDOM_MS 10000

struct seldom {
	struct lock lock;
	/* guarded by lock */
	struct mono told; /* ns 0: never */
	unsigned long long untold;
};

void seldom_init(struct seldom *seldom);
void seldom_done(struct seldom *seldom);
/** It is true once more: is it to be said? Then *others is how often it was not. */
bool seldom_say(struct seldom *seldom, unsigned long long *others);

#endif
