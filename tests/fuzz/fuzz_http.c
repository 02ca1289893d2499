/*
 * What a server answers on the loopback: whatever it is, the exchange ends, and only a whole answer
 * with status 200 is one.
 *
 * A thread of the target accepts, reads the request, writes the input and closes.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <pthread.h>

#include "core/base/error.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/http.h"
#include "core/detect/report.h"
#include "tests/fuzz/fuzz.h"

#define CONTENT "content of a file"

static int listener = -1;
static struct http_client *client;
static const char *reply_bytes;
static size_t reply_len;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of these two */

/* A copy: the exchange may end before all of it was sent. */
static void send_all(int fd)
{
	size_t at = 0;
	(void)pthread_mutex_lock(&lock);
	size_t len = reply_len;
	char *bytes = input_exact(reply_bytes, len);
	(void)pthread_mutex_unlock(&lock);
	while (at < len) {
		ssize_t sent = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	free(bytes);
}

static void *serve(void *unused)
{
	(void)unused;
	for (;;) {
		char request[4096];
		size_t len = 0;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		must(fd >= 0);
		while (len < sizeof request && !memmem(request, len, CONTENT, strlen(CONTENT))) {
			ssize_t got = recv(fd, request + len, sizeof request - len, 0);
			if (got <= 0)
				break;
			len += (size_t)got;
		}
		send_all(fd);
		(void)shutdown(fd, SHUT_WR);
		while (recv(fd, request, sizeof request, 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static void begin(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	struct error err = { 0 };
	struct str ca = STR_INIT;
	pthread_t thread;
	char url[64];
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
	must(listen(listener, 8) == 0);
	must(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/scan", ntohs(address.sin_port));
	const struct http_setup setup = { .url = url, .ca = &ca };
	must(http_client_new(&client, &setup, &err) == 0);
	must(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void check_report(const struct http_reply *reply)
{
	struct report report = REPORT_INIT;
	struct answer answer = { 0 };
	report_read_one(&report, str_text(&reply->body), reply->body.len);
	answer_from_report(&answer, &report, "peer");
	must(answer.outcome != OUTCOME_CLEAN || memmem(reply_bytes, reply_len, "clean", 5) ||
	     memmem(reply_bytes, reply_len, "\\u", 2) ||
	     memmem(reply_bytes, reply_len, "chunked", 7));
	answer_done(&answer);
	report_done(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (listener < 0)
		begin();
	(void)pthread_mutex_lock(&lock);
	reply_bytes = (const char *)data;
	reply_len = size;
	(void)pthread_mutex_unlock(&lock);
	struct http_reply reply = { 0 };
	const struct http_request request = {
		.fd = -1,
		.text = CONTENT,
		.deadline = mono_add_ms(mono_now(), 30000),
		.cancel_fd = -1,
	};
	http_exchange(client, &request, &reply);
	must(reply.end != HTTP_LATE && reply.end != HTTP_CANCELLED && reply.end != HTTP_BODY);
	must(reply.end == HTTP_ANSWERED || has_words(reply.words));
	must(reply.body.len <= HTTP_REPLY_MAX && reply.retry_after_s >= 0);
	if (reply.end == HTTP_ANSWERED) {
		must(size > 0 && reply.status >= 100 && reply.status <= 999);
		check_report(&reply);
	}
	http_reply_done(&reply);
	(void)pthread_mutex_lock(&lock);
	reply_len = 0;
	(void)pthread_mutex_unlock(&lock);
	return 0;
}
