/* breaker: when questions pass, by a clock that the test moves. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/error.h"
#include "core/detect/breaker.h"

static struct breaker breaker;
static struct error why;

static void setup(void)
{
	breaker_init(&breaker);
	why = (struct error){ 0 };
}

static void teardown(void)
{
	breaker_done(&breaker);
}

TestSuite(breaker, .init = setup, .fini = teardown, .timeout = 60);

static struct mono at(int64_t ms)
{
	return (struct mono){ .ns = ms * CLOCK_NS_PER_MS };
}

static unsigned pass(int64_t ms)
{
	return breaker_pass(&breaker, at(ms), &why);
}

static void fail(int64_t ms)
{
	unsigned number = pass(ms);
	cr_assert_neq(number, 0, "at %d ms", (int)ms);
	breaker_ill(&breaker, number, at(ms), "connection refused");
}

static void open_at(int64_t ms)
{
	for (int i = 0; i < BREAKER_FAILURES; i++)
		fail(ms);
	cr_assert_eq(pass(ms), 0);
}

Test(breaker, failures_in_a_row_open_it_and_the_words_say_why_and_until_when)
{
	fail(0);
	fail(0);
	cr_assert_neq(pass(0), 0);
	cr_assert_not(breaker_refuses(&breaker, at(0), &why));
	fail(0);
	cr_assert_eq(pass(100), 0);
	cr_assert_str_eq(why.text, "connection refused; not tried again for 1 s");
	why.text[0] = '\0';
	cr_assert(breaker_refuses(&breaker, at(999), &why));
	cr_assert_str_eq(why.text, "connection refused; not tried again for 1 s");
}

Test(breaker, a_success_between_failures_starts_the_count_anew)
{
	for (int i = 0; i < 10; i++) {
		fail(0);
		fail(0);
		cr_assert_neq(pass(0), 0);
		breaker_well(&breaker);
	}
}

Test(breaker, after_the_pause_one_passes_and_the_others_wait_for_what_he_says)
{
	open_at(0);
	cr_assert_not(breaker_refuses(&breaker, at(1000), &why));
	unsigned trial = pass(1000);
	cr_assert_neq(trial, 0);
	cr_assert_eq(pass(5000), 0);
	cr_assert_str_eq(why.text, "connection refused; it is being tried again");
	cr_assert(breaker_refuses(&breaker, at(5000), &why));
	breaker_well(&breaker);
	cr_assert_neq(pass(5000), 0);
	cr_assert_neq(pass(5000), 0);
}

Test(breaker, a_trial_that_fails_doubles_the_pause_up_to_a_minute)
{
	static const int64_t pauses[] = {
		1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000
	};
	open_at(0);
	int64_t now = 0;
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		cr_assert_eq(pass(now + pauses[i] - 1), 0, "pause %zu", i);
		now += pauses[i];
		fail(now);
	}
	now += 60000;
	cr_assert_neq(pass(now), 0);
	breaker_well(&breaker);
	open_at(now);
	cr_assert_neq(pass(now + 1000), 0, "a success does not reset the pause");
}

Test(breaker, a_trial_that_tells_nothing_leaves_its_place_to_the_next)
{
	open_at(0);
	unsigned trial = pass(1000);
	cr_assert_eq(pass(1000), 0);
	breaker_unsaid(&breaker, trial);
	cr_assert_neq(pass(1000), 0);
}

Test(breaker, what_was_asked_before_it_opened_counts_no_more)
{
	unsigned early = pass(0);
	open_at(0);
	breaker_ill(&breaker, early, at(500), "late");
	cr_assert_eq(pass(999), 0);
	unsigned trial = pass(1000);
	cr_assert_neq(trial, 0, "a late failure made the pause longer");
	breaker_unsaid(&breaker, early);
	cr_assert_eq(pass(1000), 0, "a late word ended another's trial");
	breaker_ill(&breaker, early, at(1000), "late");
	breaker_well(&breaker);
	for (int i = 0; i < BREAKER_FAILURES; i++)
		breaker_ill(&breaker, early, at(1000), "late");
	cr_assert_neq(pass(1000), 0);
}

Test(breaker, a_late_success_closes_it)
{
	open_at(0);
	breaker_well(&breaker);
	cr_assert_neq(pass(1), 0);
}

Test(breaker, a_server_that_asks_for_a_pause_gets_it_within_limits)
{
	breaker_hold(&breaker, at(0), 30000, "busy");
	cr_assert_eq(pass(29999), 0);
	cr_assert_str_eq(why.text, "busy; not tried again for 1 s");
	breaker_hold(&breaker, at(0), 10000, "busy");
	cr_assert_eq(pass(29999), 0, "a shorter pause cut the longer one");
	cr_assert_neq(pass(30000), 0);
	breaker_hold(&breaker, at(30000), INT64_MAX, "for ever");
	cr_assert_eq(pass(30000 + BREAKER_HOLD_MAX_MS - 1), 0);
	cr_assert_neq(pass(30000 + BREAKER_HOLD_MAX_MS), 0);
}
