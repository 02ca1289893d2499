/* server: what each end of an exchange means for the file, and for the files after it. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/answer.h"
#include "core/detect/breaker.h"
#include "core/detect/http.h"
#include "core/detect/server.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

static struct http_peer peer;
static struct config_detector row = { .type = (char *)"remote", .name = (char *)"remote" };
static struct server *server;
static struct answer answer;
static struct str body;

#define EMPTY(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"
#define OK	      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void setup(void)
{
	peer.stop = -1;
}

static void teardown(void)
{
	server_free(server);
	answer_done(&answer);
	str_done(&body);
	http_peer_done(&peer);
}

TestSuite(server, .init = setup, .fini = teardown, .timeout = 240);

static void start(const char *const *replies, size_t count)
{
	struct error err = { 0 };
	http_peer_start(&peer, replies, count);
	row.url = peer.url;
	cr_assert_eq(server_new(&server, &row, "", &err), 0, "%s", err.text);
}

#define START(...)                                            \
	static const char *const replies[] = { __VA_ARGS__ }; \
	start(replies, sizeof replies / sizeof *replies)

static bool ask_until(struct mono deadline)
{
	const struct http_request request = {
		.text = "x", .fd = -1, .deadline = deadline, .cancel_fd = -1
	};
	answer_done(&answer);
	str_done(&body);
	return server_ask(server, &request, &body, &answer);
}

static bool ask(void)
{
	return ask_until(mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS));
}

static void expect_away(const char *words)
{
	cr_assert_not(ask());
	cr_assert(answer.away && strstr(answer.away, words), "%s", answer.away);
	cr_assert_eq(answer.outcome, OUTCOMES);
}

static void expect_error(const char *words)
{
	cr_assert_not(ask());
	cr_assert_null(answer.away, "%s", answer.away);
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	cr_assert(strstr(answer.detail, words), "%s", answer.detail);
}

Test(server, a_body_comes_back_with_status_200_only)
{
	START(OK, EMPTY("201 Made"), EMPTY("400 Bad"), EMPTY("429 Many"), OK);
	cr_assert(ask());
	cr_assert_str_eq(str_text(&body), "{}");
	expect_error("HTTP status 201");
	expect_error("HTTP status 400");
	expect_error("HTTP status 429");
	cr_assert(ask());
}

Test(server, refusals_of_its_own_do_not_make_it_a_dead_one)
{
	START(EMPTY("401 Who"));
	for (int i = 0; i < 3 * BREAKER_FAILURES; i++)
		expect_error("HTTP status 401");
	cr_assert_eq(atomic_load(&peer.request_count), 3 * BREAKER_FAILURES);
}

Test(server, one_that_fails_is_asked_no_more_for_a_while)
{
	struct error why = { 0 };
	/* on a kept connection, silence would be taken for one that was closed long ago */
	START(EMPTY("503 Oops\r\nConnection: close"), NULL, EMPTY("502 Gate"), OK);
	expect_error("HTTP status 503");
	expect_error("127.0.0.1");
	cr_assert_not(server_away(server, &why));
	expect_error("HTTP status 502");
	cr_assert(server_away(server, &why));
	cr_assert(strstr(why.text, "HTTP status 502; not tried again for 1 s"), "%s", why.text);
	expect_away("HTTP status 502; not tried again for 1 s");
	cr_assert_eq(atomic_load(&peer.request_count), 3);
}

Test(server, one_that_fails_on_some_files_is_there_for_the_others)
{
	struct error why = { 0 };
	START(EMPTY("500 a"), EMPTY("500 b"), EMPTY("500 c"), EMPTY("500 d"), OK);
	for (int i = 0; i < 4; i++)
		expect_error("HTTP status 500");
	cr_assert_not(server_away(server, &why));
}

Test(server, one_that_is_not_there_is_away)
{
	START(OK);
	http_peer_stop(&peer);
	for (int i = 0; i < BREAKER_FAILURES; i++)
		expect_away("127.0.0.1");
	expect_away("not tried again for");
}

Test(server, a_late_answer_is_a_timeout)
{
	START(HTTP_PEER_HANG);
	cr_assert_not(ask_until(mono_add_ms(mono_now(), 3000)));
	cr_assert_eq(answer.outcome, OUTCOME_TIMEOUT);
	cr_assert_null(answer.away);
}

Test(server, a_pause_that_it_asks_for_is_kept)
{
	START("HTTP/1.1 429 Many\r\nRetry-After: 3000\r\nContent-Length: 0\r\n\r\n", OK);
	expect_away("HTTP status 429");
	expect_away("HTTP status 429; not tried again for 3000 s");
	cr_assert_eq(atomic_load(&peer.request_count), 1);
}

Test(server, who_is_cancelled_says_nothing_of_it)
{
	START(HTTP_PEER_HANG);
	AUTO_CLOSE int cancel = eventfd(1, EFD_CLOEXEC);
	const struct http_request request = { .text = "x",
					      .fd = -1,
					      .deadline =
						      mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS),
					      .cancel_fd = cancel };
	cr_assert_not(server_ask(server, &request, &body, &answer));
	cr_assert(answer.cancelled);
	cr_assert_eq(answer.outcome, OUTCOMES);
}

Test(server, a_probe_asks_whether_anything_answers)
{
	struct error err = { 0 };
	START(EMPTY("405 No"), EMPTY("501 What"), EMPTY("403 You"), EMPTY("500 Oops"));
	cr_assert_eq(server_probe(server, &err), 0, "%s", err.text);
	cr_assert_eq(server_probe(server, &err), 0, "%s", err.text);
	cr_assert_eq(server_probe(server, &err), -EACCES);
	cr_assert(strstr(err.text, "token_file"), "%s", err.text);
	cr_assert_eq(server_probe(server, &err), -EIO);
	http_peer_stop(&peer);
	cr_assert_eq(server_probe(server, &err), -EHOSTDOWN);
	cr_assert(strstr(err.text, "127.0.0.1"), "%s", err.text);
}

Test(server, its_path_stands_behind_the_base)
{
	struct error err = { 0 };
	static const char *const replies[] = { OK };
	http_peer_start(&peer, replies, 1);
	AUTO_STR url = STR_INIT;
	str_printf(&url, "http://127.0.0.1:%u/base//", peer.port);
	row.url = url.data;
	cr_assert_eq(server_new(&server, &row, "/api/v1.0/scan", &err), 0, "%s", err.text);
	cr_assert(ask());
	http_peer_stop(&peer);
	cr_assert_eq(strncmp(str_text(&peer.requests), "POST /base/api/v1.0/scan HTTP", 29), 0,
		     "%s", str_text(&peer.requests));
}

Test(server, files_that_are_named_and_missing_keep_it_from_opening)
{
	struct error err = { 0 };
	row.url = (char *)"https://host/";
	row.ca = (char *)"/nonexistent/ca.pem";
	cr_assert_eq(server_new(&server, &row, "", &err), -ENOENT);
	cr_assert(strstr(err.text, "ca: /nonexistent/ca.pem"), "%s", err.text);
	row.ca = NULL;
}

static void expect_doubts(const char *url, const char *token_file, bool doubts)
{
	struct error err = { 0 };
	AUTO_STR words = STR_INIT;
	row.url = (char *)url;
	row.token_file = (char *)token_file;
	cr_assert_eq(server_new(&server, &row, "", &err), 0, "%s", err.text);
	server_doubts(server, &words);
	cr_expect_eq(words.len > 0, doubts, "%s: %s", url, str_text(&words));
	server_free(TAKE(server));
	row.token_file = NULL;
}

Test(server, a_token_that_anybody_could_read_on_its_way_is_a_doubt)
{
	struct fixture fixture;
	fixture_init(&fixture, "token");
	cr_assert_eq(chmod(fixture.path, 0600), 0);
	expect_doubts("http://scan.example/", fixture.path, true);
	expect_doubts("http://localhost.example/", fixture.path, true);
	expect_doubts("http://scan.example/", NULL, false);
	expect_doubts("https://scan.example/", fixture.path, false);
	expect_doubts("http://localhost:5000", fixture.path, false);
	expect_doubts("http://127.0.0.1/", fixture.path, false);
	expect_doubts("http://[::1]", fixture.path, false);
	fixture_done(&fixture);
}
