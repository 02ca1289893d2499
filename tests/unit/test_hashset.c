/* hashset: lists of hashes as people write them, and as they break them. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/detect/hashset.h"
#include "core/detect/hashtext.h"
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
	return hashset_load(out, path, NULL, digest, err);
}

/* What the list says of a SHA-256: its signature, NULL when it is not there. */
static const char *find(const struct hashset *set, const uint8_t *sum)
{
	static char signature[HASHLINE_SIGNATURE_MAX + 1];
	int found = hashset_find(set, HASH_SHA256, sum, signature);
	cr_assert_geq(found, 0);
	return found ? signature : NULL;
}

Test(hashset, finds_what_is_in_the_list_and_nothing_else)
{
	AUTO(hashset) struct hashset *set = NULL;
	struct error err = { 0 };
	cr_assert_eq(load(&set,
			  "# bad files\r\n\r\n" B " Evil.Doc family 7 \r\n" A "\n\n" C "\t\tx",
			  &err),
		     0, "%s", err.text);
	cr_assert_eq(hashset_count(set, HASH_SHA256), 3);
	uint8_t hash[32];
	(void)memset(hash, 0xaa, sizeof hash);
	cr_assert_str_eq(find(set, hash), "");
	(void)memset(hash, 0xbb, sizeof hash);
	cr_assert_str_eq(find(set, hash), "Evil.Doc family 7");
	hash[31] = 0xba;
	cr_assert_null(find(set, hash));
	static const uint8_t c[32] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
				       0xcd, 0xef, 0xab, 0xcd, 0xef, [31] = 0x0f };
	cr_assert_str_eq(find(set, c), "x");
}

Test(hashset, names_the_line_that_is_wrong)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "# x\n" A "\nabc\n",
		  "list:3: expected 32, 40 or 64 hex digits (an MD5, SHA-1 or SHA-256), found 3" },
		{ A "0\n",
		  "list:1: expected 32, 40 or 64 hex digits (an MD5, SHA-1 or SHA-256), found 65" },
		{ "\n" A ";x\n", "list:2: expected a blank" },
		{ "hello", "list:1: expected 32, 40 or 64 hex digits" },
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
	} cases[] = { { HASHLINE_SIGNATURE_MAX, NULL },
		      { HASHLINE_SIGNATURE_MAX + 1, "list:1: the signature is longer than 512" },
		      { HASHLINE_MAX, "list:1: the line is longer than 1024" },
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
	cr_assert_eq(hashset_load(&set, path, NULL, digest, &err), -EINVAL);
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
	cr_assert_eq(hashset_load(&set, missing, NULL, digest, &err), -ENOENT);
	cr_assert(strstr(err.text, "missing: No such file"), "%s", err.text);
	cr_assert_eq(hashset_load(&set, fifo, NULL, digest, &err), -EINVAL);
	cr_assert(strstr(err.text, "fifo: not a regular file"), "%s", err.text);
	cr_assert_eq(hashset_load(&set, fixture.dir, NULL, digest, &err), -EINVAL);
}

Test(hashset, refuses_a_list_beyond_its_limit)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	fixture_write(path, "");
	cr_assert_eq(truncate(path, HASHTEXT_MAX + 1), 0);
	struct hashset *set = NULL;
	struct error err = { 0 };
	char digest[DIGEST_HEX];
	cr_assert_eq(hashset_load(&set, path, NULL, digest, &err), -EFBIG);
	cr_assert(strstr(err.text, "list: longer than 17179869184 bytes"), "%s", err.text);
}

Test(hashset, digest_is_that_of_sha256sum)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	fixture_write(path, A " x\n");
	AUTO(hashset) struct hashset *set = NULL;
	char digest[DIGEST_HEX], command[256], printed[DIGEST_HEX] = "";
	cr_assert_eq(hashset_load(&set, path, NULL, digest, NULL), 0);
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
	cr_assert_eq(hashset_load(&set, path, NULL, digest, NULL), 0);
	cr_assert_eq(hashset_count(set, HASH_SHA256), MANY);
	for (unsigned i = 0; i < MANY; i += 17) {
		unsigned x = i * 2654435761u;
		char expected[32];
		uint8_t hash[32] = { (uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8),
				     (uint8_t)x };
		for (int b = 0; b < 4; b++)
			hash[28 + b] = (uint8_t)(i >> (24 - 8 * b));
		(void)snprintf(expected, sizeof expected, "family%u", i / 1000);
		cr_assert_str_eq(find(set, hash), expected);
		hash[20] = 1;
		cr_assert_null(find(set, hash));
	}
}

/* Writes a list too long for memory: lines with numbers from first on. */
static void write_long(const char *path, unsigned first)
{
	FILE *file = fopen(path, "w");
	for (unsigned i = 0; i < HASHSET_LINES_MAX; i++)
		(void)fprintf(file, "%08x%056d n%u\n", first + i, 0, (first + i) / 1000);
	cr_assert_eq(fclose(file), 0);
}

static const char *find_number(const struct hashset *set, unsigned i)
{
	const uint8_t hash[32] = { (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				   (uint8_t)i };
	return find(set, hash);
}

/* Loads the list with an index at path; the index's inode, 0 when there is none. */
static ino_t load_indexed(const char *list, const char *path, unsigned first)
{
	AUTO(hashset) struct hashset *set = NULL;
	char digest[DIGEST_HEX];
	struct error err = { 0 };
	cr_assert_eq(hashset_load(&set, list, path, digest, &err), 0, "%s", err.text);
	cr_assert_eq(hashset_count(set, HASH_SHA256), HASHSET_LINES_MAX);
	cr_assert_eq(hashset_count(set, HASH_SHA1), 0);
	cr_assert_str_eq(find_number(set, first + 5000), "n5");
	cr_assert_null(find_number(set, first + HASHSET_LINES_MAX));
	struct stat st;
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

Test(hashset, a_long_list_has_an_index_that_is_kept_and_made_anew_when_need_be)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	AUTO_FREE char *other = fixture_path(&fixture, "other");
	AUTO_FREE char *index = fixture_path(&fixture, "index");
	write_long(path, 0);
	ino_t first = load_indexed(path, index, 0);
	cr_assert_neq(first, 0);
	cr_assert_eq(load_indexed(path, index, 0), first, "kept");
	/* touched, and then copied: the text tells */
	cr_assert_eq(utimensat(AT_FDCWD, path, NULL, 0), 0);
	cr_assert_eq(load_indexed(path, index, 0), first);
	cr_assert_eq(rename(path, other), 0);
	write_long(path, 0);
	cr_assert_eq(load_indexed(path, index, 0), first);
	/* damaged: a bit of a hash */
	int fd = open(index, O_RDWR);
	struct stat st;
	char c;
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(pread(fd, &c, 1, st.st_size - 40), 1);
	c ^= 4;
	cr_assert_eq(pwrite(fd, &c, 1, st.st_size - 40), 1);
	ino_t second = load_indexed(path, index, 0);
	cr_assert_neq(second, first);
	/* another text of the same length, and time */
	write_long(path, 1);
	const struct timespec times[2] = { st.st_mtim, st.st_mtim };
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	cr_assert_neq(load_indexed(path, index, 1), second);
	(void)close(fd);
}

Test(hashset, a_long_list_without_a_place_for_its_index_is_read_each_time)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	write_long(path, 0);
	AUTO(hashset) struct hashset *set = NULL;
	char digest[DIGEST_HEX];
	cr_assert_eq(hashset_load(&set, path, NULL, digest, NULL), 0);
	cr_assert_str_eq(find_number(set, 7000), "n7");
}

Test(hashset, a_bad_line_far_down_a_long_list_is_named)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	write_long(path, 0);
	FILE *file = fopen(path, "a");
	cr_assert_geq(fputs("oops\n", file), 0);
	cr_assert_eq(fclose(file), 0);
	struct hashset *set = NULL;
	char digest[DIGEST_HEX];
	struct error err = { 0 };
	cr_assert_eq(hashset_load(&set, path, NULL, digest, &err), -EINVAL);
	cr_assert(strstr(err.text, "list:100001: expected 32"), "%s", err.text);
}

Test(hashset, an_empty_list_knows_nothing)
{
	AUTO(hashset) struct hashset *set = NULL;
	cr_assert_eq(load(&set, "# nothing yet\n", NULL), 0);
	uint8_t hash[32] = { 0 };
	cr_assert_null(find(set, hash));
	hashset_free(NULL);
}
