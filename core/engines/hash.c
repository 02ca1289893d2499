/* hash: see hash.h. Without SHA-256 nothing here means anything: failures of EVP abort. */
#include "core/engines/hash.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

struct hash {
	EVP_MD_CTX *context;
};

static void must(int ok)
{
	if (!ok)
		abort();
}

struct hash *hash_new(void)
{
	struct hash *hash = xcalloc(1, sizeof *hash);
	hash->context = EVP_MD_CTX_new();
	must(hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL));
	return hash;
}

void hash_free(struct hash *hash)
{
	if (!hash)
		return;
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

void hash_field(struct hash *hash, const void *bytes, size_t len)
{
	uint64_t prefix = len;
	must(EVP_DigestUpdate(hash->context, &prefix, sizeof prefix));
	if (len)
		must(EVP_DigestUpdate(hash->context, bytes, len));
}

void hash_text(struct hash *hash, const char *text)
{
	hash_field(hash, text, strlen(text));
}

void hash_end(struct hash *hash, char out[HASH_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	must(EVP_DigestFinal_ex(hash->context, bytes, &len) && 2 * len + 1 == HASH_HEX);
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[HASH_HEX - 1] = '\0';
}
