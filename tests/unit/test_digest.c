/* digest: hashes of files and of lists of fields. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/detect/digest.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
/* FIPS 180-4 example: one million times "a" */
#define MILLION "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static int file_of(const char *text, size_t times)
{
	char path[] = "/tmp/carved-digest-XXXXXX";
	int fd = mkstemp(path);
	(void)unlink(path);
	for (size_t i = 0; i < times; i++)
		cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void to_hex(const uint8_t raw[DIGEST_SIZE], char hex[DIGEST_HEX])
{
	for (int i = 0; i < DIGEST_SIZE; i++)
		(void)sprintf(hex + 2 * i, "%02x", raw[i]);
}

Test(digest, hashes_files_as_fips_180_says)
{
	static const struct {
		const char *text;
		size_t times;
		const char *hash;
	} cases[] = { { "", 0, EMPTY }, { "abc", 1, ABC }, { "aaaaaaaaaa", 100000, MILLION } };
	AUTO(digest) struct digest *digest = digest_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = file_of(cases[i].text, cases[i].times);
		uint8_t raw[DIGEST_SIZE];
		char hex[DIGEST_HEX];
		int64_t size = -1;
		cr_assert_eq(digest_fd(digest, fd, 1 << 30, raw, &size), 0);
		to_hex(raw, hex);
		cr_assert_str_eq(hex, cases[i].hash);
		cr_assert_eq(size, (int64_t)(strlen(cases[i].text) * cases[i].times));
		(void)close(fd);
	}
}

Test(digest, reads_from_the_start_and_leaves_the_offset)
{
	int fd = file_of("abc", 1);
	cr_assert_eq(lseek(fd, 2, SEEK_SET), 2);
	AUTO(digest) struct digest *digest = digest_new();
	uint8_t raw[DIGEST_SIZE];
	char hex[DIGEST_HEX];
	cr_assert_eq(digest_fd(digest, fd, 3, raw, NULL), 0);
	to_hex(raw, hex);
	cr_assert_str_eq(hex, ABC);
	cr_assert_eq(lseek(fd, 0, SEEK_CUR), 2);
	(void)close(fd);
}

Test(digest, says_when_a_file_is_longer_than_its_limit)
{
	int fd = file_of("abc", 1);
	AUTO(digest) struct digest *digest = digest_new();
	uint8_t raw[DIGEST_SIZE];
	cr_assert_eq(digest_fd(digest, fd, 2, raw, NULL), -EFBIG);
	cr_assert_eq(digest_fd(digest, fd, 3, raw, NULL), 0);
	(void)close(fd);
	cr_assert_eq(digest_fd(digest, fd, 3, raw, NULL), -EBADF);
}

Test(digest, fields_do_not_run_together)
{
	char a[DIGEST_HEX], b[DIGEST_HEX], c[DIGEST_HEX], d[DIGEST_HEX];
	AUTO(digest) struct digest *digest = digest_new();
	digest_text(digest, "ab");
	digest_text(digest, "c");
	digest_end_hex(digest, a);
	digest_begin(digest);
	digest_text(digest, "a");
	digest_text(digest, "bc");
	digest_end_hex(digest, b);
	digest_begin(digest);
	digest_text(digest, NULL);
	digest_end_hex(digest, c);
	digest_begin(digest);
	digest_text(digest, "");
	digest_end_hex(digest, d);
	cr_assert_str_neq(a, b);
	cr_assert_str_neq(c, d);
}

Test(digest, free_accepts_null)
{
	digest_free(NULL);
}
