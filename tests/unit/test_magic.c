#include <criterion/criterion.h>

#include "core/detect/real_mime.h"
#include "detect_fixture.h"

static struct fixture fixture;
static const struct config config = { .max_file_size = 1 << 20 };
static const struct config_detector row = { .type = (char *)"magic", .name = (char *)"magic" };

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(magic, .init = setup, .fini = teardown);

static struct answer ask(const char *content)
{
	fixture_write(fixture.path, content);
	fixture.request.size = (int64_t)strlen(content);
	return fixture_ask(&fixture, &row, &config);
}

Test(magic, tells_the_type_and_keeps_it_in_detail)
{
	struct answer answer = ask("%PDF-1.7\n");
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN);
	cr_assert_str_eq(answer.real_mime, "application/pdf");
	AUTO_FREE char *again = real_mime_of(answer.detail);
	cr_assert_str_eq(again, "application/pdf");
	cr_assert_null(answer.signature);
	answer_done(&answer);
}

Test(magic, a_script_declared_as_a_document_is_suspicious)
{
	struct answer answer = ask("#!/bin/sh\necho hello\n");
	cr_assert_eq(answer.outcome, OUTCOME_SUSPICIOUS);
	cr_assert_str_eq(answer.signature, "text/x-shellscript declared as application/pdf");
	cr_assert_str_eq(answer.detail, "{\"real_mime\": \"text/x-shellscript\"}");
	answer_done(&answer);
	(void)strcpy(fixture.entry.mime, "text/plain");
	answer = ask("#!/bin/sh\necho hello\n");
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN);
	answer_done(&answer);
}

Test(magic, is_asked_before_the_others)
{
	cr_assert(magic_class.types);
	cr_assert_not(yara_class.types);
}
