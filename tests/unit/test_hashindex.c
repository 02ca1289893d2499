/* hashindex: a list on disk answers as its text would, and a damaged one does not answer. */
#include <errno.h>

#include "core/detect/scratch.h"
#include "tests/unit/hashindex_fixture.h"

static struct fixture fixture;
static char *list, *path;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	list = fixture_path(&fixture, "list");
	path = fixture_path(&fixture, "index");
}

static void teardown(void)
{
	free(list);
	free(path);
	fixture_done(&fixture);
}

TestSuite(hashindex, .init = setup, .fini = teardown);

Test(hashindex, finds_each_line_and_nothing_else_at_every_size)
{
	static const unsigned counts[] = { 0, 1, 3, 383, 384, 385, 387, 30000 };
	for (size_t n = 0; n < 2 * sizeof counts / sizeof *counts; n++) {
		unsigned count = counts[n / 2];
		index_list(list, count, n % 2);
		AUTO(hashindex) struct hashindex *index = index_build(list, NULL);
		cr_assert_eq(hashindex_count(index, HASH_SHA256), (count + 2) / 3);
		cr_assert_eq(hashindex_count(index, HASH_MD5), count / 3);
		for (unsigned i = 0; i<count; i += count> 1000 ? 7 : 1)
			index_ask(index, i, n % 2);
		uint8_t sum[HASH_SIZE_MAX] = { 0 };
		char signature[HASHLINE_SIGNATURE_MAX + 1];
		cr_assert_eq(hashindex_find(index, HASH_SHA1, sum, signature), 0);
		memset(sum, 0xff, sizeof sum);
		cr_assert_eq(hashindex_find(index, HASH_SHA1, sum, signature), 0);
	}
}

Test(hashindex, opens_what_was_built)
{
	index_list(list, 1000, false);
	hashindex_free(index_build(list, path));
	AUTO(hashindex) struct hashindex *index = NULL;
	cr_assert_eq(hashindex_open(&index, scratch_open(path)), 0);
	for (unsigned i = 0; i < 1000; i++)
		index_ask(index, i, false);
}

/* Opens the index after a change to its bytes, which is undone. */
static int open_damaged(int64_t at, uint8_t bits)
{
	uint8_t byte;
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_eq(scratch_read(fd, &byte, 1, at), 0);
	byte ^= bits;
	cr_assert_eq(scratch_write(fd, &byte, 1, at), 0);
	struct hashindex *index = NULL;
	int result = hashindex_open(&index, scratch_open(path));
	hashindex_free(index);
	byte ^= bits;
	cr_assert_eq(scratch_write(fd, &byte, 1, at), 0);
	return result;
}

Test(hashindex, one_wrong_bit_is_one_too_many)
{
	index_list(list, 100, false);
	hashindex_free(index_build(list, path));
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	for (int64_t at = 0; at < (int64_t)sizeof(struct hashindex_header); at++)
		cr_assert_eq(open_damaged(at, 1), -EBADMSG, "byte %d", (int)at);
	for (int64_t at = HASHINDEX_BODY; at < st.st_size; at += 11)
		cr_assert_eq(open_damaged(at, 0x80), -EBADMSG, "byte %d", (int)at);
	cr_assert_eq(open_damaged(0, 0), 0);
}

Test(hashindex, one_that_is_too_short_or_too_long_is_none)
{
	index_list(list, 100, false);
	hashindex_free(index_build(list, path));
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	const off_t sizes[] = { 0, 1, HASHINDEX_BODY, st.st_size - 1, st.st_size + 1 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct hashindex *index = NULL;
		cr_assert_eq(truncate(path, sizes[i]), 0);
		cr_assert_eq(hashindex_open(&index, scratch_open(path)), -EBADMSG);
	}
}

/* A header that is sound in itself, as somebody would write who knows how: lengths that lie. */
Test(hashindex, lengths_that_lie_are_not_followed)
{
	index_list(list, 100, false);
	hashindex_free(index_build(list, path));
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	struct hashindex_header header;
	cr_assert_eq(scratch_read(fd, &header, sizeof header, 0), 0);
	const uint64_t lies[] = { 0, header.texts_len + 1, UINT64_MAX, UINT64_MAX / 40 + 1 };
	for (size_t i = 0; i < 2 * sizeof lies / sizeof *lies; i++) {
		struct hashindex_header lie = header;
		struct hashindex *index = NULL;
		*(i % 2 ? &lie.count[HASH_SHA1] : &lie.texts_len) = lies[i / 2];
		hashindex_sum(&lie, lie.self);
		cr_assert_eq(scratch_write(fd, &lie, sizeof lie, 0), 0);
		cr_assert_eq(hashindex_open(&index, scratch_open(path)), -EBADMSG, "lie %zu", i);
	}
}

Test(hashindex, a_file_that_fails_under_way_is_an_error)
{
	index_list(list, 10000, false);
	AUTO(hashindex) struct hashindex *index = index_build(list, path);
	cr_assert_eq(truncate(path, HASHINDEX_BODY), 0);
	uint8_t sum[HASH_SIZE_MAX];
	char signature[HASHLINE_SIGNATURE_MAX + 1];
	index_sum(0, false, sum);
	cr_assert_eq(hashindex_find(index, index_kind(0), sum, signature), -ENODATA);
}

Test(hashindex, knows_when_a_list_is_surely_the_same)
{
	fixture_write(list, "x");
	AUTO_CLOSE int fd = open(list, O_RDONLY | O_CLOEXEC);
	struct hashindex_source then, now;
	cr_assert_eq(hashindex_look(fd, &then), 0);
	cr_assert_eq(hashindex_look(fd, &now), 0);
	then.looked_ns = then.ctime_ns + clock_tick_ns();
	cr_assert_not(hashindex_same(&then, &now), "written in the tick of the look");
	then.looked_ns = then.ctime_ns + 3 * clock_tick_ns();
	cr_assert(hashindex_same(&then, &now));
	now.ctime_ns++;
	cr_assert_not(hashindex_same(&then, &now));
	now.ctime_ns--;
	now.inode++;
	cr_assert_not(hashindex_same(&then, &now));
	hashindex_free(NULL);
}
