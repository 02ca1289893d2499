/* What commands write on descriptor 3, and servers answer: a bad report is never a good word. */
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/report.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct report *report)
{
	must((report->outcome == OUTCOMES) == (report->count == 0));
	must(!report->signature || strlen(report->signature) <= REPORT_SIGNATURE_MAX);
	if (report->detail) {
		must(strlen(report->detail) <= REPORT_DETAIL_MAX && is_ascii(report->detail));
		must(is_json(report->detail));
	}
	must(memchr(report->error, '\0', sizeof report->error));
}

static void check_answer(const struct report *report)
{
	struct answer answer = { 0 };
	answer_from_report(&answer, report, "peer");
	/* errors are never read as clean */
	if (report->error[0] || report->count == 0)
		must(answer.outcome == OUTCOME_ERROR);
	must(!answer.detail || (is_ascii(answer.detail) && is_json(answer.detail)));
	answer_done(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	bool one = input_byte(&in) & 1;
	char *bytes = input_exact(in.at, in.left);
	struct report report = REPORT_INIT;
	if (one)
		report_read_one(&report, bytes, in.left);
	else
		report_read(&report, bytes, in.left, false);
	check(&report);
	if (one)
		check_answer(&report);
	report_done(&report);
	free(bytes);
	return 0;
}
