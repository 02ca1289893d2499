/*
 * hashindex: a long hash list as a file that is searched where it lies.
 *
 * The file is a cache of ours, made from the list's text (hashindex_build.c) and good for nothing
 * without it: it tells of which text it was made, and is read to its end and compared with its own
 * checksum before it is used. What does not fit is not an index, and gets made anew. It is read by
 * pread(2), one or two calls a question, and not mapped: memory stays flat, and a disk that fails
 * is an error with words instead of a SIGBUS that ends the daemon.
 *
 *	header, padded to HASHINDEX_BODY bytes
 *	the signatures, each with its NUL; the first is ""
 *	records (records.h) of each kind of hash, sorted
 *
 * Numbers have this machine's byte order; another one's is another version. Immutable; any thread.
 */
#ifndef CARVED_CORE_DETECT_HASHINDEX_H
#define CARVED_CORE_DETECT_HASHINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/detect/digest.h"
#include "core/detect/hashline.h"

struct error;
struct hashindex;
struct hashtext;

#define HASHINDEX_MAGIC	  "carvedHL"
#define HASHINDEX_VERSION UINT64_C(1)
#define HASHINDEX_BODY	  4096

/* The text that an index was made of. */
struct hashindex_source {
	uint64_t device, inode;
	int64_t size, mtime_ns, ctime_ns;
	int64_t looked_ns; /* wall time before all this was looked at */
	uint8_t sha256[DIGEST_SIZE];
};

/* The beginning of the file. No padding, so that it can be read and summed as it stands. */
struct hashindex_header {
	char magic[8];
	uint64_t version;
	struct hashindex_source source;
	uint64_t texts_len;
	uint64_t count[HASH_KINDS];
	uint8_t body[DIGEST_SIZE]; /* SHA-256 of all behind the header */
	uint8_t self[DIGEST_SIZE]; /* SHA-256 of this header up to here */
};

/** The SHA-256 that belongs into header->self. */
void hashindex_sum(const struct hashindex_header *header, uint8_t out[DIGEST_SIZE]);

/** What fstat(2) says of an open list; sha256 is left alone. */
int hashindex_look(int fd, struct hashindex_source *out);
/** True when the list is surely the same as then: nobody has touched it since, in time that can be
 * told from then. */
bool hashindex_same(const struct hashindex_source *then, const struct hashindex_source *now);

/** Opens and verifies an index; fd is taken. -EBADMSG: it is damaged, or no index of this version;
 * else the -errno of reading it. */
int hashindex_open(struct hashindex **out, int fd);
void hashindex_free(struct hashindex *index);
AUTO_DEFINE(hashindex);

/** Makes an index of the text (its take is used, its lines and sha256 are written) at path, or as
 * an unnamed file when path is NULL or no file can be made there, and opens it. source: what was
 * looked at before. A positive value is the errno of why it serves, but could not be kept. */
int hashindex_build(struct hashindex **out, struct hashtext *text,
		    const struct hashindex_source *source, const char *path, struct error *err);

const struct hashindex_source *hashindex_of(const struct hashindex *index);
size_t hashindex_count(const struct hashindex *index, enum hash_kind kind);
/** 1: it is there, with its signature; 0: it is not; else the -errno of reading. */
int hashindex_find(const struct hashindex *index, enum hash_kind kind, const uint8_t *sum,
		   char signature[HASHLINE_SIGNATURE_MAX + 1]);

#endif
