/* Who has work and does not get on is told from who rests and from who was given time. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/pulse.h"

static struct pulse pulse, other;
static struct mono base;
static char name[24];

static void begin(void)
{
	pulse_init(&pulse, "the one");
	pulse_init(&other, "the other");
	base = mono_now();
	pulse_take(&pulse);
	strcpy(name, "");
}

static void end(void)
{
	pulse_take(NULL);
	pulse_done(&pulse);
	pulse_done(&other);
}

/* Ms that the worst is silent, when somebody looks so long after the beginning. */
static int64_t look(int64_t ms, int64_t limit_ms)
{
	return pulse_stalled_ms(mono_add_ms(base, ms), limit_ms, name);
}

TestSuite(pulse, .init = begin, .fini = end);

Test(pulse, who_rests_is_well_for_ever)
{
	cr_assert_eq(look(0, 10), 0);
	cr_assert_eq(look(1000000, 10), 0);
	pulse_rest(&pulse); /* more than once is no work */
	pulse_rest(&pulse);
	cr_assert_eq(look(2000000, 10), 0);
	cr_assert_eq(look(3000000, 10), 0);
}

Test(pulse, who_works_and_does_not_beat_has_stalled)
{
	cr_assert_eq(look(0, 10), 0);
	pulse_work(&pulse);
	cr_assert_eq(look(1000, 10), 0, "it has worked since now, not since it was looked at");
	cr_assert_eq(look(1010, 10), 0);
	cr_assert_eq(look(1011, 10), 11);
	cr_assert_str_eq(name, "the one");
	pulse_work(&pulse); /* more of it is no step */
	cr_assert_eq(look(1012, 10), 12);
	pulse_beat();
	cr_assert_eq(look(1013, 10), 0);
	cr_assert_eq(look(1024, 10), 11);
	pulse_rest(&pulse);
	cr_assert_eq(look(1025, 10), 0);
}

Test(pulse, work_after_a_rest_that_nobody_saw_is_another)
{
	pulse_work(&pulse);
	cr_assert_eq(look(0, 10), 0);
	pulse_rest(&pulse);
	pulse_work(&pulse);
	cr_assert_eq(look(100, 10), 0);
	cr_assert_eq(look(111, 10), 11);
}

Test(pulse, the_worst_is_named)
{
	pulse_work(&other);
	cr_assert_eq(look(0, 10), 0);
	pulse_work(&pulse);
	cr_assert_eq(look(20, 10), 20);
	cr_assert_str_eq(name, "the other");
	pulse_step(&other);
	cr_assert_eq(look(40, 10), 20);
	cr_assert_str_eq(name, "the one");
}

Test(pulse, silence_that_was_granted)
{
	pulse_work(&pulse);
	pulse_silent(1000);
	cr_assert_eq(look(0, 10), 0);
	cr_assert_eq(look(1010, 10), 0);
	cr_assert_eq(look(1011, 10), 1011);
	pulse_silent(0);
	cr_assert_eq(look(1012, 10), 0, "the end of it is a step");
	cr_assert_eq(look(1023, 10), 11);
	pulse_silent(INT64_MAX);
	cr_assert_eq(look(1024, 10), 0);
	cr_assert_eq(look(1000000, 10), 0);
}

Test(pulse, when_the_one_who_looks_was_away)
{
	pulse_work(&pulse);
	cr_assert_eq(look(-60000, 10), 0);
	pulse_forgive();
	cr_assert_eq(look(0, 10), 0, "it has been silent since now");
	int64_t silent_ms = look(60000, 10);
	cr_assert(silent_ms <= 60000 && silent_ms > 0, "%lld", (long long)silent_ms);
	pulse_done(&other);
	pulse_init(&other, "the other");
	pulse_work(&other);
	cr_assert_eq(look(0, 10), 0);
}

Test(pulse, a_thread_without_one_does_nothing)
{
	pulse_take(NULL);
	pulse_work(&pulse);
	cr_assert_eq(look(0, 10), 0);
	pulse_beat();
	pulse_silent(1000);
	cr_assert_eq(look(11, 10), 11);
}
