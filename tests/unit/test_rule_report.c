#include "core/engines/rule_report.h"
#include "core/helper/json_check.h"
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

TestSuite(rule_report, .init = setup, .fini = teardown);

Test(rule_report, severity_is_the_authors)
{
	static const struct {
		const char *rule;
		enum outcome outcome;
	} rows[] = {
		{ "rule a { condition: true }", OUTCOME_MALICIOUS },
		{ "rule a : Suspicious { condition: true }", OUTCOME_SUSPICIOUS },
		{ "rule a { meta: severity = \"suspicious\" condition: true }",
		  OUTCOME_SUSPICIOUS },
		{ "rule a { meta: severity = \"info\" condition: true }", OUTCOME_CLEAN },
		{ "rule a : suspicious { meta: severity = \"info\" condition: true }",
		  OUTCOME_CLEAN },
		{ "rule a { meta: severity = 3 condition: true }", OUTCOME_MALICIOUS },
		{ "rule a { meta: severity = \"high\" condition: true }", OUTCOME_MALICIOUS },
		{ "private rule b { condition: true } rule a { meta: severity = \"info\" condition: b }",
		  OUTCOME_CLEAN },
		{ "rule a { condition: false }", OUTCOME_CLEAN },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench_write(&b, "a.yar", rows[i].rule);
		cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
		struct helper_answer answer = bench_scan(&b, "x");
		cr_expect_eq(answer.outcome, rows[i].outcome, "%s", rows[i].rule);
		cr_expect_eq(answer.signature == NULL, answer.outcome == OUTCOME_CLEAN, "%s",
			     rows[i].rule);
		helper_answer_done(&answer);
	}
}

Test(rule_report, names_the_worst_first_and_says_all_in_detail)
{
	bench_write(&b, "a.yar",
		    "rule mild : suspicious two { condition: true }\n"
		    "rule note { meta: severity = \"info\" condition: true }\n"
		    "rule bad { meta: n = -3 t = true s = \"a\\\"\\x01\\xff\" condition: true }\n");
	cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
	struct helper_answer answer = bench_scan(&b, "x");
	cr_assert_str_eq(answer.signature, "bad, mild [suspicious two]");
	cr_assert_str_eq(
		answer.detail,
		"{\"rules\": [{\"rule\": \"bad\", \"namespace\": \"a.yar\", \"tags\": [], \"meta\": "
		"{\"n\": -3, \"t\": true, \"s\": \"a\\\"\\u0001\\udcff\"}}, {\"rule\": \"mild\", "
		"\"namespace\": \"a.yar\", \"tags\": [\"suspicious\", \"two\"], \"meta\": {}}, "
		"{\"rule\": \"note\", \"namespace\": \"a.yar\", \"tags\": [], \"meta\": "
		"{\"severity\": \"info\"}}]}");
	helper_answer_done(&answer);
}

Test(rule_report, what_does_not_fit_is_counted)
{
	AUTO_STR text = STR_INIT;
	for (unsigned i = 0; i < RULE_REPORT_MAX + 200; i++)
		str_printf(&text,
			   "rule a_rule_with_a_long_name_%u { meta: words = \"some words that take "
			   "place in the detail of an answer\" condition: true }\n",
			   i);
	bench_write(&b, "a.yar", str_text(&text));
	cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
	struct helper_answer answer = bench_scan(&b, "x");
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	cr_assert_leq(strlen(answer.signature), HELPER_SIGNATURE_MAX);
	cr_assert_not_null(strstr(answer.signature, ", +12"), "%s", answer.signature);
	cr_assert_leq(strlen(answer.detail), HELPER_DETAIL_MAX);
	cr_assert(json_check_object(answer.detail, strlen(answer.detail)));
	size_t said = 0;
	for (const char *at = answer.detail; (at = strstr(at, "\"rule\"")); at++)
		said++;
	AUTO_STR rest = STR_INIT;
	str_printf(&rest, "\"truncated\": %zu}", RULE_REPORT_MAX + 200 - said);
	cr_assert_not_null(strstr(answer.detail, str_text(&rest)), "%zu said", said);
	helper_answer_done(&answer);
}

Test(rule_report, what_was_given_up_is_never_clean)
{
	struct rule_report report;
	struct helper_answer answer = { .outcome = OUTCOMES };
	rule_report_begin(&report);
	strcpy(report.gave_up, "words");
	rule_report_end(&report, &answer);
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	cr_assert_str_eq(answer.detail, "{\"error\": \"words\"}");
	helper_answer_done(&answer);
}
