/* forget: a running daemon lets go of what is old and gone, however much there is. What stays is
 * told by tests/scenario/58_history_keep.py. */
#include <sqlite3.h>

#include "daemon_harness.h"

static struct daemon d;

static void teardown(void)
{
	daemon_done(&d);
}

TestSuite(forget, .fini = teardown);

/* Versions of long ago, of files that there never were. */
static void fill(unsigned count)
{
	char sql[1024];
	char *why = NULL;
	sqlite3 *handle = NULL;
	cr_assert(sqlite3_open(d.history, &handle) == SQLITE_OK);
	snprintf(
		sql, sizeof sql,
		"INSERT INTO version (dir_id, name, inode, btime_ns, size, mtime_ns, state, verdict,"
		" first_seen_ns, finished_ns) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT"
		" i + 1 FROM n WHERE i < %u) SELECT (SELECT max(id) FROM dir), 'old' || i, i, 1, 1, 1,"
		" 'done', 'clean', i, i FROM n;"
		"INSERT INTO tally SELECT 0, '', 'done', '', 'clean', %u",
		count, count);
	cr_assert(sqlite3_exec(handle, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	cr_assert(sqlite3_close(handle) == SQLITE_OK);
}

/* A history with one file that is there, and so many of long ago, which may be forgotten. */
static void begin_with(unsigned old)
{
	daemon_begin(&d, "unmatched: scan\ndetectors: [ { type: noop } ]\n");
	daemon_put(&d, "first", "");
	daemon_expect(&d, "SELECT count(*) FROM version", "1");
	cr_assert(daemon_stop(&d) == 0);
	fill(old);
	setenv("CARVED_HISTORY_KEEP", "1d", 1);
}

Test(forget, what_is_old_goes_while_new_files_come)
{
	begin_with(3000);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_put(&d, "second", "");
	daemon_expect(&d, "SELECT group_concat(name) FROM (SELECT name FROM version ORDER BY name)",
		      "first,second");
	daemon_expect(&d, "SELECT sum(files) FROM daily", "2");
	cr_assert(daemon_stop(&d) == 0);
}

Test(forget, a_stop_waits_for_no_rest)
{
	begin_with(50000);
	/* some of the stops come while a portion is on its way to the history */
	for (int i = 0; i < 12; i++) {
		char before[256];
		char sql[300];
		daemon_sql(&d, "SELECT count(*) FROM version", before);
		daemon_start(&d);
		daemon_wait_ready(&d);
		snprintf(sql, sizeof sql, "SELECT count(*) < %s FROM version", before);
		daemon_expect(&d, sql, "1");
		cr_assert(daemon_stop(&d) == 0);
	}
	daemon_expect(&d, "SELECT (SELECT sum(files) FROM daily) - count(*) FROM version", "0");
}
