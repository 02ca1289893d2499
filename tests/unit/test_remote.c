/* remote: what a server is sent, and its report. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

static struct fixture fixture;
static struct http_peer peer;
static struct config config;
static struct config_detector row = { .type = (char *)"remote", .name = (char *)"remote" };

static void teardown(void)
{
	http_peer_done(&peer);
	fixture_done(&fixture);
}

TestSuite(remote, .fini = teardown, .timeout = 240);

static struct answer ask(const char *name, const char *said)
{
	AUTO_FREE char *reply = http_peer_reply("200 OK", "", said);
	const char *const replies[] = { reply };
	fixture_init(&fixture, name);
	http_peer_start(&peer, replies, 1);
	row.url = peer.url;
	struct answer answer = fixture_ask(&fixture, &row, &config);
	http_peer_stop(&peer);
	return answer;
}

Test(remote, reports_of_several_lines_are_taken)
{
	struct answer answer = ask("a.pdf", "{\n \"outcome\": \"suspicious\",\n \"signature\": "
					    "\"S\",\n \"detail\": [1]\n}\n");
	cr_assert_eq(answer.outcome, OUTCOME_SUSPICIOUS, "%s", answer.detail);
	cr_assert_str_eq(answer.signature, "S");
	cr_assert_str_eq(answer.detail, "[1]");
	answer_done(&answer);
}

Test(remote, what_is_no_report_is_an_error_and_is_not_quoted)
{
	struct answer answer = ask("a.pdf", "Bearer s3cret");
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	cr_assert(strstr(answer.detail, "bad report: the answer is not JSON"), "%s", answer.detail);
	cr_assert_not(strstr(answer.detail, "s3cret"), "%s", answer.detail);
	answer_done(&answer);
}

Test(remote, no_byte_of_a_name_or_type_ends_a_header)
{
	struct answer answer = ask("a\r\nX-Evil: 1\r\n\r\n\xff%.exe", "{\"outcome\": \"clean\"}");
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN, "%s", answer.detail);
	const char *sent = str_text(&peer.requests);
	cr_assert(strstr(sent, "\r\nX-Carved-Name: a%0D%0AX-Evil%3A%201%0D%0A%0D%0A%FF%25.exe\r\n"),
		  "%s", sent);
	cr_assert(strstr(sent, "\r\nX-Carved-Mime: application/pdf\r\n"), "%s", sent);
	cr_assert(strstr(sent, "\r\nContent-Type: application/octet-stream\r\n"), "%s", sent);
	cr_assert_not(strstr(sent, "SHA256"), "%s", sent);
	cr_assert(strstr(sent, "\r\n\r\nsample"), "%s", sent);
	answer_done(&answer);
}

static void digest_of(const char *url, const char *token_file, char out[65])
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	row.url = (char *)url;
	row.token_file = (char *)token_file;
	cr_assert_eq(detector_open(&detector, &row, &config, &err), 0, "%s", err.text);
	(void)strcpy(out, fixture_digest(detector));
	detector_free(detector);
	row.token_file = NULL;
}

Test(remote, the_digest_is_of_the_url_and_not_of_the_token)
{
	char first[65], second[65], other[65];
	fixture_init(&fixture, "token");
	cr_assert_eq(chmod(fixture.path, 0600), 0);
	digest_of("http://host/scan", NULL, first);
	digest_of("http://host/scan", fixture.path, second);
	digest_of("http://host/scan?rules=2", NULL, other);
	cr_assert_str_eq(first, second);
	cr_assert_str_neq(first, other);
	peer.stop = -1;
}
