/*
 * http_line: one connection of libcurl's, and one exchange after the other on it; see http.h. One
 * thread at a time.
 */
#ifndef CARVED_CORE_DETECT_HTTP_LINE_H
#define CARVED_CORE_DETECT_HTTP_LINE_H

#include <curl/curl.h>

#include "core/base/mem.h"
#include "core/detect/http.h"

struct http_line {
	struct http_line *next; /* among those at rest */
	CURLM *multi;		/* holds the connection */
	char fault[CURL_ERROR_SIZE];
	struct curl_slist *headers;

	/* of the exchange under way */
	CURL *easy;
	const struct http_request *request; /* NULL: none */
	struct http_reply *reply;
	int64_t sent;	 /* bytes of the body */
	int socket_code; /* errno when we could not make a socket */
};

/* What every exchange of a client says. */
struct http_line_setup {
	const char *url;
	const struct str *ca;
	const char *authorization; /* a header; NULL: none */
};

/** Only after curl_api_load(). */
struct http_line *http_line_new(void);
void http_line_free(struct http_line *line);
AUTO_DEFINE(http_line);

/** See http_exchange(). */
void http_line_run(struct http_line *line, const struct http_line_setup *setup,
		   const struct http_request *request, struct http_reply *reply);

#endif
