/* query: one statement, which only reads. */
#include <errno.h>

#include "core/store/query.h"
#include "store_fixture.h"

static struct world w;
static struct error err;

static void setup(void)
{
	world_init(&w);
	world_put(&w, world_version("/r/a", 1));
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(query, .init = setup, .fini = teardown);

static const char *const refused[] = {
	"DELETE FROM version",
	"UPDATE sqlite_master SET sql = ''",
	"DELETE FROM sqlite_schema",
	"INSERT INTO gap (cause, opened_ns) VALUES ('down', 1)",
	"UPDATE version SET name = 'x'",
	"DELETE FROM version RETURNING id",
	"CREATE TABLE x (y)",
	"CREATE TEMP TABLE x (y)",
	"DROP VIEW file",
	"ATTACH '/tmp/carved-attached' AS x",
	"DETACH main",
	"VACUUM",
	"VACUUM INTO '/tmp/carved-vacuumed'",
	"REINDEX",
	"ANALYZE",
	"BEGIN",
	"BEGIN IMMEDIATE",
	"COMMIT",
	"SAVEPOINT x",
	"PRAGMA user_version = 9",
	"PRAGMA journal_mode = DELETE",
	"PRAGMA query_only = OFF",
	"PRAGMA writable_schema = ON",
	"PRAGMA wal_checkpoint(TRUNCATE)",
	"PRAGMA synchronous = OFF",
	"SELECT load_extension('/tmp/x.so')",
	"SELECT 1; SELECT 2",
	"SELECT 1; DELETE FROM version",
	"SELECT 1; garbage",
	"",
	"  -- nothing",
	"SELEC 1",
	"SELECT nothere FROM file",
	"SELECT ?1",
};

Test(query, what_does_more_than_read_one_thing_is_refused)
{
	uint64_t before = world_file_hash(w.db);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		AUTO_STR out = STR_INIT;
		err = (struct error){ 0 };
		int result = store_query(w.db, refused[i], NULL, 0, world_cell, &out, &err);
		cr_expect(result == -EINVAL, "%s: %d", refused[i], result);
		cr_expect(*err.text && out.len == 0, "%s", refused[i]);
	}
	cr_expect(world_file_hash(w.db) == before);
	cr_expect(access("/tmp/carved-attached", F_OK) < 0 &&
		  access("/tmp/carved-vacuumed", F_OK) < 0);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "1");
}

static const char *const allowed[] = {
	"SELECT 1;",
	"SELECT 1 -- and why\n ; /* no more */ ;",
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
	"VALUES (1), (2)",
	"EXPLAIN QUERY PLAN SELECT * FROM history",
	"PRAGMA user_version",
	"PRAGMA table_info(version)",
	"SELECT name FROM pragma_table_info('file')",
	"SELECT value FROM json_each('[1, 2]')",
	"SELECT * FROM history, detections, pending, unscanned, daily, detector_stats, gap, scan, days",
};

Test(query, what_only_reads_is_allowed)
{
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		AUTO_STR out = STR_INIT;
		cr_expect(store_query(w.db, allowed[i], NULL, 0, world_cell, &out, &err) == 0,
			  "%s: %s", allowed[i], err.text);
	}
}

struct calls {
	size_t rows;
	size_t limit;
	bool named;
};

static bool call(void *context, const struct query_row *row)
{
	struct calls *calls = context;
	if (!row->values) {
		calls->named = row->columns == 2 && strcmp(row->names[0], "i") == 0 &&
			       strcmp(row->names[1], "t") == 0;
		return true;
	}
	return ++calls->rows < calls->limit;
}

static const char numbers[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			      " WHERE i < 1000) SELECT i, 'x' AS t FROM n WHERE i > ?1";

Test(query, rows_come_one_by_one_until_the_callback_has_enough)
{
	struct query_parameter parameter = { .integer = 10 };
	struct calls all = { .limit = 5000 };
	cr_expect(store_query(w.db, numbers, &parameter, 1, call, &all, &err) == 0, "%s", err.text);
	cr_expect(all.named && all.rows == 990);
	struct calls some = { .limit = 7 };
	cr_expect(store_query(w.db, numbers, &parameter, 1, call, &some, &err) == 0);
	cr_expect(some.rows == 7);
}

Test(query, parameters_are_values_never_sql)
{
	static const char evil[] = "' OR 1=1; DROP VIEW file; --";
	struct query_parameter parameters[] = { { .text = evil, .len = sizeof evil - 1 },
						{ .integer = 5 } };
	AUTO_STR out = STR_INIT;
	cr_expect(store_query(w.db, "SELECT ?1, ?2, typeof(?1)", parameters, 2, world_cell, &out,
			      &err) == 0);
	cr_expect(strcmp(str_text(&out), "' OR 1=1; DROP VIEW file; --|5|text") == 0);
}

Test(query, types_arrive_as_they_are)
{
	static const char sql[] =
		"SELECT NULL, 9007199254740993, 0.5, CAST(x'61ff00' AS TEXT), x'00'";
	EXPECT_SQL(&w, "SELECT typeof(CAST(x'61ff' AS TEXT))", "text");
	AUTO_STR out = STR_INIT;
	cr_assert(store_query(w.db, sql, NULL, 0, world_cell, &out, &err) == 0);
	cr_expect(out.len == 27 && memcmp(out.data, "|9007199254740993|0.5|a\xff\0|\0", 27) == 0,
		  "%zu", out.len);
}

Test(query, a_missing_history_is_not_made)
{
	AUTO_STR out = STR_INIT;
	char path[128];
	snprintf(path, sizeof path, "%s/none.db", w.dir);
	cr_expect(store_query(path, "SELECT 1", NULL, 0, world_cell, &out, &err) == -ENOENT);
	cr_expect(strstr(err.text, path), "%s", err.text);
	cr_expect(access(path, F_OK) < 0);
}

Test(query, what_is_no_history_is_not_a_mistake_in_the_sql)
{
	AUTO_STR out = STR_INIT;
	char path[128];
	snprintf(path, sizeof path, "%s/text", w.dir);
	world_write_file(path, "text that is no database at all", 31);
	cr_expect(store_query(path, "SELECT 1", NULL, 0, world_cell, &out, &err) == -EBADMSG);
	cr_expect(strstr(err.text, path), "%s", err.text);
}

/* Between the names and the first row somebody changes the schema: the statement is prepared anew.
 */
static bool change_schema(void *context, const struct query_row *row)
{
	struct calls *calls = context;
	if (!row->values) {
		sqlite3 *db = NULL;
		cr_assert(sqlite3_open(w.db, &db) == SQLITE_OK);
		cr_assert(sqlite3_exec(db, "CREATE VIEW another AS SELECT 1", NULL, NULL, NULL) ==
			  SQLITE_OK);
		sqlite3_close(db);
		return true;
	}
	calls->rows++;
	calls->named = row->columns == 2 && strcmp(row->names[0], "name_of_the_file") == 0 &&
		       strcmp(row->names[1], "state") == 0;
	return true;
}

Test(query, names_outlive_a_change_of_the_schema)
{
	struct calls calls = { 0 };
	cr_assert(store_query(w.db, "SELECT name AS name_of_the_file, state FROM file", NULL, 0,
			      change_schema, &calls, &err) == 0,
		  "%s", err.text);
	cr_expect(calls.rows == 1 && calls.named);
}

struct plan {
	const char *sql;
	const char *uses;
};

/* The questions that must not read ten million rows. */
static const struct plan plans[] = {
	{ "SELECT * FROM file WHERE fuid = 'F1'", "version_fuid (ANY(segment) AND fuid=?)" },
	{ "SELECT * FROM file WHERE sha256 = 'ab'", "version_sha256 (ANY(segment) AND sha256=?)" },
	{ "SELECT * FROM history WHERE fuid = 'F1'", "version_fuid (ANY(segment) AND fuid=?)" },
	{ "SELECT * FROM file WHERE fuid = 'F1'"
	  " ORDER BY +first_seen_ns DESC",
	  "version_fuid (ANY(segment) AND fuid=?)" },
	{ "SELECT * FROM history WHERE sha256 = 'ab'"
	  " ORDER BY +first_seen_ns DESC",
	  "version_sha256 (ANY(segment) AND sha256=?)" },
	{ "SELECT * FROM detections WHERE finished_ns > 5", "version_bad (finished_ns>?)" },
	{ "SELECT * FROM detections ORDER BY finished_ns DESC LIMIT 20", "version_bad" },
	{ "SELECT * FROM history WHERE verdict <> 'clean' AND verdict = 'malicious'"
	  " ORDER BY first_seen_ns DESC, id DESC LIMIT 20",
	  "version_verdict (verdict=?)" },
	{ "SELECT * FROM history WHERE verdict <> 'clean' AND verdict = 'timeout'"
	  " AND first_seen_ns >= 5 ORDER BY first_seen_ns DESC, id DESC LIMIT 20",
	  "version_verdict (verdict=? AND first_seen_ns>?)" },
	{ "SELECT * FROM history WHERE mime GLOB 'a*' AND first_seen_ns >= max(5, (SELECT 6))"
	  " AND first_seen_ns < ((SELECT 9)) ORDER BY first_seen_ns DESC, id DESC LIMIT 20",
	  "version_seen (first_seen_ns>? AND first_seen_ns<?)" },
	{ "SELECT * FROM detector_stats ORDER BY mean_ms DESC", "SCAN t" },
	{ "SELECT * FROM detector_days WHERE day = '2026-11-24'", "SCAN t" },
	{ "SELECT * FROM pending", "version_queue" },
	{ "SELECT * FROM unscanned WHERE first_seen_ns > 5",
	  "version_unscanned (first_seen_ns>?)" },
	{ "SELECT * FROM history WHERE state = 'unscanned' ORDER BY first_seen_ns DESC LIMIT 5",
	  "version_unscanned" },
	{ "SELECT * FROM history WHERE first_seen_ns >= 5 ORDER BY first_seen_ns DESC, id DESC",
	  "version_seen (first_seen_ns>?)" },
	{ "SELECT day, mime, sum(files) FROM daily GROUP BY 1, 2", "SCAN tally" },
	{ "SELECT * FROM rescan WHERE state = 'waiting' ORDER BY due_ns", "rescan_due" },
	{ "SELECT * FROM scan WHERE file_id = 1", "PRIMARY KEY (version_id=?)" },
};

Test(query, the_usual_questions_use_an_index)
{
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		char sql[512];
		snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", plans[i].sql);
		const char *got = world_sql(&w, sql);
		cr_expect(strstr(got, plans[i].uses) && !strstr(got, "SCAN version\n"), "%s\n%s",
			  plans[i].sql, got);
	}
}

/* The questions whose first rows are to come at once, however many there are. */
static const char *const unsorted[] = {
	"SELECT * FROM file",
	"SELECT * FROM history WHERE first_seen_ns >= 5 ORDER BY first_seen_ns DESC, id DESC",
	"SELECT * FROM history ORDER BY first_seen_ns DESC, id DESC",
	"SELECT * FROM history WHERE mime GLOB 'a*' ORDER BY first_seen_ns DESC, id DESC",
	"SELECT path FROM file WHERE path GLOB '/r/*' ORDER BY first_seen_ns DESC, id DESC",
	"SELECT * FROM history WHERE verdict <> 'clean' AND verdict = 'malicious'"
	" ORDER BY first_seen_ns DESC, id DESC",
	"SELECT * FROM history WHERE verdict = 'clean' ORDER BY first_seen_ns DESC, id DESC",
	"SELECT * FROM history WHERE state = 'unscanned' ORDER BY first_seen_ns DESC, id DESC",
	"SELECT * FROM detections ORDER BY finished_ns DESC",
	"SELECT * FROM stale",
};

Test(query, rows_are_neither_sorted_nor_gathered)
{
	for (size_t i = 0; i < sizeof unsorted / sizeof *unsorted; i++) {
		char sql[512];
		snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", unsorted[i]);
		const char *got = world_sql(&w, sql);
		cr_expect(!strstr(got, "FOR ORDER BY") && !strstr(got, "AUTOMATIC") &&
				  !strstr(got, "FOR GROUP BY"),
			  "%s\n%s", unsorted[i], got);
	}
}
