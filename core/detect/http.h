/*
 * http: one request to one HTTP server, and its whole answer, by a deadline.
 *
 * A client is one URL and what it takes to speak with whoever serves it. Connections are kept and
 * used again: each exchange takes a line (a connection of libcurl's) and puts it back,
 * so there are as many as there were exchanges at once. Redirects are not followed, proxies,
 * cookies, netrc and other protocols than HTTP and HTTPS not used, compression not offered,
 * certificates always checked. A file is sent as it is read, never held in memory; a response
 * beyond HTTP_REPLY_MAX is an end of its own. Any thread may use a client at once with others.
 */
#ifndef CARVED_CORE_DETECT_HTTP_H
#define CARVED_CORE_DETECT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/str.h"

struct error;
struct http_client;

/* Bytes of a response's body. */
#define HTTP_REPLY_MAX 65536
/* How long a connection (name, TCP, TLS) may take, when the deadline is not earlier. */
#define HTTP_CONNECT_MS 5000

struct http_setup {
	const char *url;
	const struct str *ca; /* PEM certificates that may sign the server's; empty: the system's */
	const char *token;    /* sent as "Authorization: Bearer ..."; NULL: none */
};

/* Borrowed for the call. */
struct http_request {
	const char *const *headers; /* "Name: value" in ASCII without control characters,
				       NULL-terminated; NULL: none */
	bool head;		    /* HEAD, without a body; else POST */
	int fd;			    /* the body: size bytes of this file from offset 0, by pread */
	int64_t size;
	const char *text; /* the body instead of a file; NULL: the file's */
	struct mono deadline;
	int cancel_fd; /* becomes readable when it is to be given up; -1: none */
};

enum http_end {
	HTTP_ANSWERED,	/* with the status and body in the reply */
	HTTP_TOO_LONG,	/* a status, and a longer body than is read */
	HTTP_UNREACHED, /* no connection: nothing was sent */
	HTTP_BROKEN,	/* the connection ended, or what came was no HTTP */
	HTTP_LATE,	/* the deadline passed while the request was under way */
	HTTP_BODY,	/* the file could not be read, or had not the size that was said */
	HTTP_CANCELLED,
	HTTP_UNABLE, /* we lacked descriptors or memory: code */
};

struct http_reply {
	enum http_end end;
	long status;
	int64_t retry_after_s; /* what the server asked for; 0: nothing */
	int code;	       /* HTTP_UNABLE: errno */
	struct str body;
	char words[256]; /* what went wrong, when it did not end as HTTP_ANSWERED */
};

void http_reply_done(struct http_reply *reply);

static inline void http_reply_cleanup(struct http_reply *reply)
{
	http_reply_done(reply);
}

/** -EINVAL and words for a URL that is none, or certificates that cannot be read. Nothing is sent.
 */
int http_client_new(struct http_client **out, const struct http_setup *setup, struct error *err);
/** No exchange may be under way. */
void http_client_free(struct http_client *client);
AUTO_DEFINE(http_client);

/** "https://HOST:PORT" for people: the URL without what may be secret in it. */
const char *http_client_place(const struct http_client *client);
/** How many bytes of any URL may be shown, as above. */
size_t http_url_shown(const char *url);

/** Fills reply, which the caller zeroes and releases by http_reply_done(). Blocks until the
 * deadline. */
void http_exchange(struct http_client *client, const struct http_request *request,
		   struct http_reply *reply);

#endif
