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

TestSuite(yara_engine, .init = setup, .fini = teardown);

Test(yara_engine, rules_see_the_fields_of_the_entry)
{
	bench_write(&b, "a.yar",
		    "rule a { condition: filename == \"bad\\xff\\n\" and protocol == \"HTTP\" and "
		    "mime == \"\" and extension == \"\" }");
	cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
	struct helper_answer answer = bench_scan_as(&b, "x", 1, "bad\xff\n");
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	helper_answer_done(&answer);
	answer = bench_scan_as(&b, "x", 1, "good");
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN, "the field of an earlier file is gone");
	helper_answer_done(&answer);
}

Test(yara_engine, an_empty_file_is_scanned)
{
	bench_write(&b, "a.yar", "rule a { condition: filesize == 0 }");
	cr_assert_eq(bench_load(&b), 0);
	bench_expect(&b, "", OUTCOME_MALICIOUS);
	bench_expect(&b, "x", OUTCOME_CLEAN);
}

Test(yara_engine, a_file_beyond_the_limit_is_skipped_with_words)
{
	bench_write(&b, "a.yar", HELLO);
	b.load.limit = 5;
	cr_assert_eq(bench_load(&b), 0);
	bench_expect(&b, "hello", OUTCOME_MALICIOUS);
	struct helper_answer answer = bench_scan(&b, "hello!");
	cr_assert_eq(answer.outcome, OUTCOME_SKIPPED);
	cr_assert_str_eq(answer.detail,
			 "{\"reason\": \"6 bytes, max_file_size of this detector is 5\"}");
	helper_answer_done(&answer);
}

Test(yara_engine, a_file_that_cannot_be_read_is_an_error)
{
	bench_write(&b, "a.yar", HELLO);
	cr_assert_eq(bench_load(&b), 0);
	struct helper_answer answer = { .outcome = OUTCOMES };
	const struct helper_request request = { .timeout_ms = 1000, .size = 5 };
	b.class->scan(b.state, &request, -1, &answer);
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	helper_answer_done(&answer);
}

Test(yara_engine, a_deadline_that_has_passed_is_a_timeout)
{
	bench_write(&b, "a.yar", HELLO);
	cr_assert_eq(bench_load(&b), 0);
	struct helper_answer answer = { .outcome = OUTCOMES };
	const struct helper_request request = { .timeout_ms = 0, .size = 0 };
	b.class->scan(b.state, &request, -1, &answer);
	cr_assert_eq(answer.outcome, OUTCOME_TIMEOUT);
	helper_answer_done(&answer);
}
