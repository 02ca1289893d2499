/*
 * hashset: SHA-256 hashes with the name of what they stand for, read from a text file.
 *
 *	# a comment
 *	64 hex digits[ blanks signature]
 *
 * Lines end with LF or CRLF; empty lines and lines that begin with # are passed over. Held as one
 * sorted array of 36 bytes a hash plus one pool of signatures (a signature that the line before has
 * too is kept once), for lists of millions. Immutable after loading; any thread.
 */
#ifndef CARVED_CORE_DETECT_HASHSET_H
#define CARVED_CORE_DETECT_HASHSET_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/detect/digest.h"

/* Offsets into the pool have 32 bits; a list this long holds 33 million hashes. */
#define HASHSET_FILE_MAX ((int64_t)2 * 1024 * 1024 * 1024)
/* Bytes of a line, without its end. */
#define HASHSET_LINE_MAX      1024
#define HASHSET_SIGNATURE_MAX 512

struct error;
struct hashset;

/** Loads the file; digest is the hex SHA-256 of its content, what sha256sum(1) prints. On failure
 * err reads "FILE:LINE: what is wrong" or "FILE: why it cannot be read". */
int hashset_load(struct hashset **out, const char *file, char digest[DIGEST_HEX],
		 struct error *err);
void hashset_free(struct hashset *set);
AUTO_DEFINE(hashset);

size_t hashset_count(const struct hashset *set);
/** The signature of that hash ("" when its line has none), NULL when it is not in the list.
 * Borrowed from the set. */
const char *hashset_find(const struct hashset *set, const uint8_t hash[DIGEST_SIZE]);

#endif
