/* amount: what goes because there are too many files, or bytes. */
#include "retention_fixture.h"

static struct rounds r;

static void setup(void)
{
	rounds_init(&r);
	rounds_put(&r, "a", 1);
	rounds_put(&r, "bbb", 2);
	rounds_put(&r, "cc", 3);
	rounds_put_failed(&r, "dddd", 4);
}

static void teardown(void)
{
	rounds_done(&r);
}

TestSuite(amount, .init = setup, .fini = teardown);

static void expect(const char *wanted)
{
	cr_assert(amount_choose(&r.round) == 0, "%s", r.err.text);
	rounds_expect(&r, wanted);
}

/* What was chosen is still there: another count would have it again. */
static void hold_count(void)
{
	r.retention.census.until = mono_add_ms(mono_now(), 60000);
}

Test(amount, without_limits_nothing_goes)
{
	expect("");
	cr_expect_eq(r.retention.census.until.ns, 0, "nothing is counted");
}

Test(amount, the_oldest_go_until_there_are_few_enough)
{
	r.y.config.retention.count = 2;
	expect("1count");
	hold_count();
	expect("");
	r.y.config.retention.count = 1;
	expect("2count");
}

Test(amount, by_bytes)
{
	r.y.config.retention.bytes = 4;
	expect("1bytes 2bytes");
	hold_count();
	expect("");
}

Test(amount, those_without_an_answer_go_when_no_other_is_left_and_it_is_told)
{
	r.y.config.retention.count = 1;
	r.y.config.retention.unscanned = true;
	expect("1count 2count 3count");
	hold_count();
	r.y.config.retention.count = 5;
	r.y.config.retention.bytes = 1;
	expect("4bytes");
}

Test(amount, those_without_an_answer_are_not_chosen_with_others)
{
	r.y.config.retention.bytes = 1;
	r.y.config.retention.unscanned = true;
	expect("1bytes 2bytes 3bytes");
	hold_count();
	expect("4bytes");
}

Test(amount, what_others_deleted_does_not_count)
{
	r.y.config.retention.count = 3;
	expect("");
	cr_assert(unlink(yard_path(&r.y, "bbb")) == 0);
	r.retention.census.heard.files = 7;
	r.retention.census.until.ns = 1;
	expect("");
	cr_expect_eq(r.retention.census.there.files, 2);
	cr_expect_eq(r.retention.census.heard.files, 0);
}

/* A file that is written anew all the time is heard of each time. */
Test(amount, what_was_heard_of_since_the_last_count_is_counted_before_anything_goes)
{
	r.y.config.retention.count = 3;
	expect("");
	hold_count();
	r.retention.census.heard.files = 1000;
	expect("");
	cr_expect_eq(r.retention.next.ns, r.retention.census.until.ns, "when it is counted again");
	r.retention.census.there.files = 4; /* as a count found */
	expect("1count");
	cr_expect_eq(r.retention.census.there.files, 3);
}

Test(amount, a_count_that_is_left_off_says_nothing)
{
	r.ends = true;
	r.y.config.retention.count = 1;
	for (int i = 0; i < 1000; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		rounds_put(&r, name, 100 + i);
	}
	expect("");
	cr_expect_eq(r.retention.census.until.ns, 0);
}
