/* db: what a connection may cost. */
#include "core/store/db.h"
#include "core/store/writer.h"
#include "store_fixture.h"

static struct world w;

static void setup(void)
{
	world_dir(&w);
	world_open(
		&w); /* a new history: its page size is set when the connection is open already */
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(db, .init = setup, .fini = teardown);

static void add_ballast(void)
{
	sqlite3 *raw = NULL;
	cr_assert_eq(sqlite3_open(w.db, &raw), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(raw,
				  "CREATE TABLE ballast (bytes BLOB); INSERT INTO ballast "
				  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
				  "LIMIT 8000) SELECT zeroblob(4000) FROM n",
				  NULL, NULL, NULL),
		     SQLITE_OK);
	sqlite3_close(raw);
}

/* All of the ballast's 32 MB of pages. */
static void read_much(struct db *db)
{
	struct error err = { 0 };
	int64_t sum;
	cr_assert_eq(db_integer(db, "SELECT sum(length(bytes)) FROM ballast", &sum, &err), 0, "%s",
		     err.text);
	cr_assert_eq(sum, 8000 * 4000);
}

static void expect_used(const struct db *db, int most)
{
	int used = 0;
	int highest = 0;
	cr_assert_eq(sqlite3_db_status(db->handle, SQLITE_DBSTATUS_CACHE_USED, &used, &highest, 0),
		     SQLITE_OK);
	cr_expect_lt(used, most, "%d bytes", used);
	cr_expect_gt(used, most / 2, "the cache is used: %d bytes", used);
}

Test(db, the_cache_is_bounded_in_bytes_whatever_the_page_size)
{
	struct error err = { 0 };
	add_ballast();
	read_much(w.store->db); /* the writer thread rests */
	expect_used(w.store->db, 9 << 20);
	AUTO(db) struct db *db = NULL;
	cr_assert_eq(db_open_history(&db, w.db, DB_READ, &err), 0, "%s", err.text);
	read_much(db);
	expect_used(db, 5 << 18);
}
