/* answer: every pair of exit status and report has one meaning, and none turns a failure into
 * clean. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/detect/answer.h"
#include "core/detect/child.h"
#include "core/detect/detect.h"
#include "core/detect/report.h"

static const struct answer_rule command = { .zero = OUTCOME_CLEAN, .one = OUTCOME_MALICIOUS };
static const struct answer_rule api = { .zero = OUTCOME_UNKNOWN,
					.one = OUTCOME_ERROR,
					.step = "report.1" };

static struct answer judge(const struct child_result *child, const char *lines,
			   const struct answer_rule *rule)
{
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	struct answer answer = { 0 };
	report_read(&report, lines, strlen(lines), false);
	answer_from_child(&answer, child, &report, rule);
	return answer;
}

#define CLEAN	   "{\"outcome\":\"clean\"}"
#define SUSPICIOUS "{\"outcome\":\"suspicious\",\"signature\":\"S\",\"detail\":{\"a\":1}}"
#define MALICIOUS  "{\"outcome\":\"malicious\",\"signature\":\"M\"}"

Test(answer, exit_status_and_report_together)
{
	static const struct {
		const struct answer_rule *rule;
		enum child_end end;
		int status;
		const char *report;
		enum outcome outcome;
		const char *signature, *detail;
	} cases[] = {
		{ &command, CHILD_EXITED, 0, "", OUTCOME_CLEAN, NULL, NULL },
		{ &command, CHILD_EXITED, 1, "", OUTCOME_MALICIOUS, NULL, NULL },
		{ &command, CHILD_EXITED, 2, "", OUTCOME_ERROR, NULL,
		  "{\"error\": \"exit status 2\"}" },
		{ &command, CHILD_EXITED, 127, CLEAN, OUTCOME_ERROR, NULL,
		  "{\"error\": \"exit status 127\", \"report\": {\"outcome\": \"clean\"}}" },
		{ &command, CHILD_EXITED, 2, SUSPICIOUS, OUTCOME_ERROR, NULL,
		  "{\"error\": \"exit status 2\", \"report\": {\"outcome\": \"suspicious\", "
		  "\"signature\": \"S\", \"detail\": {\"a\":1}}}" },
		{ &command, CHILD_SIGNALED, 11, MALICIOUS, OUTCOME_ERROR, NULL,
		  "{\"error\": \"killed by signal 11 (SIGSEGV)\", \"report\": {\"outcome\": \"malicious\", "
		  "\"signature\": \"M\"}}" },
		{ &command, CHILD_TIMEOUT, 0, CLEAN, OUTCOME_TIMEOUT, NULL,
		  "{\"error\": \"still running at its deadline, killed\", \"report\": {\"outcome\": "
		  "\"clean\"}}" },
		{ &command, CHILD_EXITED, 0, "junk", OUTCOME_ERROR, NULL, NULL },
		{ &command, CHILD_EXITED, 1, "junk", OUTCOME_ERROR, NULL, NULL },
		{ &command, CHILD_EXITED, 0, MALICIOUS "\njunk", OUTCOME_ERROR, NULL, NULL },
		{ &command, CHILD_EXITED, 0, CLEAN, OUTCOME_CLEAN, NULL, NULL },
		{ &command, CHILD_EXITED, 0, MALICIOUS, OUTCOME_MALICIOUS, "M", NULL },
		{ &command, CHILD_EXITED, 0, SUSPICIOUS, OUTCOME_SUSPICIOUS, "S", "{\"a\":1}" },
		{ &command, CHILD_EXITED, 1, SUSPICIOUS, OUTCOME_SUSPICIOUS, "S", "{\"a\":1}" },
		{ &command, CHILD_EXITED, 1, CLEAN, OUTCOME_MALICIOUS, NULL,
		  "{\"note\": \"exit status 1 says malicious, its report does not\"}" },
		{ &command, CHILD_EXITED, 1, "{\"outcome\":\"unknown\"}", OUTCOME_MALICIOUS, NULL,
		  NULL },
		{ &command, CHILD_EXITED, 0, "{\"outcome\":\"error\"}", OUTCOME_ERROR, NULL,
		  "{\"error\": \"the command's report says so\"}" },
		{ &command, CHILD_EXITED, 1, "{\"outcome\":\"skipped\",\"detail\":[1]}",
		  OUTCOME_SKIPPED, NULL, "[1]" },
		{ &api, CHILD_EXITED, 0, "", OUTCOME_UNKNOWN, NULL, NULL },
		{ &api, CHILD_EXITED, 1, "", OUTCOME_ERROR, NULL,
		  "{\"error\": \"report.1: exit status 1\"}" },
		{ &api, CHILD_EXITED, 1, CLEAN, OUTCOME_ERROR, NULL, NULL },
		{ &api, CHILD_EXITED, 0, CLEAN, OUTCOME_CLEAN, NULL, NULL },
		{ &api, CHILD_EXITED, 0, "junk", OUTCOME_ERROR, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct child_result child = { .end = cases[i].end,
						    .status = cases[i].status };
		struct answer answer = judge(&child, cases[i].report, cases[i].rule);
		cr_expect_eq(answer.outcome, cases[i].outcome, "%zu: %s", i,
			     outcome_name(answer.outcome));
		cr_expect(cases[i].signature ? answer.signature && strcmp(answer.signature,
									  cases[i].signature) == 0
					     : !answer.signature,
			  "%zu", i);
		cr_expect(!cases[i].detail ||
				  (answer.detail && strcmp(answer.detail, cases[i].detail) == 0),
			  "%zu: %s", i, answer.detail);
		cr_expect(!answer.cancelled);
		answer_done(&answer);
	}
}

Test(answer, cancelled_is_no_outcome)
{
	const struct child_result child = { .end = CHILD_CANCELLED };
	struct answer answer = judge(&child, MALICIOUS, &command);
	cr_assert(answer.cancelled);
	cr_assert_eq(answer.outcome, OUTCOMES);
	cr_assert_null(answer.detail);
	cr_assert_null(answer.signature);
}

Test(answer, remarks_join_the_reports_detail)
{
	static const struct {
		const char *report, *detail;
	} cases[] = {
		{ CLEAN, "{\"log\": \"why\"}" },
		{ SUSPICIOUS, "{\"a\":1, \"log\": \"why\"}" },
		{ "{\"outcome\":\"clean\",\"detail\":{}}", "{\"log\": \"why\"}" },
		{ "{\"outcome\":\"clean\",\"detail\":[1]}", "{\"report\": [1], \"log\": \"why\"}" },
		{ "{\"outcome\":\"clean\",\"detail\":{\"log\":2}}",
		  "{\"report\": {\"log\":2}, \"log\": \"why\"}" },
	};
	const struct answer_rule rule = { .zero = OUTCOME_CLEAN,
					  .one = OUTCOME_ERROR,
					  .log = "why" };
	const struct child_result child = { .end = CHILD_EXITED };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = judge(&child, cases[i].report, &rule);
		cr_expect_str_eq(answer.detail, cases[i].detail);
		answer_done(&answer);
	}
}

static void say(struct tail *tail, const char *text)
{
	while (*text)
		tail->ring[tail->total++ % CAPTURE_TAIL] = *text++;
}

Test(answer, hostile_output_stays_ascii_json)
{
	struct child_result child = { .end = CHILD_EXITED, .status = 3 };
	say(&child.err, "\x1b[31m\"\\\xff\n");
	struct answer answer = judge(&child, "", &command);
	cr_assert_str_eq(answer.detail, "{\"error\": \"exit status 3\", "
					"\"stderr\": \"\\u001b[31m\\\"\\\\\\udcff\\n\"}");
	answer_done(&answer);
	child = (struct child_result){ .end = CHILD_EXITED, .status = 1 };
	say(&child.out, "x: Eicar FOUND\n");
	answer = judge(&child, "", &command);
	cr_assert_str_eq(answer.detail, "{\"stdout\": \"x: Eicar FOUND\\n\"}");
	answer_done(&answer);
}

Test(answer, detail_stays_under_its_limit)
{
	struct child_result child = { .end = CHILD_EXITED, .status = 3 };
	for (int i = 0; i < 3 * CAPTURE_TAIL; i++)
		say(&child.err, "\xff");
	AUTO_STR line = STR_INIT;
	str_puts(&line, "{\"outcome\":\"malicious\",\"signature\":\"");
	for (int i = 0; i < 600; i++)
		str_putc(&line, 1 + (i % 2 ? 'x' : 'y'));
	str_puts(&line, "\",\"detail\":\"");
	for (int i = 0; i < REPORT_DETAIL_MAX - 2; i++)
		str_putc(&line, 'x');
	str_puts(&line, "\"}");
	struct answer answer = judge(&child, str_text(&line), &command);
	cr_assert_lt(strlen(answer.detail), 65536);
	cr_assert_gt(strlen(answer.detail), REPORT_DETAIL_MAX);
	json_t *parsed = json_loads(answer.detail, 0, NULL);
	cr_assert_null(
		parsed); /* lone surrogates, which jansson refuses: ours, for bytes of no text */
	answer_done(&answer);
}

Test(answer, failures_are_answers)
{
	struct answer answer = { .signature = strdup("old") };
	answer_fail(&answer, OUTCOME_ERROR, "no \"%s\"", "x");
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	cr_assert_null(answer.signature);
	cr_assert_str_eq(answer.detail, "{\"error\": \"no \\\"x\\\"\"}");
	answer_done(&answer);
}

Test(answer, what_we_lack_is_no_failure_of_the_detector)
{
	static const struct {
		int code, unable;
		enum outcome outcome;
	} cases[] = {
		{ EMFILE, EMFILE, OUTCOMES }, { ENFILE, ENFILE, OUTCOMES },
		{ EAGAIN, EAGAIN, OUTCOMES }, { ENOMEM, ENOMEM, OUTCOMES },
		{ ENOENT, 0, OUTCOME_ERROR }, { EACCES, 0, OUTCOME_ERROR },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = { 0 };
		answer_not_run(&answer, cases[i].code, "words");
		cr_expect_eq(answer.unable, cases[i].unable, "%zu", i);
		cr_expect_eq(answer.outcome, cases[i].outcome, "%zu", i);
		answer_done(&answer);
	}
}

Test(answer, what_is_skipped_says_why)
{
	struct answer answer = { .signature = strdup("old") };
	answer_skip(&answer, "too \"large\"");
	cr_assert_eq(answer.outcome, OUTCOME_SKIPPED);
	cr_assert_null(answer.signature);
	cr_assert_str_eq(answer.detail, "{\"reason\": \"too \\\"large\\\"\"}");
	answer_done(&answer);
}

static struct answer read_one(const char *text)
{
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	struct answer answer = { 0 };
	report_read_one(&report, text, strlen(text));
	answer_from_report(&answer, &report, "http://x:80");
	return answer;
}

Test(answer, of_a_server_is_its_report)
{
	static const struct {
		const char *text;
		enum outcome outcome;
		const char *signature, *detail;
	} cases[] = {
		{ CLEAN, OUTCOME_CLEAN, NULL, NULL },
		{ SUSPICIOUS, OUTCOME_SUSPICIOUS, "S", "{\"a\":1}" },
		{ "{\"outcome\":\"timeout\"}", OUTCOME_TIMEOUT, NULL,
		  "{\"error\": \"the server says so\"}" },
		{ "{\"outcome\":\"error\",\"detail\":[\"why\"]}", OUTCOME_ERROR, NULL,
		  "[\"why\"]" },
		{ "clean", OUTCOME_ERROR, NULL,
		  "{\"error\": \"http://x:80: bad report: the answer is not JSON (line 1, column "
		  "5)\"}" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = read_one(cases[i].text);
		cr_expect_eq(answer.outcome, cases[i].outcome, "%zu", i);
		cr_expect(cases[i].signature ? strcmp(answer.signature, cases[i].signature) == 0
					     : !answer.signature);
		cr_expect(cases[i].detail ? strcmp(answer.detail, cases[i].detail) == 0
					  : !answer.detail,
			  "%zu: %s", i, answer.detail);
		answer_done(&answer);
	}
}

Test(answer, of_a_server_says_what_was_cut)
{
	char text[700] = "{\"outcome\":\"malicious\",\"detail\":{\"a\":1},\"signature\":\"";
	size_t len = strlen(text);
	memset(text + len, 'x', 600);
	(void)strcpy(text + len + 600, "\"}");
	struct answer answer = read_one(text);
	cr_assert_eq(strlen(answer.signature), 512);
	cr_assert_str_eq(answer.detail,
			 "{\"a\":1, \"note\": \"the report's signature was longer than "
			 "512 bytes and was cut\"}");
	answer_done(&answer);
}
