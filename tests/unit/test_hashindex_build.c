/* hashindex_build: how an index comes to be, and what is left when it does not. */
#include <errno.h>

#include "core/detect/scratch.h"
#include "core/detect/sorter.h"
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

TestSuite(hashindex_build, .init = setup, .fini = teardown);

Test(hashindex_build, sorts_more_than_memory_holds)
{
	const unsigned count = (unsigned)(HASH_KINDS * SORTER_MEMORY / 20);
	index_list(list, count, false);
	AUTO(hashindex) struct hashindex *index = index_build(list, path);
	cr_assert(fixture_has(&fixture, "index"));
	cr_assert_not(fixture_has(&fixture, "index.new"));
	for (unsigned i = 0; i < count; i += 97)
		index_ask(index, i, false);
}

Test(hashindex_build, the_first_of_two_names_counts)
{
	fixture_write(list, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  zebra\n"
			    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
			    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  ape\n");
	AUTO(hashindex) struct hashindex *index = index_build(list, NULL);
	uint8_t sum[HASH_SIZE_MAX];
	char signature[HASHLINE_SIGNATURE_MAX + 1];
	memset(sum, 0xaa, sizeof sum);
	cr_assert_eq(hashindex_find(index, HASH_MD5, sum, signature), 1);
	cr_assert_str_eq(signature, "zebra");
	cr_assert_eq(hashindex_count(index, HASH_MD5), 3);
}

Test(hashindex_build, without_a_place_it_serves_all_the_same)
{
	index_list(list, 1000, false);
	AUTO(hashindex)
	struct hashindex *index = index_build_unkept(list, "/proc/none/index", ENOENT);
	index_ask(index, 500, false);
	/* somebody else makes the same one just now */
	int other = scratch_begin(path);
	cr_assert_geq(other, 0);
	AUTO(hashindex) struct hashindex *second = index_build_unkept(list, path, EWOULDBLOCK);
	index_ask(second, 500, false);
	cr_assert_not(fixture_has(&fixture, "index"));
	(void)close(other);
}

Test(hashindex_build, a_bad_line_leaves_the_old_index)
{
	index_list(list, 10, false);
	hashindex_free(index_build(list, path));
	fixture_write(list, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nx\n");
	AUTO_CLOSE int fd = open(list, O_RDONLY | O_CLOEXEC);
	struct hashtext text = { .file = list, .fd = fd };
	struct hashindex_source source = { 0 };
	struct hashindex *index = NULL;
	struct error err = { 0 };
	cr_assert_eq(hashindex_build(&index, &text, &source, path, &err), -EINVAL);
	cr_assert(strstr(err.text, "list:2: expected 32"), "%s", err.text);
	cr_assert_null(index);
	cr_assert_eq(hashindex_open(&index, scratch_open(path)), 0);
	hashindex_free(index);
	AUTO_FREE char *left = fixture_path(&fixture, "index.new");
	struct stat st;
	cr_assert_eq(stat(left, &st), 0);
	cr_assert_eq(st.st_size, 0);
}
