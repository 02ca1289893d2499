/* hasher: the hashes of files. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/detect/hasher.h"

#define ALL (HASH_BIT(HASH_SHA256) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_MD5))

static int file_of(const char *text, size_t times)
{
	char path[] = "/tmp/carved-hasher-XXXXXX";
	int fd = mkstemp(path);
	(void)unlink(path);
	for (size_t i = 0; i < times; i++)
		cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void same_sum(const struct hashes *hashes, enum hash_kind kind, const char *expected)
{
	AUTO_STR hex = STR_INIT;
	str_hex(&hex, hashes->sum[kind], hash_size(kind));
	cr_expect_str_eq(str_text(&hex), expected, "%s: %s", hash_name(kind), str_text(&hex));
}

/* The examples of FIPS 180-4 and RFC 1321; a million times "a" */
static const struct {
	const char *text;
	size_t times;
	const char *sum[HASH_KINDS];
} cases[] = {
	{ "",
	  0,
	  { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "da39a3ee5e6b4b0d3255bfef95601890afd80709", "d41d8cd98f00b204e9800998ecf8427e" } },
	{ "abc",
	  1,
	  { "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72" } },
	{ "aaaaaaaaaa",
	  100000,
	  { "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	    "34aa973cd4c4daa4f61eeb2bdbad27316534016f", "7707d6ae4e027c70eea2a935c2296f21" } },
};

Test(hasher, hashes_files_as_the_standards_say)
{
	AUTO(hasher) struct hasher *hasher = hasher_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = file_of(cases[i].text, cases[i].times);
		struct hashes hashes = { .have = ALL };
		int64_t size = -1;
		cr_assert_eq(hasher_fd(hasher, fd, 1 << 30, &hashes, &size), 0);
		for (unsigned kind = 0; kind < HASH_KINDS; kind++)
			same_sum(&hashes, kind, cases[i].sum[kind]);
		cr_assert_eq(size, (int64_t)(strlen(cases[i].text) * cases[i].times));
		(void)close(fd);
	}
}

Test(hasher, computes_only_what_is_wanted)
{
	AUTO(hasher) struct hasher *hasher = hasher_new();
	int fd = file_of("abc", 1);
	struct hashes hashes = { .have = HASH_BIT(HASH_MD5) };
	static const uint8_t untouched[HASH_SIZE_MAX];
	cr_assert_eq(hasher_fd(hasher, fd, 3, &hashes, NULL), 0);
	same_sum(&hashes, HASH_MD5, cases[1].sum[HASH_MD5]);
	cr_assert_arr_eq(hashes.sum[HASH_SHA256], untouched, sizeof untouched);
	cr_assert_arr_eq(hashes.sum[HASH_SHA1], untouched, sizeof untouched);
	(void)close(fd);
}

Test(hasher, reads_from_the_start_and_leaves_the_offset)
{
	int fd = file_of("abc", 1);
	cr_assert_eq(lseek(fd, 2, SEEK_SET), 2);
	AUTO(hasher) struct hasher *hasher = hasher_new();
	struct hashes hashes = { .have = HASH_BIT(HASH_SHA256) };
	cr_assert_eq(hasher_fd(hasher, fd, 3, &hashes, NULL), 0);
	same_sum(&hashes, HASH_SHA256, cases[1].sum[HASH_SHA256]);
	cr_assert_eq(lseek(fd, 0, SEEK_CUR), 2);
	(void)close(fd);
}

Test(hasher, says_when_a_file_is_longer_than_its_limit)
{
	int fd = file_of("abc", 1);
	AUTO(hasher) struct hasher *hasher = hasher_new();
	struct hashes hashes = { .have = ALL };
	cr_assert_eq(hasher_fd(hasher, fd, 2, &hashes, NULL), -EFBIG);
	cr_assert_eq(hasher_fd(hasher, fd, 3, &hashes, NULL), 0);
	(void)close(fd);
	cr_assert_eq(hasher_fd(hasher, fd, 3, &hashes, NULL), -EBADF);
}

/* Without a FIPS provider loaded, "fips=yes" leaves libcrypto with no hash at all. */
Test(hasher, says_which_hash_libcrypto_does_not_have)
{
	cr_assert(EVP_set_default_properties(NULL, "fips=yes"));
	cr_assert_not(hash_available(HASH_MD5));
	AUTO(hasher) struct hasher *hasher = hasher_new();
	int fd = file_of("abc", 1);
	struct hashes hashes = { .have = HASH_BIT(HASH_MD5) };
	cr_assert_eq(hasher_fd(hasher, fd, 3, &hashes, NULL), -ENOTSUP);
	(void)close(fd);
	hasher_free(NULL);
}
