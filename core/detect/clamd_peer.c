/* clamd_peer: see clamd_peer.h. */
#include "core/detect/clamd_peer.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"

#define SCHEME "tcp://"

static int refuse(const char *text, struct error *err)
{
	return error_set(err, EINVAL,
			 "socket: expected the path of a socket, tcp://HOST:PORT or HOST:PORT "
			 "(IPv6: [ADDRESS]:PORT), found \"%.200s\"",
			 text);
}

static bool is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	return len > 0 && len <= 5 && !text[len] && strtoul(text, NULL, 10) - 1 < 65535;
}

static int read_path(struct clamd_peer *out, const char *path, struct error *err)
{
	struct sockaddr_un address;
	if (strlen(path) >= sizeof address.sun_path)
		return error_set(err, EINVAL,
				 "socket: the path has %zu bytes, a socket's has at most %zu",
				 strlen(path), sizeof address.sun_path - 1);
	*out = (struct clamd_peer){ .path = xstrdup(path) };
	return 0;
}

int clamd_peer_read(struct clamd_peer *out, const char *text, struct error *err)
{
	if (*text == '/')
		return read_path(out, text, err);
	const char *host = text;
	if (strncmp(text, SCHEME, sizeof SCHEME - 1) == 0)
		host += sizeof SCHEME - 1;
	const char *colon = strrchr(host, ':');
	if (!colon || colon == host || !is_port(colon + 1) || strpbrk(host, "/ \t"))
		return refuse(text, err);
	size_t len = (size_t)(colon - host);
	if (*host == '[' && len > 2 && host[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(host, ':', len) || memchr(host, '[', len)) {
		return refuse(text, err);
	}
	*out = (struct clamd_peer){ .host = xmemdup(host, len), .port = xstrdup(colon + 1) };
	return 0;
}

void clamd_peer_done(struct clamd_peer *peer)
{
	free(peer->path);
	free(peer->host);
	free(peer->port);
	*peer = (struct clamd_peer){ 0 };
}

static int new_socket(int family, int *out, struct error *err)
{
	*out = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *out < 0 ? error_set(err, errno, "cannot make a socket: %s", error_text(errno)) : 0;
}

static int path_failed(const char *path, int code, struct error *err)
{
	const char *hint = "is clamd running?";
	if (code == ENOENT)
		hint = "is clamd running, and is this its LocalSocket in clamd.conf?";
	else if (code == EACCES)
		hint = "let carved's user into the socket's group (LocalSocketGroup and "
		       "LocalSocketMode in clamd.conf), and through the directories above it";
	else if (code == EAGAIN)
		hint = "its queue of connections is full (MaxConnectionQueueLength in clamd.conf)";
	return error_set(err, code, "cannot connect to %s: %s: %s", path, error_text(code), hint);
}

/* connect(2) to a unix socket waits for a place in the listener's queue, for SO_SNDTIMEO at most,
 * and says EAGAIN then; poll(2) cannot wait for that. */
static int connect_path(const char *path, struct mono deadline, int *out, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path, path, strlen(path));
	AUTO_CLOSE int fd = -1;
	int result = new_socket(AF_UNIX, &fd, err);
	if (result < 0)
		return result;
	int left_ms = mono_ms_until(deadline);
	struct timeval limit = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000L };
	if (left_ms == 0)
		limit.tv_usec = 1; /* 0: for ever */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
	    fcntl(fd, F_SETFL, 0) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return path_failed(path, errno, err);
	*out = fd;
	fd = -1;
	return 0;
}

/* 0, or the errno of not getting there. */
static int finish_connect(int fd, struct mono deadline)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int got;
	do
		got = poll(&wait, 1, mono_ms_until(deadline));
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 ? errno : ETIMEDOUT;
	int code = 0;
	socklen_t size = sizeof code;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? errno : code;
}

static int connect_address(const struct clamd_peer *peer, const struct addrinfo *address,
			   struct mono deadline, int *out, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	int result = new_socket(address->ai_family, &fd, err);
	if (result < 0)
		return result;
	int code = 0;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		code = errno == EINPROGRESS ? finish_connect(fd, deadline) : errno;
	if (code)
		return error_set(err, code,
				 "cannot connect to %s port %s: %s: is clamd running, with "
				 "TCPSocket and TCPAddr in clamd.conf?",
				 peer->host, peer->port, error_text(code));
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	*out = fd;
	fd = -1;
	return 0;
}

static int connect_host(const struct clamd_peer *peer, struct mono deadline, int *out,
			struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	int code = getaddrinfo(peer->host, peer->port, &hints, &found);
	if (code != 0)
		return error_set(err, code == EAI_SYSTEM ? errno : EHOSTUNREACH,
				 "no address for the host %s: %s", peer->host, gai_strerror(code));
	int result = -EHOSTUNREACH;
	for (const struct addrinfo *at = found; at && result < 0; at = at->ai_next)
		result = connect_address(peer, at, deadline, out, err);
	freeaddrinfo(found);
	return result;
}

int clamd_peer_connect(const struct clamd_peer *peer, struct mono deadline, int *out,
		       struct error *err)
{
	if (peer->path)
		return connect_path(peer->path, deadline, out, err);
	return connect_host(peer, deadline, out, err);
}
