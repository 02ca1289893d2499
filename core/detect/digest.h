/*
 * digest: SHA-256 (FIPS 180-4, by OpenSSL's EVP) of lists of fields; hasher.h has that of files.
 *
 * One struct digest is one reusable context, so that a worker allocates nothing per file. It
 * belongs to one thread at a time. Failures of EVP itself (no SHA-256 in this libcrypto, no memory)
 * abort: without hashes nothing here means anything.
 */
#ifndef CARVED_CORE_DETECT_DIGEST_H
#define CARVED_CORE_DETECT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

#define DIGEST_SIZE 32
#define DIGEST_HEX  (2 * DIGEST_SIZE + 1) /* text, with its NUL */

struct digest;

/** A context, begun. Owned by the caller. */
struct digest *digest_new(void);
void digest_free(struct digest *digest);
AUTO_DEFINE(digest);

/** Starts anew; what was added before is forgotten. */
void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *bytes, size_t len);
/** Adds len as eight bytes, little-endian, then the bytes: two lists of fields that differ never
 * run together to the same text. bytes may be NULL when len is 0. */
void digest_field(struct digest *digest, const void *bytes, size_t len);
/** The same for a C string; NULL (no such field) differs from "". */
void digest_text(struct digest *digest, const char *text);
void digest_number(struct digest *digest, int64_t number);
/** Ends; begin again before adding more. */
void digest_end(struct digest *digest, uint8_t out[DIGEST_SIZE]);
/** Ends, as lower-case hex. */
void digest_end_hex(struct digest *digest, char out[DIGEST_HEX]);

#endif
