/*
 * server: an HTTP server that is asked about files, with the breaker that guards it.
 *
 * What an exchange ended as is sorted here, for all detectors that ask a server. Away (no outcome,
 * no attempt; the file waits): no connection, a certificate that is not accepted, an open breaker,
 * 429 or 503 with Retry-After. Timeout: the deadline passed while the request was under way. Error:
 * everything else that is not status 200 with a body. Connections that fail, deadlines, and 5xx
 * count against the server; any other answer counts for it. Any thread.
 */
#ifndef CARVED_CORE_DETECT_SERVER_H
#define CARVED_CORE_DETECT_SERVER_H

#include <stdbool.h>

#include "core/base/mem.h"

struct answer;
struct config_detector;
struct error;
struct http_request;
struct scan_request;
struct server;
struct str;

/** Reads the row's "ca" and "token_file". path is put behind the row's URL; nothing is sent. */
int server_new(struct server **out, const struct config_detector *row, const char *path,
	       struct error *err);
void server_free(struct server *server);
AUTO_DEFINE(server);

/** "https://HOST:PORT", for people. */
const char *server_place(const struct server *server);

/** True with status 200: body, which is empty, has the response. False: answer says why not. */
bool server_ask(struct server *server, const struct http_request *request, struct str *body,
		struct answer *answer);
/** True while server_ask() would answer "away" at once. */
bool server_away(struct server *server, struct error *why);
/** Appends, as a line, that the token goes to another machine for whoever listens. */
void server_doubts(const struct server *server, struct str *out);
/** Asks whether anything answers there (a HEAD request): 0, or -errno and words. */
int server_probe(struct server *server, struct error *err);

#endif
