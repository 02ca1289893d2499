/*
 * What the tests that speak HTTP share: a peer on the loopback that gives each request the next of
 * some replies, byte for byte, and keeps what it was sent.
 *
 * One connection at a time. A reply of NULL closes the connection without a word, HTTP_PEER_HANG
 * says nothing and leaves it open until the peer is stopped. A reply with "Connection: close" in it
 * closes after it, as does HTTP_PEER_DROP, which does not say so.
 */
#ifndef CARVED_TESTS_UNIT_HTTP_FIXTURE_H
#define CARVED_TESTS_UNIT_HTTP_FIXTURE_H

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"

#define HTTP_PEER_HANG ((const char *)-1)
/* At the beginning of a reply. */
#define HTTP_PEER_DROP "\x01"

struct http_peer {
	int listener;
	unsigned port;
	char url[64]; /* http://127.0.0.1:PORT/scan */
	int stop;     /* eventfd */
	pthread_t thread;
	const char *const *replies;
	size_t reply_count;
	/* the thread's until it has ended */
	struct str requests; /* all of them, one after the other */
	atomic_size_t request_count;
	atomic_size_t connection_count;
};

/* A reply with a body. */
static inline char *http_peer_reply(const char *status, const char *headers, const char *body)
{
	AUTO_STR reply = STR_INIT;
	str_printf(&reply, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
		   strlen(body), body);
	return str_take(&reply);
}

/* Waits until fd can be read; false: the peer is to stop. */
static inline bool http_peer_wait(const struct http_peer *peer, int fd)
{
	struct pollfd fds[] = { { .fd = peer->stop, .events = POLLIN },
				{ .fd = fd, .events = POLLIN } };
	while (poll(fds, 2, -1) < 0)
		;
	return !fds[0].revents;
}

/* Reads one request; false: the connection or the peer has ended. */
static inline bool http_peer_read(struct http_peer *peer, int fd)
{
	AUTO_STR request = STR_INIT;
	size_t want = 0;
	while (want == 0 || request.len < want) {
		char chunk[4096];
		if (!http_peer_wait(peer, fd))
			return false;
		ssize_t got = recv(fd, chunk, want ? sizeof chunk : 1, 0);
		if (got <= 0)
			break;
		str_append(&request, chunk, (size_t)got);
		if (want == 0 && request.len >= 4 &&
		    strcmp(request.data + request.len - 4, "\r\n\r\n") == 0) {
			const char *length = strstr(request.data, "Content-Length: ");
			want = request.len + (length ? strtoul(length + 16, NULL, 10) : 0);
		}
	}
	str_append(&peer->requests, str_text(&request), request.len);
	return want && request.len >= want;
}

/* False: the connection is over. */
static inline bool http_peer_say(struct http_peer *peer, int fd)
{
	size_t at = atomic_fetch_add(&peer->request_count, 1);
	const char *reply = peer->replies[at < peer->reply_count ? at : peer->reply_count - 1];
	if (reply == HTTP_PEER_HANG) {
		(void)http_peer_wait(peer, -1);
		return false;
	}
	if (!reply)
		return false;
	bool drop = reply[0] == HTTP_PEER_DROP[0];
	(void)send(fd, reply + drop, strlen(reply + drop), MSG_NOSIGNAL);
	return !drop && !strstr(reply, "Connection: close");
}

static inline void *http_peer_run(void *context)
{
	struct http_peer *peer = context;
	while (http_peer_wait(peer, peer->listener)) {
		int fd = accept(peer->listener, NULL, NULL);
		assert(fd >= 0);
		atomic_fetch_add(&peer->connection_count, 1);
		while (http_peer_read(peer, fd) && http_peer_say(peer, fd))
			;
		(void)close(fd);
	}
	return NULL;
}

/* The last reply is given to all further requests. Borrows the replies. */
static inline void http_peer_start(struct http_peer *peer, const char *const *replies, size_t count)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	*peer = (struct http_peer){ .replies = replies, .reply_count = count };
	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	peer->stop = eventfd(0, EFD_CLOEXEC);
	assert(peer->listener >= 0 && peer->stop >= 0);
	assert(bind(peer->listener, (struct sockaddr *)&address, len) == 0);
	assert(listen(peer->listener, 16) == 0);
	assert(getsockname(peer->listener, (struct sockaddr *)&address, &len) == 0);
	peer->port = ntohs(address.sin_port);
	(void)snprintf(peer->url, sizeof peer->url, "http://127.0.0.1:%u/scan", peer->port);
	assert(pthread_create(&peer->thread, NULL, http_peer_run, peer) == 0);
}

/* Ends the thread; what it was sent may be read until http_peer_done(). */
static inline void http_peer_stop(struct http_peer *peer)
{
	if (peer->stop < 0)
		return;
	assert(eventfd_write(peer->stop, 1) == 0);
	assert(pthread_join(peer->thread, NULL) == 0);
	(void)close(peer->listener);
	(void)close(peer->stop);
	peer->stop = -1;
}

static inline void http_peer_done(struct http_peer *peer)
{
	http_peer_stop(peer);
	str_done(&peer->requests);
}

#endif
