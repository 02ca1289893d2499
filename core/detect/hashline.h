/*
 * hashline: one line of a hash list.
 *
 *	# a comment
 *	32, 40 or 64 hex digits[ blanks signature]
 *	"hex digits",...
 *
 * The number of digits tells which hash it is: MD5, SHA-1, SHA-256; lists may mix them. md5sum(1)
 * and its sisters write the second form, with the file's name for a signature. The third is that of
 * the National Software Reference Library (NSRLFile.txt, "Data Formats of the NSRL Reference Data
 * Set", NIST): comma-separated values, of which the first is the hash, and, once a line of headings
 * has named a column "FileName", that column the signature. Pure; any thread.
 */
#ifndef CARVED_CORE_DETECT_HASHLINE_H
#define CARVED_CORE_DETECT_HASHLINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/detect/hasher.h"

/* Bytes of a line, without its end. */
#define HASHLINE_MAX	       1024
#define HASHLINE_SIGNATURE_MAX 512

struct error;

/* What the headings of comma-separated values said; begins zeroed. */
struct hashline_headings {
	unsigned name; /* the number of the column "FileName", counted from 1; 0: none */
};

struct hashline {
	enum hash_kind kind;
	uint8_t sum[HASH_SIZE_MAX];
	const char *signature; /* borrowed from the line; "" when it has none */
};

/** Parses a line of len bytes, which are followed by a NUL and may be changed. 1: out has its hash;
 * 0: it has none (a comment, headings, an empty line); -EINVAL: err says what is wrong. */
int hashline_parse(char *line, size_t len, struct hashline_headings *headings, struct hashline *out,
		   struct error *err);

#endif
