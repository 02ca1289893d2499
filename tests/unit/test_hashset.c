/* hashset: lists of hashes as people write them, and as they break them. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/detect/hashset.h"
#include "tests/unit/detect_fixture.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define C "0123456789abcdefABCDEF00000000000000000000000000000000000000000f"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(hashset, .init = setup, .fini = teardown);

static int load(struct hashset **out, const char *text, struct error *err)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	char digest[DIGEST_HEX];
	fixture_write(path, text);
	return hashset_load(out, path, digest, err);
}

Test(hashset, finds_what_is_in_the_list_and_nothing_else)
{
	AUTO(hashset) struct hashset *set = NULL;
	struct error err = { 0 };
	cr_assert_eq(load(&set,
			  "# bad files\r\n\r\n" B " Evil.Doc family 7 \r\n" A "\n\n" C "\t\tx",
			  &err),
		     0, "%s", err.text);
	cr_assert_eq(hashset_count(set), 3);
	uint8_t hash[32];
	(void)memset(hash, 0xaa, sizeof hash);
	cr_assert_str_eq(hashset_find(set, hash), "");
	(void)memset(hash, 0xbb, sizeof hash);
	cr_assert_str_eq(hashset_find(set, hash), "Evil.Doc family 7");
	hash[31] = 0xba;
	cr_assert_null(hashset_find(set, hash));
	static const uint8_t c[32] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
				       0xcd, 0xef, 0xab, 0xcd, 0xef, [31] = 0x0f };
	cr_assert_str_eq(hashset_find(set, c), "x");
}

Test(hashset, names_the_line_that_is_wrong)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "# x\n" A "\nabc\n", "list:3: expected 64 hex digits (a SHA-256), found 3" },
		{ A "0\n", "list:1: expected 64 hex digits (a SHA-256), found 65" },
		{ "\n" A ";x\n", "list:2: expected a blank" },
		{ "hello", "list:1: expected 64 hex digits" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hashset *set = NULL;
		struct error err = { 0 };
		cr_assert_eq(load(&set, cases[i].text, &err), -EINVAL);
		cr_assert(strstr(err.text, cases[i].words), "%s", err.text);
		cr_assert(strstr(err.text, fixture.dir), "%s", err.text);
		cr_assert_null(set);
	}
}

Test(hashset, limits_lines_and_signatures)
{
	static const struct {
		size_t len;
		const char *words;
	} cases[] = { { HASHSET_SIGNATURE_MAX, NULL },
		      { HASHSET_SIGNATURE_MAX + 1, "list:1: the signature is longer than 512" },
		      { HASHSET_LINE_MAX, "list:1: the line is longer than 1024" },
		      { 200000, "list:1: the line is longer than 1024" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(hashset) struct hashset *set = NULL;
		struct error err = { 0 };
		AUTO_STR text = STR_INIT;
		str_puts(&text, A " ");
		for (size_t n = 0; n < cases[i].len; n++)
			str_putc(&text, 'x');
		int result = load(&set, str_text(&text), &err);
		cr_assert_eq(result, cases[i].words ? -EINVAL : 0);
		cr_assert(!cases[i].words || strstr(err.text, cases[i].words), "%s", err.text);
	}
}

Test(hashset, refuses_a_nul_byte)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	FILE *file = fopen(path, "w");
	cr_assert(fwrite(A " a\0b\n", 1, 69, file) == 69);
	(void)fclose(file);
	struct hashset *set = NULL;
	struct error err = { 0 };
	char digest[DIGEST_HEX];
	cr_assert_eq(hashset_load(&set, path, digest, &err), -EINVAL);
	cr_assert(strstr(err.text, "list:1: a NUL byte"), "%s", err.text);
}

Test(hashset, says_what_cannot_be_read)
{
	AUTO_FREE char *fifo = fixture_path(&fixture, "fifo");
	AUTO_FREE char *missing = fixture_path(&fixture, "missing");
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	struct hashset *set = NULL;
	struct error err = { 0 };
	char digest[DIGEST_HEX];
	cr_assert_eq(hashset_load(&set, missing, digest, &err), -ENOENT);
	cr_assert(strstr(err.text, "missing: No such file"), "%s", err.text);
	cr_assert_eq(hashset_load(&set, fifo, digest, &err), -EINVAL);
	cr_assert(strstr(err.text, "fifo: not a regular file"), "%s", err.text);
	cr_assert_eq(hashset_load(&set, fixture.dir, digest, &err), -EINVAL);
}

Test(hashset, refuses_a_list_beyond_its_limit)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	fixture_write(path, "");
	cr_assert_eq(truncate(path, HASHSET_FILE_MAX + 1), 0);
	struct hashset *set = NULL;
	struct error err = { 0 };
	char digest[DIGEST_HEX];
	cr_assert_eq(hashset_load(&set, path, digest, &err), -EFBIG);
	cr_assert(strstr(err.text, "list: longer than 2147483648 bytes"), "%s", err.text);
}

Test(hashset, digest_is_that_of_sha256sum)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	fixture_write(path, A " x\n");
	AUTO(hashset) struct hashset *set = NULL;
	char digest[DIGEST_HEX], command[256], printed[DIGEST_HEX] = "";
	cr_assert_eq(hashset_load(&set, path, digest, NULL), 0);
	(void)snprintf(command, sizeof command, "sha256sum %s", path);
	FILE *pipe = popen(command, "r");
	cr_assert(fgets(printed, sizeof printed, pipe) != NULL);
	(void)pclose(pipe);
	cr_assert_str_eq(digest, printed);
}

Test(hashset, holds_many_hashes)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	FILE *file = fopen(path, "w");

	enum {
		MANY = 200000
	};

	for (unsigned i = 0; i < MANY; i++) {
		unsigned x = i * 2654435761u;
		(void)fprintf(file, "%08x%048x%08x family%u\n", x, 0, i, i / 1000);
	}
	(void)fclose(file);
	AUTO(hashset) struct hashset *set = NULL;
	char digest[DIGEST_HEX];
	cr_assert_eq(hashset_load(&set, path, digest, NULL), 0);
	cr_assert_eq(hashset_count(set), MANY);
	for (unsigned i = 0; i < MANY; i += 17) {
		unsigned x = i * 2654435761u;
		char expected[32];
		uint8_t hash[32] = { (uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8),
				     (uint8_t)x };
		for (int b = 0; b < 4; b++)
			hash[28 + b] = (uint8_t)(i >> (24 - 8 * b));
		(void)snprintf(expected, sizeof expected, "family%u", i / 1000);
		cr_assert_str_eq(hashset_find(set, hash), expected);
		hash[20] = 1;
		cr_assert_null(hashset_find(set, hash));
	}
}

Test(hashset, an_empty_list_knows_nothing)
{
	AUTO(hashset) struct hashset *set = NULL;
	cr_assert_eq(load(&set, "# nothing yet\n", NULL), 0);
	uint8_t hash[32] = { 0 };
	cr_assert_null(hashset_find(set, hash));
	hashset_free(NULL);
}
