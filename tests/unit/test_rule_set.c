/* By the engine that it belongs to: what is loaded, what is left out, what is kept. */
#include <errno.h>

#include "engine_fixture.h"

static struct bench b;

static void setup(void)
{
	bench_init(&b, "yara");
}

static void teardown(void)
{
	bench_done(&b);
}

TestSuite(rule_set, .init = setup, .fini = teardown);

#define BYE "rule bye { strings: $a = \"bye\" condition: $a }\n"

Test(rule_set, a_bad_file_costs_only_itself)
{
	bench_write(&b, "a.yar", HELLO);
	bench_write(&b, "b.yar", BROKEN);
	cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
	cr_assert(b.hello.files == 2 && b.hello.rules == 1 && b.hello.failed == 1);
	cr_assert_eq(b.hello.kept, 0);
	cr_assert_not_null(strstr(b.hello.problems[0], "b.yar:2: "), "%s", b.hello.problems[0]);
	bench_expect(&b, "hello", OUTCOME_MALICIOUS);
	bench_expect(&b, "good day", OUTCOME_CLEAN);
}

Test(rule_set, a_file_that_broke_stays_as_it_was)
{
	char digest[65];
	bench_write(&b, "a.yar", HELLO);
	bench_write(&b, "b.yar", BYE);
	cr_assert_eq(bench_load(&b), 0);
	strcpy(digest, b.hello.digest);
	bench_write(&b, "a.yar", BROKEN);
	for (unsigned i = 0; i < 3; i++) { /* what is kept is handed on */
		cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
		cr_assert(b.hello.failed == 1 && b.hello.kept == 1 && b.hello.rules == 2);
		cr_assert_str_eq(b.hello.digest, digest, "what is in force is the same");
		bench_expect(&b, "hello", OUTCOME_MALICIOUS);
		bench_expect(&b, "bye", OUTCOME_MALICIOUS);
	}
	bench_write(&b, "a.yar", "rule day { strings: $a = \"day\" condition: $a }\n");
	cr_assert_eq(bench_load(&b), 0);
	cr_assert_eq(b.hello.failed, 0);
	cr_assert_str_neq(b.hello.digest, digest);
	bench_expect(&b, "hello", OUTCOME_CLEAN);
	bench_expect(&b, "day", OUTCOME_MALICIOUS);
}

Test(rule_set, a_helper_that_takes_the_place_of_another_has_the_same_rules)
{
	char digest[65];
	bench_write(&b, "a.yar", HELLO);
	bench_write(&b, "b.yar", "rule name { condition: filename == \"bad\" }\n");
	cr_assert_eq(bench_load(&b), 0);
	strcpy(digest, b.hello.digest);
	bench_write(&b, "a.yar", BYE); /* not looked at */
	b.load.restore = true;
	cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
	cr_assert_str_eq(b.hello.digest, digest);
	cr_assert_eq(b.hello.reads, 1U << HELPER_NAME);
	bench_expect(&b, "hello", OUTCOME_MALICIOUS);
	bench_expect(&b, "bye", OUTCOME_CLEAN);
	struct helper_answer answer = bench_scan_as(&b, "x", 1, "bad");
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	helper_answer_done(&answer);
}

Test(rule_set, nothing_left_is_a_failure)
{
	cr_assert_eq(bench_load(&b), -EINVAL);
	cr_assert_not_null(strstr(b.err.text, "there are no rules in"), "%s", b.err.text);
	bench_write(&b, "a.yar", BROKEN);
	cr_assert_eq(bench_load(&b), -EINVAL);
	cr_assert_not_null(strstr(b.err.text, "a.yar:2: "), "%s", b.err.text);
	b.load.restore = true;
	cr_assert_eq(bench_load(&b), -EINVAL, "nothing was kept");
}

Test(rule_set, the_digest_is_of_names_and_contents)
{
	char digest[65];
	bench_write(&b, "a.yar", HELLO);
	cr_assert_eq(bench_load(&b), 0);
	strcpy(digest, b.hello.digest);
	cr_assert_eq(bench_load(&b), 0);
	cr_assert_str_eq(b.hello.digest, digest);
	bench_write(&b, "a.yar", HELLO "\n");
	cr_assert_eq(bench_load(&b), 0);
	cr_assert_str_neq(b.hello.digest, digest);
}
