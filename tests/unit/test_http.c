/* http: what a client is made of, and how many use it at once. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/http.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

TestSuite(http, .timeout = 240);

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static struct http_client *client_of(const char *url)
{
	const struct http_setup setup = { .url = url, .token = "t0ken" };
	struct http_client *client = NULL;
	struct error err = { 0 };
	cr_assert_eq(http_client_new(&client, &setup, &err), 0, "%s", err.text);
	return client;
}

Test(http, the_place_leaves_out_what_may_be_secret)
{
	AUTO(http_client) struct http_client *plain = client_of("http://scan.example/v1?key=k");
	cr_assert_str_eq(http_client_place(plain), "http://scan.example:80");
	AUTO(http_client) struct http_client *other = client_of("https://[::1]:8443/secret");
	cr_assert_str_eq(http_client_place(other), "https://[::1]:8443");
}

Test(http, what_is_no_url_is_refused)
{
	static const char *const urls[] = { "ftp://host/",	  "file:///etc/passwd", "http://",
					    "http://me:pw@host/", "http://host:99999/", "" };
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const struct http_setup setup = { .url = urls[i] };
		struct http_client *client = NULL;
		struct error err = { 0 };
		cr_expect_eq(http_client_new(&client, &setup, &err), -EINVAL, "%s", urls[i]);
		cr_expect(err.text[0]);
	}
}

Test(http, what_is_no_certificate_is_refused)
{
	AUTO_STR ca = STR_INIT;
	str_puts(&ca, "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
	const struct http_setup setup = { .url = "https://host/", .ca = &ca };
	struct http_client *client = NULL;
	struct error err = { 0 };
	cr_assert_eq(http_client_new(&client, &setup, &err), -EINVAL);
	cr_assert(strstr(err.text, "no certificate"), "%s", err.text);
}

static void *ask(void *client)
{
	const struct http_request request = { .text = "x",
					      .deadline =
						      mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS),
					      .fd = -1,
					      .cancel_fd = -1 };
	size_t answered = 0;
	for (int i = 0; i < 20; i++) {
		struct http_reply reply = { 0 };
		http_exchange(client, &request, &reply);
		answered += reply.end == HTTP_ANSWERED && reply.status == 200;
		http_reply_done(&reply);
	}
	return (void *)answered;
}

Test(http, many_threads_share_a_client)
{
	static const char *const replies[] = { HTTP_PEER_DROP OK };
	struct http_peer peer;
	http_peer_start(&peer, replies, 1);
	AUTO(http_client) struct http_client *client = client_of(peer.url);
	pthread_t threads[4];
	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, ask, client), 0);
	for (size_t i = 0; i < 4; i++) {
		void *answered;
		cr_assert_eq(pthread_join(threads[i], &answered), 0);
		cr_assert_eq((size_t)answered, 20);
	}
	http_peer_done(&peer);
}

Test(http, a_line_at_rest_is_taken_again)
{
	static const char *const replies[] = { OK };
	struct http_peer peer;
	http_peer_start(&peer, replies, 1);
	AUTO(http_client) struct http_client *client = client_of(peer.url);
	cr_assert_eq((size_t)ask(client), 20);
	cr_assert_eq(atomic_load(&peer.connection_count), 1);
	http_peer_done(&peer);
}
