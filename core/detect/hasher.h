/*
 * hasher: the hashes of one file, all from one read of it: SHA-256, and SHA-1 and MD5 for the lists
 * that are written in them.
 *
 * SHA-1 (FIPS 180-4) and MD5 (RFC 1321) compare contents with what others have published; nothing
 * of ours is told apart by them. A libcrypto that is kept to FIPS may have no MD5: hash_available()
 * says so. A struct hasher holds reusable contexts and belongs to one thread at a time.
 */
#ifndef CARVED_CORE_DETECT_HASHER_H
#define CARVED_CORE_DETECT_HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

enum hash_kind {
	HASH_SHA256,
	HASH_SHA1,
	HASH_MD5,
	HASH_KINDS
};

#define HASH_SIZE_MAX  32
#define HASH_BIT(kind) (1U << (kind))

/* Hashes of one content. */
struct hashes {
	unsigned have; /* which, as HASH_BIT()s */
	uint8_t sum[HASH_KINDS][HASH_SIZE_MAX];
};

struct hasher;

/** Bytes of a hash: 32, 20, 16. */
size_t hash_size(enum hash_kind kind);
/** "SHA-256", ...; borrowed for ever. */
const char *hash_name(enum hash_kind kind);
/** False when this libcrypto does not have it. Any thread. */
bool hash_available(enum hash_kind kind);

/** Owned by the caller. */
struct hasher *hasher_new(void);
void hasher_free(struct hasher *hasher);
AUTO_DEFINE(hasher);

/**
 * The hashes that hashes->have names, of what fd holds from offset 0 to its end, and how many bytes
 * that was (size may be NULL). Reads by pread(2), so the file offset stays. At most limit bytes: a
 * file that is longer, or that grows past it while it is read, gives -EFBIG. A hash that is not
 * available gives -ENOTSUP. Else 0 or the -errno of reading; the sums are written on success only.
 */
int hasher_fd(struct hasher *hasher, int fd, int64_t limit, struct hashes *hashes, int64_t *size);

#endif
