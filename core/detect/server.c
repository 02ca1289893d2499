/* server: see server.h. */
#include "core/detect/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/breaker.h"
#include "core/detect/credentials.h"
#include "core/detect/detect.h"
#include "core/detect/http.h"

#define PLAIN		       "http://"
#define STATUS_OK	       200
#define STATUS_UNAUTHORIZED    401
#define STATUS_FORBIDDEN       403
#define STATUS_TOO_MANY	       429
#define STATUS_SERVER_ERROR    500
#define STATUS_BAD_GATEWAY     502
#define STATUS_GATEWAY_TIMEOUT 504
#define STATUS_UNAVAILABLE     503

struct server {
	struct http_client *client;
	struct breaker breaker;
	bool exposed; /* a token goes over the network as it is */
};

/* Does the URL, which is http, lead to this machine? */
static bool stays_here(const char *url)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = url + strlen(PLAIN);
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		size_t len = strlen(hosts[i]);
		if (strncmp(host, hosts[i], len) == 0 && (!host[len] || strchr(":/?", host[len])))
			return true;
	}
	return false;
}

int server_new(struct server **out, const struct config_detector *row, const char *path,
	       struct error *err)
{
	__attribute__((cleanup(credentials_cleanup))) struct credentials credentials = { 0 };
	AUTO_STR url = STR_INIT;
	int result = credentials_load(&credentials, row->ca, row->token_file, err);
	if (result < 0)
		return result;
	size_t len = strlen(row->url);
	while (*path && len > 0 && row->url[len - 1] == '/')
		len--;
	str_append(&url, row->url, len);
	str_puts(&url, path);
	const struct http_setup setup = {
		.url = str_text(&url),
		.ca = &credentials.ca,
		.token = credentials.token,
	};
	struct http_client *client = NULL;
	result = http_client_new(&client, &setup, err);
	if (result < 0)
		return result;
	struct server *server = xcalloc(1, sizeof *server);
	server->client = client;
	server->exposed = credentials.token && strncmp(row->url, PLAIN, strlen(PLAIN)) == 0 &&
			  !stays_here(row->url);
	breaker_init(&server->breaker);
	*out = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	http_client_free(server->client);
	breaker_done(&server->breaker);
	free(server);
}

const char *server_place(const struct server *server)
{
	return http_client_place(server->client);
}

/* The server wants us to come back later. */
static bool wants_pause(const struct http_reply *reply)
{
	return reply->end == HTTP_ANSWERED && reply->retry_after_s > 0 &&
	       (reply->status == STATUS_TOO_MANY || reply->status == STATUS_UNAVAILABLE);
}

static int64_t pause_ms(const struct http_reply *reply)
{
	int64_t max_s = BREAKER_HOLD_MAX_MS / 1000;
	return 1000 * (reply->retry_after_s < max_s ? reply->retry_after_s : max_s);
}

static void describe(char *out, size_t size, const struct server *server,
		     const struct http_reply *reply)
{
	if (reply->end == HTTP_ANSWERED)
		(void)snprintf(out, size, "%s: HTTP status %ld", server_place(server),
			       reply->status);
	else
		(void)snprintf(out, size, "%s: %s", server_place(server), reply->words);
}

/* 502, 503 and 504 are of a server, or of one behind it, that cannot (RFC 9110, 15.6). Any other
 * status, 500 too, is an answer about this file, from a server that is there: a few files that it
 * fails on must not keep all others from it. */
static bool speaks_for_the_server(long status)
{
	return status >= STATUS_BAD_GATEWAY && status <= STATUS_GATEWAY_TIMEOUT;
}

static void tell_breaker(struct server *server, unsigned number, const struct http_reply *reply,
			 const char *words)
{
	struct breaker *breaker = &server->breaker;
	switch (reply->end) {
	case HTTP_ANSWERED:
		if (wants_pause(reply))
			breaker_hold(breaker, mono_now(), pause_ms(reply), words);
		else if (speaks_for_the_server(reply->status))
			breaker_ill(breaker, number, mono_now(), words);
		else
			breaker_well(breaker);
		break;
	case HTTP_TOO_LONG:
		breaker_well(breaker);
		break;
	case HTTP_UNREACHED:
	case HTTP_BROKEN:
	case HTTP_LATE:
		breaker_ill(breaker, number, mono_now(), words);
		break;
	case HTTP_BODY:
	case HTTP_CANCELLED:
	case HTTP_UNABLE:
		breaker_unsaid(breaker, number);
		break;
	}
}

/* True when the reply is one to be read. */
static bool sort(const struct http_reply *reply, const char *words, struct answer *answer)
{
	switch (reply->end) {
	case HTTP_ANSWERED:
		if (reply->status == STATUS_OK)
			return true;
		if (wants_pause(reply))
			answer_away(answer, words);
		else
			answer_fail(answer, OUTCOME_ERROR, "%s", words);
		break;
	case HTTP_UNREACHED:
		answer_away(answer, words);
		break;
	case HTTP_LATE:
		answer_fail(answer, OUTCOME_TIMEOUT, "%s", words);
		break;
	case HTTP_TOO_LONG:
	case HTTP_BROKEN:
	case HTTP_BODY:
		answer_fail(answer, OUTCOME_ERROR, "%s", words);
		break;
	case HTTP_CANCELLED:
		answer->cancelled = true;
		answer->outcome = OUTCOMES;
		break;
	case HTTP_UNABLE:
		answer_not_run(answer, reply->code, words);
		break;
	}
	return false;
}

bool server_ask(struct server *server, const struct http_request *request, struct str *body,
		struct answer *answer)
{
	__attribute__((cleanup(http_reply_cleanup))) struct http_reply reply = { 0 };
	struct error why = { 0 };
	char words[384];
	unsigned number = breaker_pass(&server->breaker, mono_now(), &why);
	if (!number) {
		answer_away(answer, why.text);
		return false;
	}
	http_exchange(server->client, request, &reply);
	describe(words, sizeof words, server, &reply);
	tell_breaker(server, number, &reply, words);
	if (!sort(&reply, words, answer))
		return false;
	*body = reply.body;
	reply.body = (struct str)STR_INIT;
	return true;
}

bool server_away(struct server *server, struct error *why)
{
	return breaker_refuses(&server->breaker, mono_now(), why);
}

void server_doubts(const struct server *server, struct str *out)
{
	if (server->exposed)
		str_printf(out, "the token goes to %s unencrypted: use https://\n",
			   server_place(server));
}

int server_probe(struct server *server, struct error *err)
{
	__attribute__((cleanup(http_reply_cleanup))) struct http_reply reply = { 0 };
	const struct http_request request = {
		.head = true,
		.fd = -1,
		.deadline = mono_add_ms(mono_now(), HTTP_CONNECT_MS),
		.cancel_fd = -1,
	};
	char words[384];
	http_exchange(server->client, &request, &reply);
	describe(words, sizeof words, server, &reply);
	if (reply.end != HTTP_ANSWERED)
		return error_set(err, EHOSTDOWN, "%s", words);
	if (reply.status == STATUS_UNAUTHORIZED || reply.status == STATUS_FORBIDDEN)
		return error_set(err, EACCES, "%s: it does not know us: see token_file", words);
	if (reply.status >= STATUS_SERVER_ERROR && reply.status != 501)
		return error_set(err, EIO, "%s", words);
	return 0;
}
