/* clock: wall time for the record, struct mono for deadlines. */
#include <criterion/criterion.h>
#include <limits.h>
#include <time.h>

#include "core/base/clock.h"

Test(clock, wall_time_is_nanoseconds_since_the_epoch)
{
	time_t before = time(NULL);
	int64_t now = clock_wall_ns();
	time_t after = time(NULL);
	/* time() reads the coarse clock, which may lag by a tick */
	cr_assert_geq(now / CLOCK_NS_PER_S, before);
	cr_assert_leq(now / CLOCK_NS_PER_S, after + 1);
}

Test(clock, mono_does_not_go_back)
{
	struct mono last = mono_now();
	for (int i = 0; i < 10000; i++) {
		struct mono now = mono_now();
		cr_assert_geq(now.ns, last.ns);
		last = now;
	}
}

Test(clock, adding_milliseconds_saturates)
{
	static const struct {
		int64_t start, ms, expected;
	} cases[] = {
		{ 0, 0, 0 },
		{ 5, 2, 2000005 },
		{ 10000000, -3, 7000000 },
		{ 1, INT64_MAX, INT64_MAX },
		{ INT64_MAX - 10, 1, INT64_MAX },
		{ 1, INT64_MIN, INT64_MIN },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mono got = mono_add_ms((struct mono){ .ns = cases[i].start }, cases[i].ms);
		cr_assert_eq(got.ns, cases[i].expected, "case %zu", i);
	}
}

Test(clock, ms_until_rounds_up_and_fits_poll)
{
	struct mono now = mono_now();
	cr_assert_eq(mono_ms_until((struct mono){ .ns = 0 }), 0);
	cr_assert_eq(mono_ms_until((struct mono){ .ns = INT64_MIN }), 0);
	cr_assert_eq(mono_ms_until((struct mono){ .ns = INT64_MAX }), INT_MAX);
	int left = mono_ms_until((struct mono){ .ns = now.ns + 3600 * CLOCK_NS_PER_S });
	cr_assert_leq(left, 3600 * 1000);
	cr_assert_gt(left, 0);
	/* a deadline that has not come never reads 0, or poll() would spin */
	struct mono soon = mono_add_ms(mono_now(), 2);
	while (!mono_passed(soon)) {
		int ms = mono_ms_until(soon);
		cr_assert(ms > 0 || mono_passed(soon));
	}
}

/* How it stands when somebody sets the wall clock is shown by scenario/36_crash. */
Test(clock, steady_begins_as_the_wall_clock_and_goes_with_the_monotonic)
{
	int64_t before = clock_wall_ns();
	int64_t steady = clock_steady_ns();
	cr_assert_geq(steady, before - CLOCK_NS_PER_MS);
	cr_assert_leq(steady, clock_wall_ns() + CLOCK_NS_PER_MS);
	struct mono now = mono_now();
	int64_t then = clock_steady_ns();
	cr_assert_geq(then - steady, 0);
	cr_assert_leq(then - steady, mono_now().ns - now.ns + 60 * CLOCK_NS_PER_S);
}

Test(clock, passed_at_the_moment_itself)
{
	struct mono now = mono_now();
	cr_assert(mono_passed(now));
	cr_assert_not(mono_passed(mono_add_ms(now, 3600000)));
}

Test(clock, a_tick_is_between_a_microsecond_and_a_tenth_of_a_second)
{
	cr_assert_geq(clock_tick_ns(), 1000);
	cr_assert_leq(clock_tick_ns(), 100 * CLOCK_NS_PER_MS);
}
