/* clock: see clock.h. */
#include "core/base/clock.h"

#include <limits.h>
#include <pthread.h>
#include <time.h>

static int64_t steady_base_ns; /* written once */

static int64_t read_clock(clockid_t id)
{
	struct timespec now = { 0 };
	(void)clock_gettime(id, &now); /* cannot fail for these ids */
	return now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

static void begin_steady(void)
{
	steady_base_ns = clock_wall_ns() - mono_now().ns;
}

int64_t clock_steady_ns(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, begin_steady);
	return steady_base_ns + mono_now().ns;
}

struct mono mono_now(void)
{
	return (struct mono){ .ns = read_clock(CLOCK_MONOTONIC) };
}

struct mono mono_add_ms(struct mono start, int64_t ms)
{
	int64_t ns = 0;
	if (__builtin_mul_overflow(ms, CLOCK_NS_PER_MS, &ns) ||
	    __builtin_add_overflow(start.ns, ns, &ns))
		ns = ms < 0 ? INT64_MIN : INT64_MAX;
	return (struct mono){ .ns = ns };
}

int mono_ms_until(struct mono then)
{
	int64_t now = mono_now().ns;
	if (then.ns <= now)
		return 0;
	int64_t left = then.ns - now;
	int64_t ms = left / CLOCK_NS_PER_MS + (left % CLOCK_NS_PER_MS != 0);
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

bool mono_passed(struct mono then)
{
	return mono_now().ns >= then.ns;
}

int64_t clock_tick_ns(void)
{
	struct timespec tick = { 0 };
	(void)clock_getres(CLOCK_REALTIME_COARSE, &tick);
	return tick.tv_sec * CLOCK_NS_PER_S + tick.tv_nsec;
}
