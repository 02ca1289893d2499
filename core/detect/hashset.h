/*
 * hashset: hashes with the name of what they stand for, read from a text file (hashline.h has its
 * format).
 *
 * A short list is held in memory, sorted. A long one, which would take more memory than all the
 * rest of the daemon, is searched in an index file (hashindex.h), which is made once and kept for
 * as long as the list's text is the same. Immutable after loading; any thread.
 */
#ifndef CARVED_CORE_DETECT_HASHSET_H
#define CARVED_CORE_DETECT_HASHSET_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/detect/digest.h"
#include "core/detect/hashline.h"

/* Of a list that is held in memory: fewer lines, and at most so many bytes. */
#define HASHSET_LINES_MAX 100000
#define HASHSET_BYTES_MAX ((int64_t)16 * 1024 * 1024)

struct error;
struct hashset;

/** Loads the file; digest is the hex SHA-256 of its content, what sha256sum(1) prints. index: where
 * the index of a long list is kept; NULL: nowhere, it is made each time. On failure err reads
 * "FILE:LINE: what is wrong" or "FILE: why it cannot be read". */
int hashset_load(struct hashset **out, const char *file, const char *index, char digest[DIGEST_HEX],
		 struct error *err);
void hashset_free(struct hashset *set);
AUTO_DEFINE(hashset);

/** Why the index of a long list could not be kept, as an errno: it will be made anew the next time.
 * 0: it is kept, or there is none to keep. */
int hashset_unkept(const struct hashset *set);
/** How many hashes of that kind are in the list, repetitions included. */
size_t hashset_count(const struct hashset *set, enum hash_kind kind);
/** 1: the hash is in the list, and its signature ("" when its line has none) is written; 0: it is
 * not; else the -errno of reading the index. */
int hashset_find(const struct hashset *set, enum hash_kind kind, const uint8_t *sum,
		 char signature[HASHLINE_SIGNATURE_MAX + 1]);

#endif
