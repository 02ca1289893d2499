/*
 * hashtext: the text of a hash list, read line by line.
 *
 * A list may be read more than once; each reading is from its beginning, by one descriptor, and
 * tells the SHA-256 of what was read, so that two readings can be compared. The file is read, not
 * mapped: a list that is truncated meanwhile must not kill the daemon by SIGBUS.
 */
#ifndef CARVED_CORE_DETECT_HASHTEXT_H
#define CARVED_CORE_DETECT_HASHTEXT_H

#include <stdint.h>

#include "core/detect/digest.h"
#include "core/detect/hashline.h"

/* The longest list: some 130 million lines of NSRL, 500 million bare MD5 sums. */
#define HASHTEXT_MAX ((int64_t)16 * 1024 * 1024 * 1024)

struct error;

struct hashtext {
	const char *file; /* for messages; borrowed */
	int fd;
	/* Called for each hash, in the order of the lines; NULL: only the text counts, and lines
	 * are not parsed. Negative: the reading ends with that. */
	int (*take)(void *context, const struct hashline *line, struct error *err);
	void *context;
	int64_t limit; /* bytes; 0: HASHTEXT_MAX. A text that turns out longer was changed */
	int64_t lines; /* written: how many line ends were read */
	uint8_t sha256[DIGEST_SIZE]; /* written: of the text */
};

/** Opens a list: its descriptor, or a negative value; err names the file. */
int hashtext_open(const char *file, struct error *err);
/** Fills err with words for a list that was written to while it was read; returns -EAGAIN. */
int hashtext_changed(const char *file, struct error *err);
/** Reads it all. On failure err reads "FILE:LINE: what is wrong" or "FILE: why it cannot be read".
 */
int hashtext_read(struct hashtext *text, struct error *err);

#endif
