/* report: what commands write on descriptor 3, well and badly. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/str.h"
#include "core/detect/report.h"

static struct report read_text(const char *text)
{
	struct report report = REPORT_INIT;
	report_read(&report, text, strlen(text), false);
	return report;
}

Test(report, takes_the_first_of_the_worst)
{
	static const struct {
		const char *text;
		size_t count;
		enum outcome outcome;
		const char *signature, *detail;
	} cases[] = {
		{ "", 0, OUTCOMES, NULL, NULL },
		{ "\n \t\r\n\n", 0, OUTCOMES, NULL, NULL },
		{ "{\"outcome\":\"clean\"}", 1, OUTCOME_CLEAN, NULL, NULL },
		{ "{\"outcome\":\"malicious\",\"signature\":\"X\",\"detail\":{\"a\":[1,2.5,null]}}\n",
		  1, OUTCOME_MALICIOUS, "X", "{\"a\":[1,2.5,null]}" },
		{ "{\"outcome\":\"clean\",\"signature\":\"C\"}\n{\"outcome\":\"suspicious\",\"signature\":\"S\"}"
		  "\r\n{\"outcome\":\"suspicious\",\"signature\":\"T\"}\n{\"outcome\":\"error\"}\n",
		  4, OUTCOME_SUSPICIOUS, "S", NULL },
		{ "{\"outcome\":\"skipped\",\"signature\":null,\"detail\":\"too \xc3\xa9\",\"more\":1}",
		  1, OUTCOME_SKIPPED, NULL, "\"too \\u00E9\"" },
		{ "{\"outcome\":\"unknown\",\"signature\":\"\",\"detail\":null}", 1,
		  OUTCOME_UNKNOWN, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		__attribute__((cleanup(report_cleanup))) struct report report =
			read_text(cases[i].text);
		cr_expect_str_eq(report.error, "");
		cr_expect_eq(report.count, cases[i].count);
		cr_expect_eq(report.outcome, cases[i].outcome);
		cr_expect(cases[i].signature ? strcmp(report.signature, cases[i].signature) == 0
					     : !report.signature);
		cr_expect(cases[i].detail ? strcmp(report.detail, cases[i].detail) == 0
					  : !report.detail,
			  "%s", report.detail);
	}
}

Test(report, refuses_what_is_no_report)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "garbage", "line 1 is not a JSON object: " },
		{ "{\"outcome\":\"clean\"}\n[1]\n", "line 2 is not a JSON object" },
		{ "3", "line 1 is not a JSON object" },
		{ "\n\n{\"outcome\":\"clean\"} x", "line 3 is not" },
		{ "{\"outcome\":\"fine\"}", "line 1 has no \"outcome\"" },
		{ "{\"outcome\":1}", "line 1 has no \"outcome\"" },
		{ "{}", "line 1 has no \"outcome\"" },
		{ "{\"outcome\":\"clean\",\"outcome\":\"malicious\"}", "line 1 is not" },
		{ "{\"outcome\":\"clean\",\"signature\":5}", "line 1 has a \"signature\"" },
		{ "{\"outcome\":\"clean\",\"signature\":\"a\\u0000b\"}", "line 1 is not" },
		{ "{\"outcome\":\"clean\",\"signature\":\"\xff\"}", "line 1 is not" },
		{ "{\"outcome\":\"clean\"", "line 1 is not" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		__attribute__((cleanup(report_cleanup))) struct report report =
			read_text(cases[i].text);
		cr_expect(strstr(report.error, cases[i].words), "%zu: %s", i, report.error);
	}
}

Test(report, a_nul_byte_is_no_report)
{
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	report_read(&report, "{\"outcome\":\"clean\"}\0\n", 21, false);
	cr_assert_str_neq(report.error, "");
	__attribute__((cleanup(report_cleanup))) struct report zeros = REPORT_INIT;
	report_read(&zeros, "\0\0\0", 3, false);
	cr_assert_str_neq(zeros.error, "");
}

Test(report, more_than_the_limit_is_bad)
{
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	report_read(&report, "{\"outcome\":\"clean\"}\n", 20, true);
	cr_assert_str_eq(report.error, "it is longer than 65536 bytes");
}

static void nested(struct str *out, unsigned depth)
{
	str_puts(out, "{\"outcome\":\"clean\",\"detail\":\"[[[\\\"{\",\"x\":");
	for (unsigned i = 0; i < depth; i++)
		str_putc(out, '[');
	for (unsigned i = 0; i < depth; i++)
		str_putc(out, ']');
	str_putc(out, '}');
}

Test(report, limits_nesting)
{
	AUTO_STR deep = STR_INIT;
	AUTO_STR shallow = STR_INIT;
	nested(&deep, REPORT_DEPTH_MAX);
	nested(&shallow, REPORT_DEPTH_MAX - 1);
	__attribute__((cleanup(report_cleanup))) struct report a = read_text(str_text(&deep));
	__attribute__((cleanup(report_cleanup))) struct report b = read_text(str_text(&shallow));
	cr_assert_str_eq(a.error, "line 1 is nested deeper than 32 levels");
	cr_assert_str_eq(b.error, "");
}

Test(report, long_words_do_not_hide_a_finding)
{
	AUTO_STR text = STR_INIT;
	str_puts(&text, "{\"outcome\":\"malicious\",\"signature\":\"x");
	for (int i = 0; i < 400; i++)
		str_puts(&text, "\xc3\xa9");
	str_puts(&text, "\"}");
	__attribute__((cleanup(report_cleanup))) struct report cut = read_text(str_text(&text));
	cr_assert_eq(cut.outcome, OUTCOME_MALICIOUS);
	cr_assert_eq(strlen(cut.signature), 511); /* 512 would end inside a character */
	cr_assert_not_null(cut.note);

	str_reset(&text);
	str_puts(&text, "{\"outcome\":\"malicious\",\"detail\":\"");
	for (int i = 0; i < 20000; i++)
		str_puts(&text, "\xc3\xa9"); /* six bytes each as ASCII */
	str_puts(&text, "\"}");
	__attribute__((cleanup(report_cleanup))) struct report dropped = read_text(str_text(&text));
	cr_assert_eq(dropped.outcome, OUTCOME_MALICIOUS);
	cr_assert_null(dropped.detail);
	cr_assert_not_null(dropped.note);
}

Test(report, several_commands_add_up)
{
	__attribute__((cleanup(report_cleanup))) struct report report = read_text(
		"{\"outcome\":\"suspicious\",\"signature\":\"S\",\"detail\":{\"log\":1}}");
	cr_assert_not(report.extendable);
	const char *more = "{\"outcome\":\"malicious\",\"detail\":{}}";
	report_read(&report, more, strlen(more), false);
	cr_assert_eq(report.count, 2);
	cr_assert_eq(report.outcome, OUTCOME_MALICIOUS);
	cr_assert_null(report.signature);
	cr_assert_str_eq(report.detail, "{}");
	cr_assert(report.extendable);
}

Test(report, a_server_answers_with_one_object)
{
	static const struct {
		const char *text, *error;
		enum outcome outcome;
	} cases[] = {
		{ "{\n\"outcome\":\n\"malicious\"}\n\n", "", OUTCOME_MALICIOUS },
		{ "{\"outcome\":\"clean\"}\n{\"outcome\":\"malicious\"}",
		  "the answer is not JSON (line 2, column 1)", OUTCOMES },
		{ "", "the answer is not JSON (line 1, column 0)", OUTCOMES },
		{ "s3cret", "the answer is not JSON (line 1, column 1)", OUTCOMES },
		{ "[]", "the answer is not a JSON object", OUTCOMES },
		{ "{}",
		  "the answer has no \"outcome\" that is one of malicious, suspicious, error, "
		  "timeout, skipped, unknown, clean",
		  OUTCOMES },
		{ "{\"outcome\":\"clean\",\"signature\":1}",
		  "the answer has a \"signature\" that is not a string", OUTCOMES },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
		report_read_one(&report, cases[i].text, strlen(cases[i].text));
		cr_expect_str_eq(report.error, cases[i].error, "%zu: %s", i, report.error);
		cr_expect_eq(report.outcome, cases[i].outcome, "%zu", i);
	}
	AUTO_STR deep = STR_INIT;
	nested(&deep, REPORT_DEPTH_MAX);
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	report_read_one(&report, deep.data, deep.len);
	cr_assert_str_eq(report.error, "the answer is nested deeper than 32 levels");
}
