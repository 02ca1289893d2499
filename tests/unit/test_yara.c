#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/detect_state.h"
#include "detect_fixture.h"

static struct fixture fixture;
static struct config config = { .max_file_size = 1 << 20 };
static struct config_detector row = { .type = (char *)"yara", .name = (char *)"yara" };
static char *rules[2];

static void setup(void)
{
	fixture_init(&fixture, "invoice.pdf.exe");
	rules[0] = fixture_path(&fixture, "a.yar");
	row.rules = rules;
}

static void teardown(void)
{
	free(rules[0]);
	fixture_done(&fixture);
}

TestSuite(yara, .init = setup, .fini = teardown);

static bool keys_differ(const char *rule)
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	uint8_t one[16], other[16];
	fixture_write(rules[0], rule);
	cr_assert_eq(detector_open(&detector, &row, &config, &err), 0, "%s", err.text);
	AUTO_FREE char *digest = xcalloc(1, 65);
	cr_assert(detector_digest(detector, digest, &err));
	cr_assert_eq(strlen(digest), 64);
	struct slice a = { .at = "a.pdf", .len = 5 };
	struct slice b = { .at = "b.pdf", .len = 5 };
	detector_key(detector, digest, &fixture.entry, a, one);
	detector_key(detector, digest, &fixture.entry, b, other);
	detector_free(detector);
	return memcmp(one, other, sizeof one) != 0;
}

Test(yara, finds_by_content_and_by_name)
{
	fixture_write(rules[0],
		      "rule content { strings: $a = \"sample\" condition: $a }\n"
		      "rule named { condition: filename == \"invoice.pdf.exe\" and extension "
		      "== \"exe\" and mime == \"application/pdf\" }\n");
	struct answer answer = fixture_ask(&fixture, &row, &config);
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	cr_assert_str_eq(answer.signature, "content, named");
	answer_done(&answer);
}

Test(yara, an_answer_depends_on_what_the_rules_mention)
{
	cr_assert_not(keys_differ("rule a { condition: true }"));
	cr_assert_not(keys_differ("rule a { condition: mime == \"x/y\" }"));
	cr_assert(keys_differ("rule a { condition: filename == \"a\" }"));
}

Test(yara, rules_that_broke_stay_in_force_when_it_is_opened_again)
{
	struct detector *first = NULL;
	struct detector *second = NULL;
	struct error err = { 0 };
	struct answer answer = { .outcome = OUTCOMES };
	const struct detect_opening opening = { .row = &row, .config = &config, .cancel_fd = -1 };
	fixture_write(rules[0], "rule content { strings: $a = \"sample\" condition: $a }\n");
	cr_assert_eq(detector_open(&first, &row, &config, &err), 0, "%s", err.text);
	cr_assert_eq(detector_report(first).failed, 0);
	cr_assert_eq(detector_report(first).loaded, 1);
	fixture_write(rules[0], "rule content { condition: $b }\n");
	cr_assert_eq(detector_open_after(&second, &opening, NULL, &err), -EINVAL);
	cr_assert_eq(detector_open_after(&second, &opening, first, &err), 0, "%s", err.text);
	detector_free(first);
	struct detect_report report = detector_report(second);
	cr_assert(report.failed == 1 && report.kept == 1 && report.loaded == 1);
	cr_assert_not_null(strstr(report.problems[0], "a.yar:1: "));
	cr_assert_str_eq(report.watch[0], rules[0]);
	detector_scan(second, &fixture.request, &answer);
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	answer_done(&answer);
	detector_free(second);
}

Test(yara, needs_rules)
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	row.rules = NULL;
	cr_assert_eq(detector_open(&detector, &row, &config, &err), -EINVAL);
}
