/* old_reader: what was seen longest ago comes first, and only what has its end and waits for
 * nothing. */
#include <errno.h>

#include "core/store/old_reader.h"
#include "store_fixture.h"

static struct world w;
static struct error err;
static struct old_reader *reader;

static void setup(void)
{
	world_init(&w);
	cr_assert(old_reader_open(&reader, w.db, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	old_reader_free(reader);
	world_done(&w);
}

TestSuite(old_reader, .init = setup, .fini = teardown);

static int64_t put(const char *path, unsigned n, int64_t seen_ns)
{
	struct version *v = world_version(path, n);
	v->first_seen_ns = seen_ns;
	world_finish(v, OUTCOME_CLEAN);
	v->finished_ns = seen_ns;
	return world_put(&w, v);
}

Test(old_reader, oldest_first_with_their_paths)
{
	static struct old_page page;
	put("/r/sub/b", 2, T0 + 2);
	put("/r/a", 1, T0 + 1);
	put("/r/c", 3, T0 + 100);
	AUTO(version) struct version *second = world_version("/r/a", 2);
	world_put(&w, world_version("/r/queued", 4));
	old_page_rewind(&page);
	cr_assert(old_reader_next(reader, T0 + 50, &page, &err) == 0, "%s", err.text);
	cr_assert(page.count == 2 && !page.more);
	cr_expect_str_eq(page.versions[0].path, "/r/a");
	cr_expect(page.versions[0].dir_len == strlen("/r"));
	cr_expect_str_eq(page.versions[1].path, "/r/sub/b");
	cr_expect(page.versions[1].inode == second->identity.inode);
	old_reader_warm(reader, page.versions[1].id);
	/* it goes on where it was */
	put("/r/late", 5, T0 + 40);
	cr_assert(old_reader_next(reader, T0 + 50, &page, &err) == 0, "%s", err.text);
	cr_assert(page.count == 1);
	cr_expect_str_eq(page.versions[0].path, "/r/late");
	old_page_done(&page);
}

Test(old_reader, many_of_one_moment_come_once_each)
{
	enum {
		COUNT = OLD_PAGE_MAX * 2 + 7
	};

	static struct old_page page;
	static bool seen[COUNT + 1];
	size_t total = 0;
	for (unsigned i = 0; i < COUNT; i++)
		put("/r/a", i, T0);
	old_page_rewind(&page);
	while (page.more) {
		cr_assert(old_reader_next(reader, INT64_MAX, &page, &err) == 0, "%s", err.text);
		for (size_t i = 0; i < page.count; i++) {
			cr_expect(!seen[page.versions[i].id]);
			seen[page.versions[i].id] = true;
		}
		total += page.count;
	}
	cr_expect(total == COUNT);
	old_page_done(&page);
}

Test(old_reader, what_waits_for_a_rescan_is_passed_over)
{
	static struct old_page page;
	put("/r/a", 1, T0);
	put("/r/b", 2, T0);
	world_change(&w, "INSERT INTO rescan_queue (version_id, asked_ns) VALUES (1, 1)");
	old_page_rewind(&page);
	cr_assert(old_reader_next(reader, INT64_MAX, &page, &err) == 0, "%s", err.text);
	cr_assert(page.count == 1);
	cr_expect_str_eq(page.versions[0].path, "/r/b");
	old_page_done(&page);
}

static void note_untold(int64_t before_ns)
{
	bool more = true;
	for (bool first = true; more; first = false)
		cr_assert(old_reader_note_untold(reader, before_ns, first, &more, &err) == 0, "%s",
			  err.text);
}

static void expect_old(int64_t before_ns, const char *wanted)
{
	static struct old_page page;
	AUTO_STR paths = STR_INIT;
	old_page_rewind(&page);
	cr_assert(old_reader_next(reader, before_ns, &page, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < page.count; i++)
		str_printf(&paths, "%s%s", i ? " " : "", page.versions[i].path);
	cr_expect_str_eq(str_text(&paths), wanted);
	old_page_done(&page);
}

/* Two slices of events of versions that there are no more. */
#define OTHERS                                                                                   \
	"INSERT INTO event (version_id, kind) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT" \
	" i + 1 FROM n WHERE i < 20000) SELECT 1000 + i, 'end' FROM n;"

Test(old_reader, what_is_yet_to_be_told_is_passed_over_wherever_its_event_is)
{
	put("/r/young", 1, T0 + 100);
	put("/r/later", 2, T0 + 1);
	put("/r/told", 3, T0);
	put("/r/first", 4, T0 + 2);
	world_change(&w,
		     "INSERT INTO sink VALUES ('one', 0), ('two', 5);"
		     "INSERT INTO event (version_id, kind) VALUES (1, 'end'), (4, 'end');" OTHERS
		     "INSERT INTO event (version_id, kind) VALUES (2, 'end'), (2, 'rescan')");
	note_untold(T0 + 50);
	cr_expect(old_reader_has_untold(reader));
	expect_old(T0 + 50, "/r/told");
	/* what all have told is no event any more, whenever it is deleted */
	world_change(&w, "UPDATE sink SET seq = 10000");
	note_untold(T0 + 50);
	expect_old(T0 + 50, "/r/told /r/first");
	world_change(&w, "DELETE FROM sink");
	note_untold(T0 + 50);
	cr_expect(!old_reader_has_untold(reader));
	expect_old(T0 + 50, "/r/told /r/later /r/first");
}

Test(old_reader, more_than_can_be_noted_is_an_error)
{
	bool more = true;
	int result = 0;
	world_change(&w,
		     "INSERT INTO sink VALUES ('one', 0);"
		     "INSERT INTO version (dir_id, name, inode, btime_ns, size, mtime_ns, state,"
		     " verdict, first_seen_ns, finished_ns) WITH RECURSIVE n(i) AS (SELECT 1 UNION"
		     " ALL SELECT i + 1 FROM n WHERE i < 70000) SELECT 1, i, i, 1, 1, 1, 'done',"
		     " 'clean', i, i FROM n;"
		     "INSERT INTO event (version_id, kind) SELECT id, 'end' FROM version");
	for (bool first = true; more && result == 0; first = false)
		result = old_reader_note_untold(reader, T0, first, &more, &err);
	cr_expect(result == -E2BIG, "%s", err.text);
	note_untold(OLD_UNTOLD_MAX); /* as many as may be */
	cr_expect(old_reader_has_untold(reader));
}

Test(old_reader, a_history_that_is_not_there)
{
	struct old_reader *none = NULL;
	cr_expect(old_reader_open(&none, "/nowhere/x.db", &err) == -ENOENT);
}
