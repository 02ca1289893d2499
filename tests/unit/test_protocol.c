#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/base/str.h"
#include "core/helper/protocol.h"

static bool accepted(const struct helper_answer *answer)
{
	AUTO_STR packet = STR_INIT;
	__attribute__((cleanup(helper_answer_cleanup))) struct helper_answer got = { .id = 0 };
	helper_put_answer(&packet, answer);
	return helper_read_answer(&packet, &got);
}

Test(protocol, an_answer_goes_over)
{
	AUTO_STR packet = STR_INIT;
	struct helper_answer got = { .id = 0 };
	const struct helper_answer answer = { .id = 9,
					      .outcome = OUTCOME_MALICIOUS,
					      .signature = (char *)"r\xc3\xa9gle",
					      .detail = (char *)"{\"a\": 1}",
					      .real_mime = (char *)"text/x-c++" };
	helper_put_answer(&packet, &answer);
	cr_assert(helper_read_answer(&packet, &got));
	cr_assert_eq(got.id, 9);
	cr_assert_eq(got.outcome, OUTCOME_MALICIOUS);
	cr_assert_str_eq(got.signature, answer.signature);
	cr_assert_str_eq(got.detail, answer.detail);
	cr_assert_str_eq(got.real_mime, answer.real_mime);
	helper_answer_done(&got);
	for (size_t cut = 0; cut < packet.len; cut++) {
		AUTO_STR part = STR_INIT;
		str_append(&part, packet.data, cut);
		cr_expect_not(helper_read_answer(&part, &got), "cut at %zu", cut);
	}
	str_putc(&packet, 'x');
	cr_assert_not(helper_read_answer(&packet, &got), "more than an answer");
}

/* What a helper that a file has taken over might try. */
Test(protocol, an_answer_is_believed_in_nothing)
{
	char long_signature[HELPER_SIGNATURE_MAX + 2];
	memset(long_signature, 'a', sizeof long_signature - 1);
	long_signature[sizeof long_signature - 1] = '\0';
	AUTO_STR long_detail = STR_INIT;
	str_puts(&long_detail, "{\"a\": \"");
	while (long_detail.len < HELPER_DETAIL_MAX)
		str_putc(&long_detail, 'a');
	str_puts(&long_detail, "\"}");
	const struct helper_answer bad[] = {
		{ .outcome = OUTCOMES },
		{ .outcome = (enum outcome)99 },
		{ .signature = long_signature },
		{ .signature = (char *)"a\nb" },
		{ .signature = (char *)"a\x1b[2J" },
		{ .signature = (char *)"\xff" },
		{ .signature = (char *)"\xc2\x9b" },
		{ .detail = (char *)"{" },
		{ .detail = (char *)"[]" },
		{ .detail = (char *)"{}, {}" },
		{ .detail = str_take(&long_detail) },
		{ .real_mime = (char *)"text" },
		{ .real_mime = (char *)"text/plain; charset=utf-8" },
		{ .real_mime = (char *)"../etc" },
		{ .real_mime = (char *)"Text/Plain" },
		{ .real_mime = (char *)"a/b/c" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(accepted(&bad[i]), "number %zu", i);
	free(bad[10].detail);
	cr_expect(accepted(&(struct helper_answer){ .outcome = OUTCOME_CLEAN }));
}

Test(protocol, mime_types_are_those_of_rfc_6838)
{
	char longest[300] = "";
	memset(longest, 'a', 127);
	strcat(longest, "/");
	memset(longest + 128, 'b', 127);
	cr_assert(helper_is_mime(longest));
	strcat(longest, "b");
	cr_assert_not(helper_is_mime(longest));
	cr_assert(helper_is_mime("application/vnd.ms-excel.sheet.macroenabled.12"));
	cr_assert_not(helper_is_mime(""));
	cr_assert_not(helper_is_mime("/plain"));
	cr_assert_not(helper_is_mime("text/"));
	cr_assert_not(helper_is_mime(".a/b"));
	cr_assert_not(helper_is_mime("a b/c"));
	cr_assert_not(helper_is_mime("a/b\n"));
}

Test(protocol, a_request_goes_over_with_every_byte_of_its_fields)
{
	AUTO_STR packet = STR_INIT;
	struct helper_request got;
	const struct helper_request request = {
		.id = 3,
		.timeout_ms = 1000,
		.size = 12,
		.field = { [HELPER_NAME] = { "a\xff\n", 3 }, [HELPER_MIME] = { "a/b", 3 } },
	};
	helper_put_request(&packet, &request);
	cr_assert(helper_read_request(&packet, &got));
	cr_assert(got.id == 3 && got.timeout_ms == 1000 && got.size == 12);
	cr_assert(got.field[HELPER_NAME].len == 3 &&
		  memcmp(got.field[HELPER_NAME].at, "a\xff\n", 3) == 0);
	cr_assert_eq(got.field[HELPER_EXTENSION].len, 0);
	cr_assert_not(helper_read_load(&packet, &(struct helper_load){ 0 }), "another kind");
	cr_assert_eq(helper_kind_of(&packet), HELPER_SCAN);
}

Test(protocol, load_goes_over)
{
	AUTO_STR packet = STR_INIT;
	char *paths[] = { (char *)"/a", (char *)"/b c", NULL };
	struct helper_load got;
	helper_put_load(&packet,
			&(struct helper_load){
				.restore = true, .limit = 5, .paths = paths, .path_count = 2 });
	cr_assert(helper_read_load(&packet, &got));
	cr_assert(got.restore && got.limit == 5 && got.path_count == 2);
	cr_assert_str_eq(got.paths[1], "/b c");
	cr_assert_null(got.paths[2]);
	helper_load_done(&got);
}

Test(protocol, hello_has_a_digest_or_words)
{
	AUTO_STR packet = STR_INIT;
	struct helper_hello hello = { .ok = true, .reads = 5, .rules = 7, .failed = 1 };
	struct helper_hello got;
	helper_put_hello(&packet, &hello);
	cr_assert_not(helper_read_hello(&packet, &got), "no digest");
	memset(hello.digest, 'a', 64);
	helper_problem(&hello, "a.yar:1: wrong");
	helper_put_hello(&packet, &hello);
	cr_assert(helper_read_hello(&packet, &got));
	cr_assert(got.ok && got.reads == 5 && got.rules == 7 && got.failed == 1);
	cr_assert_str_eq(got.problems[0], "a.yar:1: wrong");
	helper_hello_done(&got);
	hello.digest[3] = 'Z';
	helper_put_hello(&packet, &hello);
	cr_assert_not(helper_read_hello(&packet, &got), "no hex");
	helper_hello_done(&hello);
	hello.ok = false;
	helper_put_hello(&packet, &hello);
	cr_assert_not(helper_read_hello(&packet, &got), "a failure without words");
}

Test(protocol, problems_are_bounded_in_number_and_length)
{
	char words[HELPER_PROBLEM_MAX + 100];
	memset(words, 'w', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	struct helper_hello hello = { 0 };
	for (unsigned i = 0; i < HELPER_PROBLEMS_MAX + 5; i++)
		helper_problem(&hello, words);
	cr_assert_eq(hello.problem_count, HELPER_PROBLEMS_MAX);
	cr_assert_eq(strlen(hello.problems[0]), HELPER_PROBLEM_MAX);
	helper_hello_done(&hello);
}

Test(protocol, numbers_go_over)
{
	AUTO_STR packet = STR_INIT;
	int64_t got = 0;
	helper_put_number(&packet, HELPER_FORKED, -EAGAIN);
	cr_assert(helper_read_number(&packet, HELPER_FORKED, &got));
	cr_assert_eq(got, -EAGAIN);
	cr_assert_not(helper_read_number(&packet, HELPER_REAPED, &got));
	str_putc(&packet, 'x');
	cr_assert_not(helper_read_number(&packet, HELPER_FORKED, &got));
}
