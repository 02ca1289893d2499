/* tally: counting in memory, writing at the end of a transaction. */
#include "core/store/db.h"
#include "core/store/tally.h"
#include "store_fixture.h"

static struct world w;
static struct db *db;
static struct tally *tally;

static void setup(void)
{
	struct error err = { 0 };
	world_init(&w);
	cr_assert(db_open_history(&db, w.db, DB_WRITE, &err) == 0, "%s", err.text);
	cr_assert(tally_new(&tally, db, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	tally_free(tally);
	db_free(db);
	world_done(&w);
}

TestSuite(tally, .init = setup, .fini = teardown);

static void count(int64_t day, const char *mime, const char *reason, int delta)
{
	struct tally_kind kind = { .first_seen_ns = day * DAY + 5,
				   .mime = mime,
				   .state = reason ? "unscanned" : "done",
				   .reason = reason,
				   .verdict = reason ? NULL : "clean" };
	tally_add(tally, &kind, delta);
}

static void write_down(void)
{
	cr_assert(tally_write(tally) == SQLITE_OK);
	tally_clear(tally);
}

Test(tally, kinds_are_told_apart_and_added_up)
{
	for (int i = 0; i < 100; i++) {
		count(0, "a/b", NULL, 1);
		count(i % 2, "a/b", "failed", 1);
		count(0, i % 4 ? "c/d" : NULL, NULL, 1);
	}
	write_down();
	EXPECT_SQL(&w,
		   "SELECT day, mime, state, reason, verdict, files FROM daily ORDER BY 1, 2, 3",
		   "1970-01-01||done||clean|25\n"
		   "1970-01-01|a/b|done||clean|100\n"
		   "1970-01-01|a/b|unscanned|failed||50\n"
		   "1970-01-01|c/d|done||clean|75\n"
		   "1970-01-02|a/b|unscanned|failed||50");
	count(0, "a/b", NULL, -40);
	count(1, "a/b", "failed", -50);
	write_down();
	EXPECT_SQL(&w, "SELECT files FROM daily WHERE mime = 'a/b' ORDER BY files", "50\n60");
}

Test(tally, a_kind_that_is_no_more_leaves_no_row)
{
	count(0, "a/b", NULL, 2);
	count(0, "c/d", NULL, 1);
	write_down();
	count(0, "a/b", NULL, -2);
	count(0, "c/d", NULL, -1);
	count(0, "c/d", "failed", 1);
	write_down();
	EXPECT_SQL(&w, "SELECT mime, state, files FROM tally", "c/d|unscanned|1");
}

Test(tally, parts_do_not_run_into_each_other)
{
	struct tally_kind one = { .mime = "ab", .state = "c", .reason = "", .verdict = "d" };
	struct tally_kind two = { .mime = "a", .state = "bc", .reason = "d", .verdict = "" };
	tally_add(tally, &one, 1);
	tally_add(tally, &two, 1);
	write_down();
	EXPECT_SQL(&w, "SELECT count(*) FROM tally", "2");
}

Test(tally, what_was_cleared_is_forgotten)
{
	count(0, "a/b", NULL, 1);
	tally_clear(tally);
	count(0, "c/d", NULL, 1);
	count(0, "c/d", NULL, -1);
	write_down();
	EXPECT_SQL(&w, "SELECT count(*) FROM tally", "0");
}
