/*
 * clamd_session: see clamd_session.h.
 *
 * While a file is sent, clamd may answer already (StreamMaxLength) and close; so whatever can be
 * read is read before more is written, and a connection that takes no more is still asked for an
 * answer.
 */
#include "core/detect/clamd_session.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/detect/clamd_peer.h"
#include "core/detect/clamd_reply.h"

#define CHUNK_SIZE 65536

/* Commands end with their NUL: the prefix z of clamd(8). */
static const char begin[] = "zIDSESSION";
static const char version[] = "zVERSION";
static const char fildes[] = "zFILDES";
static const char instream[] = "zINSTREAM";

struct clamd_session {
	int fd;
	bool local; /* a unix socket */
	bool spent;
	unsigned asked; /* the number of the last question */
	struct str in;	/* what was heard of its reply */
};

/* How sending went; negative: see enum clamd_end. */
enum sent {
	SENT,
	SENT_EARLY, /* not all of it, there may be an answer */
	SENT_NOT    /* the end is set */
};

struct exchange {
	struct clamd_session *session;
	const struct clamd_question *question;
	enum clamd_end end;
	struct error *err;
};

static enum sent give_up(struct exchange *exchange, enum clamd_end end, const char *words, int code)
{
	exchange->end = end;
	(void)error_set(exchange->err, code ? code : EPROTO, "%s%s%s", words, code ? ": " : "",
			code ? error_text(code) : "");
	return SENT_NOT;
}

/* Waits for the events; false: the end is set. */
static bool wait_for(struct exchange *exchange, short events, short *got)
{
	const struct clamd_question *question = exchange->question;
	struct pollfd wait[2] = { { .fd = exchange->session->fd, .events = events },
				  { .fd = question->cancel_fd, .events = POLLIN } };
	int count;
	do
		count = poll(wait, 2, mono_ms_until(question->deadline));
	while (count < 0 && errno == EINTR);
	if (count < 0)
		(void)give_up(exchange, CLAMD_LOST, "poll", errno);
	else if (wait[1].revents)
		(void)give_up(exchange, CLAMD_CANCELLED, "given up", 0);
	else if (count == 0)
		(void)give_up(exchange, CLAMD_TIMEOUT, "no answer from clamd until the deadline",
			      0);
	*got = wait[0].revents;
	return count > 0 && !wait[1].revents;
}

/* Sends a message whole, its control data with the first byte. */
static enum sent send_whole(struct exchange *exchange, struct msghdr *message)
{
	struct iovec *part = message->msg_iov;
	while (part->iov_len > 0) {
		ssize_t done = sendmsg(exchange->session->fd, message, MSG_NOSIGNAL);
		if (done >= 0) {
			part->iov_base = (char *)part->iov_base + done;
			part->iov_len -= (size_t)done;
			message->msg_controllen = 0;
			continue;
		}
		short got = 0;
		if (errno == EPIPE || errno == ECONNRESET)
			return SENT_EARLY;
		if (errno != EAGAIN && errno != EINTR)
			return give_up(exchange, CLAMD_LOST, "cannot send to clamd", errno);
		if (!wait_for(exchange, POLLIN | POLLOUT, &got))
			return SENT_NOT;
		if (got & POLLIN)
			return SENT_EARLY;
	}
	return SENT;
}

static enum sent send_bytes(struct exchange *exchange, const void *bytes, size_t len)
{
	struct iovec part = { .iov_len = len };
	memcpy(&part.iov_base, &bytes, sizeof bytes); /* sendmsg(2) only reads it */
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	return send_whole(exchange, &message);
}

/* The descriptor goes with a byte of its own. */
static enum sent send_descriptor(struct exchange *exchange)
{
	char byte = 0;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };

	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };

	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof control.room };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &exchange->question->fd, sizeof(int));
	return send_whole(exchange, &message);
}

/* The next chunk of the file behind its length; of length 0, which ends the stream, at its end. */
static enum sent send_chunk(struct exchange *exchange, char *buffer, int64_t at, size_t *out_len)
{
	const struct clamd_question *question = exchange->question;
	int64_t left = question->size - at;
	size_t want = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
	ssize_t got;
	do
		got = pread(question->fd, buffer + sizeof(uint32_t), want, at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return give_up(exchange, CLAMD_UNREADABLE, "cannot read the file", errno);
	uint32_t length = htonl((uint32_t)got);
	memcpy(buffer, &length, sizeof length);
	*out_len = (size_t)got;
	return send_bytes(exchange, buffer, sizeof length + (size_t)got);
}

/* Its first size bytes; a file that shrank meanwhile ends earlier. */
static enum sent send_content(struct exchange *exchange)
{
	AUTO_FREE char *buffer = xcalloc(1, sizeof(uint32_t) + CHUNK_SIZE);
	size_t len = 1;
	enum sent sent = SENT;
	for (int64_t at = 0; len > 0 && sent == SENT; at += (int64_t)len) {
		if (mono_passed(exchange->question->deadline))
			return give_up(exchange, CLAMD_TIMEOUT, "not all sent until the deadline",
				       0);
		sent = send_chunk(exchange, buffer, at, &len);
	}
	return sent;
}

static enum sent send_question(struct exchange *exchange)
{
	if (exchange->question->fd < 0)
		return send_bytes(exchange, version, sizeof version);
	if (exchange->session->local) {
		enum sent sent = send_bytes(exchange, fildes, sizeof fildes);
		return sent == SENT ? send_descriptor(exchange) : sent;
	}
	enum sent sent = send_bytes(exchange, instream, sizeof instream);
	return sent == SENT ? send_content(exchange) : sent;
}

/* Reads what there is; false: the end is set. */
static bool hear(struct exchange *exchange)
{
	struct str *in = &exchange->session->in;
	char chunk[512];
	short got = 0;
	if (!wait_for(exchange, POLLIN, &got))
		return false;
	ssize_t len = recv(exchange->session->fd, chunk, sizeof chunk, 0);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (len < 0)
		(void)give_up(exchange, CLAMD_LOST, "the connection to clamd broke", errno);
	else if (len == 0)
		(void)give_up(exchange, CLAMD_LOST, "clamd closed the connection without an answer",
			      0);
	else if (in->len + (size_t)len > CLAMD_REPLY_MAX)
		(void)give_up(exchange, CLAMD_LOST, "an answer longer than any of clamd's", 0);
	else
		str_append(in, chunk, (size_t)len);
	return len > 0 && in->len <= CLAMD_REPLY_MAX && exchange->end == CLAMD_ANSWERED;
}

/* clamd writes some answers in two pieces. Its kernel keeps the second (Nagle's algorithm) until
 * ours has acknowledged the first, with which that would wait 40 ms for something to send
 * (tcp(7)). */
static void acknowledge(int fd)
{
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static void take_reply(struct exchange *exchange, struct str *words)
{
	struct clamd_session *session = exchange->session;
	struct str *in = &session->in;
	while (!in->len || !memchr(in->data, '\0', in->len)) {
		if (in->len && !session->local)
			acknowledge(session->fd);
		if (!hear(exchange))
			return;
	}
	const char *said = clamd_reply_words(in->data, session->asked);
	if (!said || strlen(in->data) + 1 != in->len) {
		AUTO_STR shown = STR_INIT;
		str_printf(&shown, "not an answer to question %u of the session: %.200s",
			   session->asked, in->data);
		(void)give_up(exchange, CLAMD_LOST, str_text(&shown), 0);
		return;
	}
	str_puts(words, said);
}

enum clamd_end clamd_session_ask(struct clamd_session *session,
				 const struct clamd_question *question, struct str *words,
				 struct error *err)
{
	struct exchange exchange = {
		.session = session, .question = question, .end = CLAMD_ANSWERED, .err = err
	};
	str_reset(words);
	str_reset(&session->in);
	session->asked++;
	enum sent sent = send_question(&exchange);
	if (sent != SENT_NOT)
		take_reply(&exchange, words);
	session->spent = session->spent || sent != SENT || exchange.end != CLAMD_ANSWERED;
	return exchange.end;
}

bool clamd_session_unheard(const struct clamd_session *session)
{
	return session->in.len == 0;
}

bool clamd_session_usable(const struct clamd_session *session)
{
	struct pollfd wait = { .fd = session->fd, .events = POLLIN };
	return !session->spent && poll(&wait, 1, 0) == 0;
}

int clamd_session_open(struct clamd_session **out, const struct clamd_peer *peer,
		       struct mono deadline, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	int result = clamd_peer_connect(peer, deadline, &fd, err);
	if (result < 0)
		return result;
	/* the buffer is empty: it fits */
	if (send(fd, begin, sizeof begin, MSG_NOSIGNAL) != (ssize_t)sizeof begin)
		return error_set(err, errno ? errno : EPROTO, "cannot begin a session: %s",
				 error_text(errno));
	struct clamd_session *session = xcalloc(1, sizeof *session);
	session->fd = fd;
	session->local = peer->path != NULL;
	fd = -1;
	*out = session;
	return 0;
}

void clamd_session_free(struct clamd_session *session)
{
	if (!session)
		return;
	fd_close(session->fd);
	str_done(&session->in);
	free(session);
}
