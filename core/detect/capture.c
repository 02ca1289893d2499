/* capture: see capture.h. */
#include "core/detect/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"

#define CHUNK 16384

int capture_open(struct capture *capture, int *out_write)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* the two ends are two open file descriptions: the child's stays blocking */
	int result = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	int high = fcntl(ends[1], F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
	if (high < 0)
		result = -errno;
	fd_close(ends[1]);
	if (result < 0) {
		if (high >= 0)
			fd_close(high);
		fd_close(ends[0]);
		return result;
	}
	capture->fd = ends[0];
	*out_write = high;
	return 0;
}

static void head_add(struct head *head, const char *bytes, size_t len)
{
	size_t room = head->limit - head->kept.len;
	size_t keep = len < room ? len : room;
	str_append(&head->kept, bytes, keep);
	head->dropped += len - keep;
}

static void tail_add(struct tail *tail, const char *bytes, size_t len)
{
	size_t skip = len > CAPTURE_TAIL ? len - CAPTURE_TAIL : 0;
	tail->total += skip;
	for (size_t i = skip; i < len; i++)
		tail->ring[tail->total++ % CAPTURE_TAIL] = bytes[i];
}

void capture_drain(struct capture *capture, size_t budget)
{
	char chunk[CHUNK];
	while (capture->fd >= 0 && budget > 0) {
		ssize_t got = read(capture->fd, chunk, budget < CHUNK ? budget : CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			capture_close(capture);
			return;
		}
		head_add(capture->head, chunk, (size_t)got);
		if (capture->tail)
			tail_add(capture->tail, chunk, (size_t)got);
		budget -= (size_t)got;
	}
}

void capture_close(struct capture *capture)
{
	if (capture->fd >= 0)
		fd_close(capture->fd);
	capture->fd = -1;
}

void tail_append(const struct tail *tail, struct str *out)
{
	size_t len = tail->total < CAPTURE_TAIL ? (size_t)tail->total : CAPTURE_TAIL;
	for (uint64_t at = tail->total - len; at < tail->total; at++)
		str_putc(out, tail->ring[at % CAPTURE_TAIL]);
}
