/* http_line: one exchange, however it ends. */
#include <sys/resource.h>

#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/curl_api.h"
#include "core/detect/http_line.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

static struct fixture fixture;
static struct http_peer peer;
static struct http_line *line;
static struct http_reply reply;
static const struct str no_ca = STR_INIT;
static struct http_request request;

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void setup(void)
{
	fixture_init(&fixture, "sample");
	cr_assert_eq(curl_api_load(NULL), 0);
	line = http_line_new();
	request = (struct http_request){
		.fd = fixture.fd,
		.size = 6,
		.deadline = fixture.request.deadline,
		.cancel_fd = -1,
	};
}

static void teardown(void)
{
	http_reply_done(&reply);
	http_line_free(line);
	http_peer_done(&peer);
	fixture_done(&fixture);
}

TestSuite(http_line, .init = setup, .fini = teardown, .timeout = 240);

static void start(const char *const *replies, size_t count)
{
	http_peer_start(&peer, replies, count);
}

#define START(...)                                            \
	static const char *const replies[] = { __VA_ARGS__ }; \
	start(replies, sizeof replies / sizeof *replies)

static enum http_end run(void)
{
	const struct http_line_setup said = {
		.url = peer.url,
		.ca = &no_ca,
		.authorization = "Authorization: Bearer t0ken",
	};
	http_reply_done(&reply);
	http_line_run(line, &said, &request, &reply);
	return reply.end;
}

static void expect(enum http_end end, const char *words)
{
	cr_assert_eq(run(), end, "%d: %s", (int)reply.end, reply.words);
	cr_assert(strstr(reply.words, words), "%s", reply.words);
}

Test(http_line, sends_the_file_and_reads_the_answer)
{
	static const char *const headers[] = { "X-Name: a%0Ab", NULL };
	START("HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nsorry");
	request.headers = headers;
	cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	cr_assert_eq(reply.status, 404);
	cr_assert_str_eq(str_text(&reply.body), "sorry");
	cr_assert_eq(reply.retry_after_s, 0);
	http_peer_stop(&peer);
	const char *sent = str_text(&peer.requests);
	cr_assert_eq(strncmp(sent, "POST /scan HTTP/1.1\r\n", 21), 0, "%s", sent);
	cr_assert(strstr(sent, "\r\nX-Name: a%0Ab\r\n"), "%s", sent);
	cr_assert(strstr(sent, "\r\nAuthorization: Bearer t0ken\r\n"), "%s", sent);
	cr_assert(strstr(sent, "\r\n\r\nsample"), "%s", sent);
	cr_assert_not(strstr(sent, "Expect"), "%s", sent);
}

Test(http_line, sends_a_text_or_nothing)
{
	START(OK);
	request.text = "{\"a\": 1}";
	cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	request.text = NULL;
	request.head = true;
	cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	http_peer_stop(&peer);
	cr_assert(strstr(str_text(&peer.requests), "\r\n\r\n{\"a\": 1}HEAD /scan"), "%s",
		  str_text(&peer.requests));
}

Test(http_line, a_connection_is_used_again_and_again)
{
	START(OK);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	cr_assert_eq(atomic_load(&peer.connection_count), 1);
}

Test(http_line, a_kept_connection_that_the_server_has_closed_costs_nothing)
{
	START(HTTP_PEER_DROP OK);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	cr_assert_eq(atomic_load(&peer.request_count), 5);
}

Test(http_line, redirects_are_answers_and_not_followed)
{
	START("HTTP/1.1 302 Over\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
	cr_assert_eq(run(), HTTP_ANSWERED);
	cr_assert_eq(reply.status, 302);
	cr_assert_eq(atomic_load(&peer.request_count), 1);
}

Test(http_line, a_pause_that_the_server_asks_for_is_read)
{
	START("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	cr_assert_eq(run(), HTTP_ANSWERED);
	cr_assert_eq(reply.retry_after_s, 7);
}

/* Found by fuzz_http. libcurl gives a date as what is left until then, also below 0. */
Test(http_line, a_pause_until_a_time_that_has_passed_is_none)
{
	START("HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
	      "Content-Length: 0\r\n\r\n");
	cr_assert_eq(run(), HTTP_ANSWERED);
	cr_assert_eq(reply.retry_after_s, 0, "%lld", (long long)reply.retry_after_s);
}

/* Found by fuzz_http: a libcurl handle that was used before wrote to memory that it had freed. The
 * address sanitizer sees it (this is the input, behind another answer). */
Test(http_line, a_first_header_that_is_folded_does_not_belong_to_the_answer_before)
{
	START("HTTP/1.1 200 OK\r\nX-Some: thing\r\nContent-Length: 2\r\n\r\n{}",
	      "HTTP/1.1 100 Conti%TTP$/1.1 503\r\n Bfter: 7\r\nContent-Length: 0\r\n\r\n" OK, OK);
	cr_assert_eq(run(), HTTP_ANSWERED);
	(void)run();
	request.deadline = fixture.request.deadline;
	(void)run();
}

/* Found by fuzz_http: the version overflows, and the status becomes a negative number. */
Test(http_line, what_has_no_status_of_three_digits_is_no_http)
{
	START(HTTP_PEER_DROP
	      "HTTP/2222222222222222222222222222222222222222222222222222221.1 280\n\r\n");
	cr_assert_eq(run(), HTTP_BROKEN, "%d, status %ld", (int)reply.end, reply.status);
}

Test(http_line, a_response_may_be_so_long_and_not_longer)
{
	char body[HTTP_REPLY_MAX + 2];
	memset(body, 'x', sizeof body);
	body[HTTP_REPLY_MAX] = '\0';
	AUTO_FREE char *fits = http_peer_reply("200 OK", "", body);
	body[HTTP_REPLY_MAX] = 'x';
	body[HTTP_REPLY_MAX + 1] = '\0';
	AUTO_FREE char *longer = http_peer_reply("200 OK", "", body);
	const char *const replies[] = { fits, longer };
	start(replies, 2);
	cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	cr_assert_eq(reply.body.len, HTTP_REPLY_MAX);
	expect(HTTP_TOO_LONG, "longer than 65536 bytes");
	http_peer_stop(&peer); /* it may still be at the reply */
}

Test(http_line, a_server_that_is_not_there_is_not_reached)
{
	START(OK);
	http_peer_stop(&peer);
	expect(HTTP_UNREACHED, "127.0.0.1");
}

Test(http_line, a_connection_that_ends_early_is_broken)
{
	START(NULL, "hello\r\n\r\nConnection: close",
	      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}");
	expect(HTTP_BROKEN, "");
	expect(HTTP_BROKEN, "");
	expect(HTTP_BROKEN, "");
	cr_assert_eq(atomic_load(&peer.request_count), 3, "a request was made twice");
}

Test(http_line, the_deadline_ends_it)
{
	START(HTTP_PEER_HANG);
	request.deadline = mono_add_ms(mono_now(), 3000);
	expect(HTTP_LATE, "no answer before the deadline");
}

Test(http_line, who_is_cancelled_stops_waiting)
{
	START(HTTP_PEER_HANG);
	AUTO_CLOSE int cancel = eventfd(1, EFD_CLOEXEC);
	request.cancel_fd = cancel;
	cr_assert_eq(run(), HTTP_CANCELLED);
}

Test(http_line, a_file_that_has_not_the_size_that_was_said_is_not_taken_for_sent)
{
	START(OK);
	request.size = 7;
	expect(HTTP_BODY, "became shorter");
	request.size = 5;
	expect(HTTP_BODY, "became longer");
	request.size = 6;
	cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
	AUTO_CLOSE int directory = open(fixture.dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	request.fd = directory;
	expect(HTTP_BODY, "Is a directory");
}

Test(http_line, want_of_descriptors_is_ours_not_the_servers)
{
	START(OK);
	struct rlimit was;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	struct rlimit none = { .rlim_cur = 3, .rlim_max = was.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	enum http_end end = run();
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	cr_assert_eq(end, HTTP_UNABLE, "%d: %s", (int)end, reply.words);
	cr_assert_eq(reply.code, EMFILE);
	cr_assert_eq(run(), HTTP_ANSWERED, "%s", reply.words);
}
