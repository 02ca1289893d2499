/* hasher: see hasher.h. */
#include "core/detect/hasher.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/base/pulse.h"

/* Large enough that the system call is lost in the hashing, small enough for the second-level
 * cache. */
#define CHUNK ((size_t)128 * 1024)

struct hasher {
	EVP_MD_CTX *context[HASH_KINDS]; /* made when first used */
	unsigned char chunk[CHUNK];
};

struct kind {
	const char *name;  /* for people */
	const char *fetch; /* for libcrypto */
	size_t size;
};

static const struct kind kinds[HASH_KINDS] = {
	[HASH_SHA256] = { "SHA-256", "SHA256", 32 },
	[HASH_SHA1] = { "SHA-1", "SHA1", 20 },
	[HASH_MD5] = { "MD5", "MD5", 16 },
};

/* Fetched once: EVP_sha256() would look the implementation up at each EVP_DigestInit_ex(). Never
 * freed. NULL: this libcrypto has none. */
static EVP_MD *fetched[HASH_KINDS];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	for (unsigned i = 0; i < HASH_KINDS; i++)
		fetched[i] = EVP_MD_fetch(NULL, kinds[i].fetch, NULL);
	ERR_clear_error();
}

static void must(int ok)
{
	if (!ok)
		abort();
}

size_t hash_size(enum hash_kind kind)
{
	assert(kind < HASH_KINDS);
	return kinds[kind].size;
}

const char *hash_name(enum hash_kind kind)
{
	assert(kind < HASH_KINDS);
	return kinds[kind].name;
}

bool hash_available(enum hash_kind kind)
{
	assert(kind < HASH_KINDS);
	must(pthread_once(&fetch_once, fetch) == 0);
	return fetched[kind] != NULL;
}

struct hasher *hasher_new(void)
{
	return xcalloc(1, sizeof(struct hasher));
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	for (unsigned i = 0; i < HASH_KINDS; i++)
		EVP_MD_CTX_free(hasher->context[i]);
	free(hasher);
}

static bool wanted(const struct hashes *hashes, unsigned kind)
{
	return hashes->have & HASH_BIT(kind);
}

static int begin(struct hasher *hasher, const struct hashes *hashes)
{
	for (unsigned i = 0; i < HASH_KINDS; i++) {
		if (!wanted(hashes, i))
			continue;
		if (!hash_available((enum hash_kind)i))
			return -ENOTSUP;
		if (!hasher->context[i])
			hasher->context[i] = EVP_MD_CTX_new();
		must(hasher->context[i] &&
		     EVP_DigestInit_ex2(hasher->context[i], fetched[i], NULL));
	}
	return 0;
}

static void add(struct hasher *hasher, const struct hashes *hashes, size_t len)
{
	for (unsigned i = 0; i < HASH_KINDS; i++) {
		if (wanted(hashes, i))
			must(EVP_DigestUpdate(hasher->context[i], hasher->chunk, len));
	}
}

static void end(struct hasher *hasher, struct hashes *hashes)
{
	for (unsigned i = 0; i < HASH_KINDS; i++) {
		unsigned len = 0;
		if (wanted(hashes, i))
			must(EVP_DigestFinal_ex(hasher->context[i], hashes->sum[i], &len) &&
			     len == kinds[i].size);
	}
}

/* Up to a byte behind the limit, so that a longer file is noticed. */
static size_t next_read(int64_t left)
{
	return left < (int64_t)CHUNK ? (size_t)left + 1 : CHUNK;
}

int hasher_fd(struct hasher *hasher, int fd, int64_t limit, struct hashes *hashes, int64_t *size)
{
	int result = begin(hasher, hashes);
	if (result < 0)
		return result;
	int64_t at = 0;
	for (;;) {
		size_t want = next_read(limit - at);
		ssize_t got = pread(fd, hasher->chunk, want, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		at += got;
		if (at > limit)
			return -EFBIG;
		add(hasher, hashes, (size_t)got);
		pulse_beat();
		if (at == limit && (size_t)got < want)
			break; /* its end, with no read that says so once more */
	}
	end(hasher, hashes);
	if (size)
		*size = at;
	return 0;
}
