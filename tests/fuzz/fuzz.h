/*
 * fuzz: what the fuzz targets share. Each target is one LLVMFuzzerTestOneInput(): bytes that nobody
 * vouches for go through a parser, and what must hold for any bytes is checked by must(), which
 * ends the process, so that libFuzzer keeps the input.
 */
#ifndef CARVED_TESTS_FUZZ_H
#define CARVED_TESTS_FUZZ_H

#include <sys/mman.h>

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What does not hold ends the run, with the words of the condition. */
#define must(condition)                                                                           \
	((condition)                                                                              \
		 ? (void)0                                                                        \
		 : ((void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), \
		    abort()))

#define UNUSED __attribute__((unused))

/* The input, taken from the front. */
struct input {
	const char *at;
	size_t left;
};

UNUSED static unsigned input_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return (unsigned char)*in->at++;
}

/* A block of the heap that has exactly the bytes, so that the address sanitizer sees a read beyond
 * them. The caller frees it. */
UNUSED static char *input_exact(const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	must(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* The same with a NUL behind them. */
UNUSED static char *input_text(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	must(copy);
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

/* The bytes up to the separator, which is taken away; all that is left when there is none. */
UNUSED static struct input input_until(struct input *in, char separator)
{
	const char *end = in->left ? memchr(in->at, separator, in->left) : NULL;
	struct input part = { in->at, end ? (size_t)(end - in->at) : in->left };
	in->at += part.left + (end != NULL);
	in->left -= part.left + (end != NULL);
	return part;
}

/* A file without a name that holds the bytes, and its path. One at a time: the next one takes its
 * place. */
UNUSED static const char *input_file(const void *bytes, size_t len, int *out_fd)
{
	static int fd = -1;
	static char path[64];
	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		must(fd >= 0);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	must(ftruncate(fd, 0) == 0);
	must(pwrite(fd, bytes, len, 0) == (ssize_t)len);
	if (out_fd)
		*out_fd = fd;
	return path;
}

/* Is it what an operator may be shown: not empty, and all of it there? */
UNUSED static bool has_words(const char *text)
{
	return text && text[0] != '\0';
}

/* ASCII without control characters, but for DEL, which jansson does not escape. */
UNUSED static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text > 0x7f || (unsigned char)*text < 0x20)
			return false;
	}
	return true;
}

/* Is it JSON to whoever reads the history by SQL? jansson would refuse large numbers, U+0000 and
 * lone surrogates, which are how str_json() writes bytes that are no UTF-8. */
UNUSED static bool is_json(const char *text)
{
	static sqlite3_stmt *statement;
	if (!statement) {
		sqlite3 *db = NULL;
		must(sqlite3_open(":memory:", &db) == SQLITE_OK);
		must(sqlite3_prepare_v2(db, "SELECT json_valid(?)", -1, &statement, NULL) ==
		     SQLITE_OK);
	}
	must(sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC) == SQLITE_OK);
	must(sqlite3_step(statement) == SQLITE_ROW);
	bool valid = sqlite3_column_int(statement, 0) == 1;
	must(sqlite3_reset(statement) == SQLITE_OK);
	return valid;
}

#endif
