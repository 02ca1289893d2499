#include "engine_fixture.h"

static struct bench b;

static void setup(void)
{
	bench_init(&b, "magic");
	cr_assert_eq(bench_load(&b), 0, "%s", b.err.text);
}

static void teardown(void)
{
	bench_done(&b);
}

TestSuite(magic_engine, .init = setup, .fini = teardown);

static void expect_type(const char *content, size_t len, const char *type)
{
	struct helper_answer answer = bench_scan_as(&b, content, len, "name");
	cr_expect_eq(answer.outcome, OUTCOME_CLEAN);
	cr_expect_str_eq(answer.real_mime, type);
	helper_answer_done(&answer);
}

Test(magic_engine, tells_what_a_content_is)
{
	expect_type("%PDF-1.7\n", 9, "application/pdf");
	expect_type("#!/bin/sh\n", 10, "text/x-shellscript");
	expect_type("GIF89a\1\0\1\0", 10, "image/gif");
	expect_type("words\n", 6, "text/plain");
	expect_type("", 0, "application/x-empty");
}

Test(magic_engine, has_a_digest_of_its_database)
{
	char digest[65];
	cr_assert_eq(strlen(b.hello.digest), 64);
	strcpy(digest, b.hello.digest);
	cr_assert_eq(bench_load(&b), 0);
	cr_assert_str_eq(b.hello.digest, digest);
}
