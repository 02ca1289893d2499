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

Test(old_reader, what_is_yet_to_be_told_is_passed_over_wherever_its_event_is)
{
	static struct old_page page;
	put("/r/young", 1, T0 + 100);
	put("/r/untold", 2, T0);
	put("/r/told", 3, T0);
	world_change(&w, "INSERT INTO event (version_id, kind) VALUES (1, 'end'), (2, 'end')");
	old_page_rewind(&page);
	cr_assert(old_reader_next(reader, T0 + 50, &page, &err) == 0, "%s", err.text);
	cr_assert(page.count == 1);
	cr_expect_str_eq(page.versions[0].path, "/r/told");
	old_page_done(&page);
}

Test(old_reader, events_that_wait_are_known)
{
	bool untold = true;
	put("/r/a", 1, T0);
	cr_assert(old_reader_untold(reader, INT64_MAX, &untold, &err) == 0 && !untold);
	world_change(&w, "INSERT INTO event (version_id, kind) VALUES (1, 'end')");
	cr_assert(old_reader_untold(reader, INT64_MAX, &untold, &err) == 0 && untold);
	cr_assert(old_reader_untold(reader, T0, &untold, &err) == 0 && !untold);
}

Test(old_reader, a_history_that_is_not_there)
{
	struct old_reader *none = NULL;
	cr_expect(old_reader_open(&none, "/nowhere/x.db", &err) == -ENOENT);
}
