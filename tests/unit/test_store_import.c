/* import: BroAPT's done files. */
#include "core/store/maintain.h"
#include "store_fixture.h"

static struct world w;
static struct error err;

static void setup(void)
{
	world_dir(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(store_import, .init = setup, .fini = teardown);

static void add(struct store_import *import, const char *path, unsigned n)
{
	struct version *v = world_version(path, n);
	if (n == 0)
		v->identity = (struct identity){ .fsid = 7, .mtime_ns = 9 };
	cr_assert(store_import_add(import, v, &err) == 0, "%s", err.text);
}

Test(store_import, paths_become_done_versions_in_a_history_that_is_made)
{
	struct store_import *import = NULL;
	struct store_imported total = { 0 };
	cr_assert(store_import_begin(&import, w.db, &err) == 0, "%s", err.text);
	add(import, "/r/here", 1);
	add(import, "/r/gone", 0);
	add(import, "/r/here", 1);
	cr_assert(store_import_end(import, &total, &err) == 0, "%s", err.text);
	cr_expect(total.fresh == 2 && total.known == 1);
	EXPECT_SQL(&w, "SELECT path, state, verdict, inode, fsid, mtime_ns FROM file ORDER BY id",
		   "/r/here|done|unknown|1001|7|1764000000000000000\n/r/gone|done|unknown|0|0|0");
	EXPECT_SQL(
		&w,
		"SELECT DISTINCT detector, detector_digest = printf('%064d', 0), outcome, detail,"
		" attempt, cached FROM scan",
		"broapt|1|unknown|{\"imported\":true}|1|0");
	world_tally_is_right(&w);
	world_open(&w);
	struct known known = { 0 };
	AUTO(version) struct version *now = world_version("/r/gone", 5);
	cr_assert(store_find(w.reader, &now->identity, "/r/gone", 7, 2, &known, &err) == 0);
	cr_expect(known.as == KNOWN_IMPORTED);
}

Test(store_import, it_works_beside_a_running_store_and_changes_nothing_known)
{
	struct store_import *import = NULL;
	struct store_imported total = { 0 };
	world_open(&w);
	struct version *bad = world_version("/r/bad", 1);
	world_finish(bad, OUTCOME_MALICIOUS);
	world_put(&w, bad);
	world_put(&w, world_version("/r/waiting", 2));
	cr_assert(store_import_begin(&import, w.db, &err) == 0, "%s", err.text);
	add(import, "/r/bad", 1);
	add(import, "/r/waiting", 2);
	for (unsigned i = 10; i < 1300; i++)
		add(import, "/r/many", i);
	world_put(&w, world_version("/r/between", 3));
	cr_assert(store_import_end(import, &total, &err) == 0, "%s", err.text);
	cr_expect(total.fresh == 1290 && total.known == 2);
	world_put(&w, world_version("/r/after", 4));
	EXPECT_SQL(&w, "SELECT count(*), count(DISTINCT id) FROM file", "1294|1294");
	EXPECT_SQL(&w,
		   "SELECT state, verdict FROM file WHERE name IN ('bad', 'waiting') ORDER BY name",
		   "done|malicious\nqueued|");
	world_tally_is_right(&w);
}

Test(store_import, a_refused_row_is_not_called_known)
{
	struct store_import *import = NULL;
	struct store_imported total = { 0 };
	sqlite3 *db = NULL;
	world_open(&w);
	world_close(&w);
	cr_assert(sqlite3_open(w.db, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db,
			       "CREATE TRIGGER no BEFORE INSERT ON version WHEN NEW.name = 'bad'"
			       " BEGIN SELECT raise(ABORT, 'no'); END",
			       NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	cr_assert(store_import_begin(&import, w.db, &err) == 0, "%s", err.text);
	add(import, "/r/good", 1);
	add(import, "/r/bad", 2);
	cr_expect(store_import_end(import, &total, &err) < 0);
	cr_expect(strstr(err.text, "/r/bad"), "%s", err.text);
	EXPECT_SQL(&w, "SELECT path FROM file", "/r/good");
}

Test(store_import, a_file_that_is_no_history_is_left_alone)
{
	struct store_import *import = NULL;
	world_write_file(w.db, "precious", 8);
	cr_expect(store_import_begin(&import, w.db, &err) < 0);
	cr_expect(strstr(err.text, w.db));
	cr_expect(import == NULL);
}
