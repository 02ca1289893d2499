/* control_client: see control_client.h. */
#include "core/app/control_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"

#define ANSWER_MAX ((size_t)1024 * 1024)
/* The first line of an answer that takes long. */
#define WAIT "wait\n"

int control_address(const char *history, struct sockaddr_un *address, int *dir_fd,
		    struct error *err)
{
	*dir_fd = -1;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	size_t size = sizeof address->sun_path;
	int len = snprintf(address->sun_path, size, "%s.sock", history);
	if (len >= 0 && (size_t)len < size)
		return 0;
	const char *slash = strrchr(history, '/');
	AUTO_FREE char *dir =
		slash ? xmemdup(history, (size_t)(slash - history) + 1) : xstrdup(".");
	const char *name = slash ? slash + 1 : history;
	*dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd < 0)
		return error_set(err, errno, "%s: %s", dir, error_text(errno));
	len = snprintf(address->sun_path, size, "/proc/self/fd/%d/%s.sock", *dir_fd, name);
	if (len < 0 || (size_t)len >= size)
		return error_set(err, ENAMETOOLONG,
				 "%s: the name is too long for a control socket beside it",
				 history);
	return 0;
}

/* Without end: the daemon has heard us and says when it is through, or ends, which closes fd. */
static void wait_on(int fd)
{
	const struct timeval without_end = { 0 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &without_end, sizeof without_end);
}

static bool is_to_wait(const struct str *answer)
{
	return answer->len == strlen(WAIT) && memcmp(answer->data, WAIT, answer->len) == 0;
}

static int talk(int fd, const char *request, struct str *answer)
{
	AUTO_STR line = STR_INIT;
	str_printf(&line, "%s\n", request);
	if (send(fd, line.data, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
		return errno ? -errno : -EIO;
	char buffer[4096];
	for (;;) {
		ssize_t got = recv(fd, buffer, sizeof buffer, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		str_append(answer, buffer, (size_t)got);
		if (is_to_wait(answer))
			wait_on(fd);
		if (answer->len > ANSWER_MAX)
			return -E2BIG;
	}
	if (answer->len > 0 && answer->data[answer->len - 1] == '\n')
		answer->data[--answer->len] = '\0';
	return 0;
}

int control_order(const char *history, const char *order, enum control_end *out, struct str *words,
		  struct error *err)
{
	AUTO_STR answer = STR_INIT;
	int result = control_request(history, order, &answer, err);
	if (result < 0)
		return result;
	const char *text = str_text(&answer);
	if (strncmp(text, WAIT, strlen(WAIT)) == 0)
		text += strlen(WAIT);
	size_t len = strcspn(text, "\n");
	for (enum control_end end = CONTROL_OK; end < CONTROL_ENDS; end++) {
		if (strlen(control_end_words[end]) == len &&
		    memcmp(control_end_words[end], text, len) == 0) {
			*out = end;
			str_puts(words, text[len] ? text + len + 1 : "");
			return 0;
		}
	}
	if (*text == '\0' || strcmp(text, "wait") == 0)
		return error_set(err, EPIPE, "the daemon ended, or hung up, before it was through");
	return error_set(err, EPROTO,
			 "the daemon does not know \"%s\": it may be of another version", order);
}

int control_request(const char *history, const char *request, struct str *answer, struct error *err)
{
	struct sockaddr_un address;
	AUTO_CLOSE int dir = -1;
	int result = control_address(history, &address, &dir, err);
	if (result < 0)
		return result;
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, errno, "socket: %s", error_text(errno));
	const struct timeval patience = { .tv_sec = 5 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	const struct sockaddr *to = (const struct sockaddr *)(const void *)&address;
	if (connect(fd, to, sizeof address) < 0) {
		int code = errno;
		if (code == ENOENT || code == ECONNREFUSED)
			return error_set(err, code, "no carved runs on the history %s", history);
		return error_set(err, code, "%s.sock: %s", history, error_text(code));
	}
	result = talk(fd, request, answer);
	if (result < 0)
		return error_set(err, -result, "%s.sock: %s", history, error_text(-result));
	return 0;
}
