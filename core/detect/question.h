/* question: what a detector is asked about one file, and what it answers. Plain values. */
#ifndef CARVED_CORE_DETECT_QUESTION_H
#define CARVED_CORE_DETECT_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/outcome.h"

struct entry;

/* One question. Borrowed for the call. */
struct scan_request {
	const char *path;   /* absolute path of the file, NUL-terminated raw bytes */
	size_t name_offset; /* where the base name begins in path */
	size_t root_offset; /* where the part below the root begins in path */
	const struct entry *entry;
	int fd; /* read-only, offset 0, the callee may move it; -1 unless NEEDS_FD */
	int64_t size;
	const uint8_t *sha256; /* 32 bytes; NULL when hashing is off */
	const uint8_t *sha1;   /* 20 bytes; NULL unless NEEDS_SHA1 */
	const uint8_t *md5;    /* 16 bytes; NULL unless NEEDS_MD5 */
	unsigned attempt;      /* 1 is the first */
	struct mono deadline;
	int cancel_fd; /* becomes readable when the daemon gives up waiting (stop_grace over); -1:
			  none */
};

/* One answer. The caller zeroes it before and calls answer_done() after. When it was cancelled,
 * outcome is OUTCOMES. */
struct answer {
	enum outcome outcome;
	char *signature; /* owned; NULL: none. At most 512 bytes */
	char *detail;	 /* owned; one JSON value (ASCII), or NULL. At most 64 KiB */
	char digest[65]; /* under which it holds; "": that of detector_digest() before */
	char *real_mime; /* owned; what the file is by its content; NULL: nobody looked */
	bool cancelled;	 /* stopped by cancel_fd: no outcome, the file stays queued */
	char *away; /* owned; why its peer cannot be reached: no outcome and no attempt, the file
		       waits. NULL: it could */
	int unable; /* errno of what we ourselves had none left of (descriptors, processes, memory):
		       no outcome either, and no attempt; to be asked again later */
};

void answer_done(struct answer *answer);

#endif
