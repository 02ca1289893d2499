/* digest: see digest.h. */
#include "core/detect/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "core/base/mem.h"

struct digest {
	EVP_MD_CTX *context;
};

static const char hex_digits[] = "0123456789abcdef";

/* Fetched once: EVP_sha256() would look the implementation up at each EVP_DigestInit_ex(). Never
 * freed. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void must(int ok)
{
	if (!ok)
		abort();
}

struct digest *digest_new(void)
{
	must(pthread_once(&sha256_once, fetch) == 0 && sha256);
	struct digest *digest = xcalloc(1, sizeof *digest);
	digest->context = EVP_MD_CTX_new();
	must(digest->context != NULL);
	digest_begin(digest);
	return digest;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

void digest_begin(struct digest *digest)
{
	must(EVP_DigestInit_ex2(digest->context, sha256, NULL));
}

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
	if (len)
		must(EVP_DigestUpdate(digest->context, bytes, len));
}

void digest_field(struct digest *digest, const void *bytes, size_t len)
{
	uint8_t prefix[8];
	for (unsigned i = 0; i < sizeof prefix; i++)
		prefix[i] = (uint8_t)((uint64_t)len >> (8 * i));
	digest_add(digest, prefix, sizeof prefix);
	digest_add(digest, bytes, len);
}

void digest_text(struct digest *digest, const char *text)
{
	digest_number(digest, text ? 1 : 0);
	digest_field(digest, text, text ? strlen(text) : 0);
}

void digest_number(struct digest *digest, int64_t number)
{
	uint8_t bytes[8];
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
	digest_field(digest, bytes, sizeof bytes);
}

void digest_end(struct digest *digest, uint8_t out[DIGEST_SIZE])
{
	unsigned len = 0;
	must(EVP_DigestFinal_ex(digest->context, out, &len) && len == DIGEST_SIZE);
}

void digest_end_hex(struct digest *digest, char out[DIGEST_HEX])
{
	uint8_t raw[DIGEST_SIZE];
	digest_end(digest, raw);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = hex_digits[raw[i] >> 4];
		out[2 * i + 1] = hex_digits[raw[i] & 15];
	}
	out[DIGEST_HEX - 1] = '\0';
}
