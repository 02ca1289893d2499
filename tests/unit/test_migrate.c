/* migrate: a history of every older version is brought up to date, and nothing in it is lost. What
 * is not ours, or newer, or broken, is tried by test_open.c. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/store/db.h"
#include "core/store/migrate.h"
#include "schema/schema.h"
#include "store_fixture.h"

static struct world w;

static void setup(void)
{
	world_dir(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(migrate, .init = setup, .fini = teardown);

static void run_sql(sqlite3 *db, const char *sql)
{
	char *said = NULL;
	cr_assert(sqlite3_exec(db, sql, NULL, NULL, &said) == SQLITE_OK, "%s", said);
}

/* A history as the carved of that version left it: a done row with its answer, and a queued one. */
static void make_old(int version)
{
	sqlite3 *db = NULL;
	char pragmas[128];
	cr_assert(sqlite3_open(w.db, &db) == SQLITE_OK);
	for (int step = 0; step < version; step++)
		run_sql(db, schema_steps[step]);
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 DB_APPLICATION_ID, version);
	run_sql(db, pragmas);
	run_sql(db,
		"INSERT INTO dir (id, path, fsid) VALUES (1, '/r', 7);"
		"INSERT INTO detector (id, name, digest) VALUES (1, 'list', printf('%064d', 1));"
		"INSERT INTO version (id, dir_id, name, inode, btime_ns, size, mtime_ns, state, verdict,"
		" first_seen_ns, finished_ns, attempt)"
		" VALUES (1, 1, 'a', 5, 5, 10, 5, 'done', 'malicious', 5, 6, 1);"
		"INSERT INTO result (version_id, nr, detector_id, outcome, attempt, cached, started_ns,"
		" finished_ns, key, signature) VALUES (1, 1, 1, 'malicious', 1, 0, 5, 6, x'00', 'Evil'),"
		" (1, 2, 1, 'malicious', 2, 0, 5, 9, x'00', 'Evil'),"
		" (1, 3, 1, 'malicious', 3, 1, 5, 99, x'00', 'Evil');"
		"INSERT INTO version (id, dir_id, name, inode, btime_ns, size, mtime_ns, state, wait,"
		" due_ns, first_seen_ns) VALUES (2, 1, 'b', 6, 6, 10, 6, 'queued', 'retry', 9, 6)");
	if (version >= 4) /* which kept count of answers */
		run_sql(db,
			"INSERT INTO timing (day, detector_id, outcome, scans, cached, spent_ns,"
			" longest_ns) VALUES (0, 1, 'malicious', 3, 1, 5, 4)");
	sqlite3_close(db);
}

static bool take(void *context, struct version *row)
{
	struct version **out = context;
	version_free(*out);
	*out = row;
	return true;
}

Test(migrate, a_history_of_any_older_version_keeps_its_rows_and_goes_on)
{
	for (int version = 1; version < schema_version; version++) {
		struct error err = { 0 };
		make_old(version);
		world_open(&w);
		char wanted[32];
		snprintf(wanted, sizeof wanted, "%d", schema_version);
		EXPECT_SQL(&w, "PRAGMA user_version", wanted);
		EXPECT_SQL(&w, "SELECT path, verdict, signature FROM detections",
			   "/r/a|malicious|Evil\n/r/a|malicious|Evil\n/r/a|malicious|Evil");
		EXPECT_SQL(&w, "SELECT path, waits_for FROM pending", "/r/b|retry");
		EXPECT_SQL(&w,
			   "SELECT detector, outcome, scans, cached, max_ms FROM detector_stats",
			   "list|malicious|3|1|4e-06");
		world_timing_is_right(&w);
		AUTO(version) struct version *queued = NULL;
		cr_assert(store_due(w.reader, 10, take, &queued, &err) == 0, "%s", err.text);
		cr_assert(queued && queued->id == 2);
		world_finish(queued, OUTCOME_CLEAN);
		cr_assert(world_do(&w, STORE_SAVE, queued) == STORE_WRITTEN);
		EXPECT_SQL(&w, "SELECT group_concat(state) FROM file", "done,done");
		world_close(&w);
		cr_assert(unlink(w.db) == 0);
		char rest[256];
		snprintf(rest, sizeof rest, "rm -f %s-wal %s-shm", w.db, w.db);
		cr_assert(system(rest) == 0);
	}
}

Test(migrate, answers_over_which_a_clock_was_set_are_counted_without_their_times)
{
	sqlite3 *db = NULL;
	make_old(1);
	cr_assert_eq(sqlite3_open(w.db, &db), SQLITE_OK);
	run_sql(db, "WITH RECURSIVE n (i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 15)"
		    " INSERT INTO result (version_id, nr, detector_id, outcome, attempt, cached,"
		    " started_ns, finished_ns, key) SELECT 1, i, 1, 'clean', i, 0, 0,"
		    " 1790000000000000000, x'00' FROM n");
	cr_assert_eq(sqlite3_close(db), SQLITE_OK);
	world_open(&w);
	EXPECT_SQL(&w, "SELECT scans, spent_ns, longest_ns FROM timing WHERE outcome = 'clean'",
		   "12|0|0");
}

/* A process that is at a checkpoint for good: it holds the lock of the log's index for that,
 * https://www.sqlite.org/walformat.html#wal_index_locks */
static pid_t checkpointer(void)
{
	int ready[2];
	cr_assert_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		char index[512];
		snprintf(index, sizeof index, "%s-shm", w.db);
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 121, .l_len = 1
		};
		int fd = open(index, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	char byte;
	cr_assert_eq(read(ready[0], &byte, 1), 1, "the index cannot be locked");
	close(ready[0]);
	return pid;
}

Test(migrate, a_checkpoint_of_somebody_else_is_not_in_the_way)
{
	make_old(1);
	sqlite3 *reader = NULL;
	cr_assert_eq(sqlite3_open(w.db, &reader), SQLITE_OK);
	run_sql(reader, "PRAGMA journal_mode = WAL; SELECT count(*) FROM version");
	pid_t pid = checkpointer();
	world_open(&w);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "2");
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_eq(sqlite3_close(reader), SQLITE_OK);
}

Test(migrate, what_waits_for_a_detector_says_so)
{
	world_open(&w);
	struct version *v = world_version("/r/a", 1);
	v->wait = WAIT_RETRY;
	v->away_since_ns = T0;
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, "SELECT path, waits_for FROM pending", "/r/a|detector");
	version_free(v);
}
