/* names: earlier rows of a file at its path, and its other paths. */
#include "core/store/names.h"
#include "store_fixture.h"

static struct world w;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(names, .init = setup, .fini = teardown);

/* A row of file n at path, of this size; hash is the last byte of its SHA-256, 0: it has none. */
static int64_t put(const char *path, unsigned n, int size, uint8_t hash, enum version_state state)
{
	struct version *v = world_version(path, n);
	v->identity.size = size;
	v->has_sha256 = hash != 0;
	v->sha256[31] = hash;
	v->checked_ns = hash;
	if (state == VERSION_DONE)
		world_finish(v, OUTCOME_CLEAN);
	else if (state == VERSION_UNSCANNED)
		world_fail(v, REASON_FAILED);
	return world_put(&w, v);
}

static struct known earlier(const char *path, unsigned n, int64_t not_id)
{
	AUTO(version) struct version *v = world_version(path, n);
	struct known known = { .as = KNOWN_SAME };
	struct error err = { 0 };
	cr_assert(store_earlier(w.reader, v, not_id, &known, &err) == 0, "%s", err.text);
	return known;
}

Test(names, earlier_is_the_row_of_the_file_at_the_path_that_was_looked_at_last)
{
	int64_t last = put("/r/a", 1, 2, 0xa2, VERSION_DONE);
	put("/r/a", 1, 1, 0xa1, VERSION_DONE);
	int64_t own = put("/r/a", 1, 3, 0, VERSION_QUEUED);
	put("/r/b", 1, 4, 0xb1, VERSION_DONE); /* another path */
	put("/s/a", 1, 4, 0xc1, VERSION_DONE); /* another directory */
	put("/r/a", 2, 4, 0xd1, VERSION_DONE); /* another file */
	struct known known = earlier("/r/a", 1, own);
	cr_expect(known.as == KNOWN_CHANGED && known.id == last);
	cr_expect(known.has_sha256 && known.sha256[31] == 0xa2);
	cr_expect(known.checked_ns == 0xa2);
	cr_expect(earlier("/r/a", 1, last).sha256[31] == 0xa1, "the row itself is none");
	cr_expect(earlier("/r/c", 1, 0).as == KNOWN_NOT);
}

Test(names, an_earlier_row_that_was_not_hashed_is_passed_over)
{
	put("/r/a", 1, 2, 0, VERSION_UNSCANNED);
	cr_expect(earlier("/r/a", 1, 0).as == KNOWN_NOT);
	int64_t hashed = put("/r/a", 1, 1, 0xa1, VERSION_DONE);
	put("/r/a", 1, 3, 0, VERSION_UNSCANNED);
	struct known known = earlier("/r/a", 1, 0);
	cr_expect(known.id == hashed && known.has_sha256);
}

static void note(void *context, const char *path, size_t len)
{
	struct str *told = context;
	cr_assert_eq(strlen(path), len);
	str_printf(told, "%s ", path);
}

static void expect_names(unsigned limit, const char *expected)
{
	AUTO(version) struct version *v = world_version("/r/a", 1);
	AUTO_STR told = STR_INIT;
	const struct store_name_visit each = { .visit = note, .context = &told };
	struct error err = { 0 };
	cr_assert(store_names(w.reader, &v->identity, limit, &each, &err) == 0, "%s", err.text);
	cr_expect_str_eq(str_text(&told), expected);
}

Test(names, each_path_is_told_once_the_newest_first)
{
	expect_names(9, "");
	put("/r/a", 1, 1, 0xa1, VERSION_DONE);
	put("/r/b", 1, 1, 0xa1, VERSION_DONE);
	put("/s/a", 1, 1, 0xa1, VERSION_DONE);
	put("/r/a", 1, 2, 0xa2, VERSION_DONE);
	put("/r/other", 2, 1, 0xd1, VERSION_DONE);
	expect_names(9, "/r/a /s/a /r/b ");
	expect_names(2, "/r/a /s/a ");
}

Test(names, a_file_on_another_file_system_is_another)
{
	struct version *v = world_version("/r/b", 1);
	v->identity.fsid++;
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	expect_names(9, "");
	cr_expect(earlier("/r/b", 1, 0).as == KNOWN_NOT);
}

Test(names, a_row_of_a_file_that_could_not_be_looked_at_is_no_earlier_one)
{
	static const enum version_reason reasons[] = { REASON_UNREADABLE, REASON_VANISHED };

	int64_t read = put("/r/a", 1, 1, 1, VERSION_DONE);
	for (size_t i = 0; i < 2; i++) {
		struct version *v = world_version("/r/a", 1);
		v->identity.size = 10 + (int64_t)i;
		v->has_sha256 = true;
		v->checked_ns = 100;
		world_fail(v, reasons[i]);
		world_put(&w, v);
	}
	cr_expect(earlier("/r/a", 1, 0).id == read);
	cr_expect(!earlier("/r/a", 1, read).has_sha256);
}
