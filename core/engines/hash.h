/* hash: SHA-256 of a list of fields, as lower-case hex (FIPS 180-4, by OpenSSL's EVP). One owner.
 */
#ifndef CARVED_CORE_ENGINES_HASH_H
#define CARVED_CORE_ENGINES_HASH_H

#include <stddef.h>

#include "core/base/mem.h"

#define HASH_HEX 65 /* with its NUL */

struct hash;

struct hash *hash_new(void);
void hash_free(struct hash *hash);
AUTO_DEFINE(hash);

/** Adds len and the bytes: two lists of fields that differ never run together. */
void hash_field(struct hash *hash, const void *bytes, size_t len);
void hash_text(struct hash *hash, const char *text);
void hash_end(struct hash *hash, char out[HASH_HEX]);

#endif
