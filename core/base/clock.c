/* clock: see clock.h. */
#include "core/base/clock.h"

#include <limits.h>
#include <time.h>

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

struct mono mono_now(void)
{
	return (struct mono){ .ns = read_clock(CLOCK_MONOTONIC) };
}

struct mono mono_add_ms(struct mono start, int64_t ms)
{
	return (struct mono){ .ns = start.ns + ms * CLOCK_NS_PER_MS };
}

int mono_ms_until(struct mono then)
{
	int64_t left = then.ns - mono_now().ns;
	if (left <= 0)
		return 0;
	int64_t ms = (left + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
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
