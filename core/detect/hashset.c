/* hashset: see hashset.h. The file is read, not mapped: a list that is truncated while it is loaded
 * must not kill the daemon by SIGBUS. */
#include "core/detect/hashset.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"

struct row {
	uint8_t hash[DIGEST_SIZE];
	uint32_t signature; /* offset into the pool */
};

struct hashset {
	struct row *rows; /* sorted by hash */
	size_t count;
	size_t capacity;
	struct str pool; /* signatures, each with its NUL; the first is "" */
};

/* A file that is being read, line by line. */
struct source {
	const char *file;
	int fd;
	struct digest *digest;
	char chunk[65536];
	size_t at;
	size_t end;
	int64_t total;
	size_t line_number;
	char line[HASHSET_LINE_MAX + 1];
	size_t line_len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int too_long(const char *file, struct error *err)
{
	return error_set(err, EFBIG, "%s: longer than %lld bytes, the limit of a hash list", file,
			 (long long)HASHSET_FILE_MAX);
}

/* Reads more into the chunk, when it is used up. 1: there is a byte; 0: the file ends; negative:
 * err. */
static int fill(struct source *in, struct error *err)
{
	if (in->at < in->end)
		return 1;
	ssize_t got = read(in->fd, in->chunk, sizeof in->chunk);
	while (got < 0 && errno == EINTR)
		got = read(in->fd, in->chunk, sizeof in->chunk);
	if (got < 0)
		return error_set(err, errno, "%s: %s", in->file, error_text(errno));
	in->total += got;
	if (in->total > HASHSET_FILE_MAX)
		return too_long(in->file, err);
	digest_add(in->digest, in->chunk, (size_t)got);
	in->at = 0;
	in->end = (size_t)got;
	return got > 0;
}

/* Adds what the chunk has of the line; *out_whole: its end was there. */
static int take_piece(struct source *in, bool *out_whole, struct error *err)
{
	const char *start = in->chunk + in->at;
	const char *newline = memchr(start, '\n', in->end - in->at);
	size_t len = newline ? (size_t)(newline - start) : in->end - in->at;
	if (in->line_len + len > HASHSET_LINE_MAX)
		return error_set(err, EINVAL, "%s:%zu: the line is longer than %d bytes", in->file,
				 in->line_number, HASHSET_LINE_MAX);
	memcpy(in->line + in->line_len, start, len);
	in->line_len += len;
	in->at += len + (newline != NULL);
	*out_whole = newline != NULL;
	return 0;
}

/* Reads one line into in->line, without its end. 1: there is one; 0: the file ends; negative: err.
 */
static int next_line(struct source *in, struct error *err)
{
	in->line_len = 0;
	in->line_number++;
	bool whole = false;
	int result = fill(in, err);
	if (result <= 0)
		return result;
	while (result > 0 && !whole) {
		int taken = take_piece(in, &whole, err);
		if (taken < 0)
			return taken;
		if (!whole)
			result = fill(in, err);
	}
	if (result < 0)
		return result;
	while (in->line_len > 0 && is_blank(in->line[in->line_len - 1]))
		in->line_len--;
	in->line[in->line_len] = '\0';
	return 1;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hash(const char *text, uint8_t out[DIGEST_SIZE])
{
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = nibble(text[2 * i]);
		int low = high < 0 ? -1 : nibble(text[2 * i + 1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The pool's place for a signature; the line before often has the same. */
static uint32_t intern(struct hashset *set, const char *signature)
{
	if (!*signature)
		return 0;
	if (set->count > 0) {
		uint32_t last = set->rows[set->count - 1].signature;
		if (strcmp(set->pool.data + last, signature) == 0)
			return last;
	}
	uint32_t at = (uint32_t)set->pool.len;
	str_append(&set->pool, signature, strlen(signature) + 1);
	return at;
}

static void append(struct hashset *set, const uint8_t hash[DIGEST_SIZE], const char *signature)
{
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? set->capacity + set->capacity / 2 : 64;
		set->rows = xrealloc(set->rows, set->capacity, sizeof *set->rows);
	}
	uint32_t place = intern(set, signature);
	struct row *row = &set->rows[set->count++];
	memcpy(row->hash, hash, DIGEST_SIZE);
	row->signature = place;
}

static int take_line(struct hashset *set, const struct source *in, struct error *err)
{
	const char *line = in->line;
	if (in->line_len == 0 || line[0] == '#')
		return 0;
	uint8_t hash[DIGEST_SIZE];
	size_t digits = strspn(line, "0123456789abcdefABCDEF");
	if (digits != sizeof hash * 2 || !parse_hash(line, hash))
		return error_set(err, EINVAL,
				 "%s:%zu: expected 64 hex digits (a SHA-256), found %zu", in->file,
				 in->line_number, digits);
	const char *rest = line + digits;
	const char *signature = rest + strspn(rest, " \t");
	if (*rest && signature == rest)
		return error_set(err, EINVAL, "%s:%zu: expected a blank after the 64 hex digits",
				 in->file, in->line_number);
	if (strlen(line) != in->line_len)
		return error_set(err, EINVAL, "%s:%zu: a NUL byte", in->file, in->line_number);
	if (strlen(signature) > HASHSET_SIGNATURE_MAX)
		return error_set(err, EINVAL, "%s:%zu: the signature is longer than %d bytes",
				 in->file, in->line_number, HASHSET_SIGNATURE_MAX);
	append(set, hash, signature);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE); /* the hash is the row's first member */
}

static int open_list(const char *file, struct error *err)
{
	/* O_NONBLOCK: a FIFO in its place must not stop the start */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return error_set(err, errno, "%s: %s", file, error_text(errno));
	struct stat st = { 0 };
	(void)fstat(fd, &st); /* fails for no open file of this kind; st stays "not regular" */
	if (S_ISREG(st.st_mode) && st.st_size <= HASHSET_FILE_MAX)
		return fd;
	fd_close(fd);
	if (S_ISREG(st.st_mode))
		return too_long(file, err);
	return error_set(err, EINVAL, "%s: not a regular file", file);
}

static int read_list(struct hashset *set, struct source *in, struct error *err)
{
	for (;;) {
		int result = next_line(in, err);
		if (result <= 0)
			return result;
		result = take_line(set, in, err);
		if (result < 0)
			return result;
	}
}

int hashset_load(struct hashset **out, const char *file, char digest[DIGEST_HEX], struct error *err)
{
	AUTO_CLOSE int fd = open_list(file, err);
	if (fd < 0)
		return fd;
	AUTO(digest) struct digest *hash = digest_new();
	AUTO_FREE struct source *in = xcalloc(1, sizeof *in);
	in->file = file;
	in->fd = fd;
	in->digest = hash;
	AUTO(hashset) struct hashset *set = xcalloc(1, sizeof *set);
	str_append(&set->pool, "", 1);
	int result = read_list(set, in, err);
	if (result < 0)
		return result;
	if (set->count > 0) {
		qsort(set->rows, set->count, sizeof *set->rows, compare);
		set->rows = xrealloc(set->rows, set->count, sizeof *set->rows);
		set->capacity = set->count;
	}
	digest_end_hex(hash, digest);
	*out = TAKE(set);
	return 0;
}

void hashset_free(struct hashset *set)
{
	if (!set)
		return;
	free(set->rows);
	str_done(&set->pool);
	free(set);
}

size_t hashset_count(const struct hashset *set)
{
	return set->count;
}

const char *hashset_find(const struct hashset *set, const uint8_t hash[DIGEST_SIZE])
{
	if (set->count == 0)
		return NULL;
	const struct row *row = bsearch(hash, set->rows, set->count, sizeof *set->rows, compare);
	return row ? set->pool.data + row->signature : NULL;
}
