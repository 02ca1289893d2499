/* hashtext: see hashtext.h. */
#include "core/detect/hashtext.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

struct reading {
	struct hashtext *text;
	struct digest *digest;
	struct hashline_headings headings;
	int64_t total;
	int64_t line_number; /* of the line in hand */
	size_t line_len;
	char line[HASHLINE_MAX + 1];
	char chunk[131072];
};

static int too_long(const char *file, struct error *err)
{
	return error_set(err, EFBIG, "%s: longer than %lld bytes, the limit of a hash list", file,
			 (long long)HASHTEXT_MAX);
}

int hashtext_changed(const char *file, struct error *err)
{
	return error_set(err, EAGAIN,
			 "%s: it changed while it was read; write a list aside and rename it",
			 file);
}

int hashtext_open(const char *file, struct error *err)
{
	/* O_NONBLOCK: a FIFO in its place must not stop the start */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return error_set(err, errno, "%s: %s", file, error_text(errno));
	struct stat st = { 0 };
	(void)fstat(fd, &st); /* fails for no open file of this kind; st stays "not regular" */
	if (S_ISREG(st.st_mode) && st.st_size <= HASHTEXT_MAX)
		return fd;
	fd_close(fd);
	if (S_ISREG(st.st_mode))
		return too_long(file, err);
	return error_set(err, EINVAL, "%s: not a regular file", file);
}

/* Puts the line's place before the words of what went wrong with it. */
static void at_line(const struct reading *in, struct error *err)
{
	(void)error_prefix(err, "%s:%lld", in->text->file, (long long)in->line_number);
}

static int end_line(struct reading *in, struct error *err)
{
	struct hashline line;
	in->line[in->line_len] = '\0';
	int result = hashline_parse(in->line, in->line_len, &in->headings, &line, err);
	in->line_len = 0;
	if (result < 0)
		at_line(in, err);
	in->line_number++;
	return result > 0 ? in->text->take(in->text->context, &line, err) : result;
}

static int take_lines(struct reading *in, size_t len, struct error *err)
{
	for (size_t at = 0; at < len;) {
		const char *start = in->chunk + at;
		const char *newline = memchr(start, '\n', len - at);
		size_t piece = newline ? (size_t)(newline - start) : len - at;
		if (in->line_len + piece > HASHLINE_MAX) {
			(void)error_set(err, EINVAL, "the line is longer than %d bytes",
					HASHLINE_MAX);
			at_line(in, err);
			return -EINVAL;
		}
		memcpy(in->line + in->line_len, start, piece);
		in->line_len += piece;
		at += piece + (newline != NULL);
		int result = newline ? end_line(in, err) : 0;
		if (result < 0)
			return result;
	}
	return 0;
}

static int64_t count_lines(const char *chunk, size_t len)
{
	int64_t count = 0;
	for (const char *at = chunk; (at = memchr(at, '\n', len - (size_t)(at - chunk))); at++)
		count++;
	return count;
}

/* One chunk. 1: there was one; 0: the file ends. */
static int read_chunk(struct reading *in, struct error *err)
{
	struct hashtext *text = in->text;
	ssize_t got = pread(text->fd, in->chunk, sizeof in->chunk, in->total);
	while (got < 0 && errno == EINTR)
		got = pread(text->fd, in->chunk, sizeof in->chunk, in->total);
	if (got < 0)
		return error_set(err, errno, "%s: %s", text->file, error_text(errno));
	in->total += got;
	if (in->total > HASHTEXT_MAX)
		return too_long(text->file, err);
	if (text->limit && in->total > text->limit)
		return hashtext_changed(text->file, err);
	digest_add(in->digest, in->chunk, (size_t)got);
	text->lines += count_lines(in->chunk, (size_t)got);
	int result = text->take ? take_lines(in, (size_t)got, err) : 0;
	return result < 0 ? result : got > 0;
}

int hashtext_read(struct hashtext *text, struct error *err)
{
	AUTO(digest) struct digest *digest = digest_new();
	AUTO_FREE struct reading *in = xcalloc(1, sizeof *in);
	in->text = text;
	in->digest = digest;
	in->line_number = 1;
	text->lines = 0;
	int result = 1;
	while (result > 0)
		result = read_chunk(in, err);
	if (result == 0 && in->line_len > 0)
		result = end_line(in, err); /* the last line may lack its end */
	if (result == 0)
		digest_end(digest, text->sha256);
	return result;
}
