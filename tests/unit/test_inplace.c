/* inplace: files that were taken away from under an open history. */
#include <sys/wait.h>

#include <errno.h>

#include "core/store/db.h"
#include "core/store/inplace.h"
#include "store_fixture.h"

static struct world w;
static struct db *db;
static struct inplace inplace;

static void setup(void)
{
	struct error err = { 0 };
	world_init(&w);
	world_close(&w);
	cr_assert_eq(db_open_history(&db, w.db, DB_WRITE, &err), 0, "%s", err.text);
	cr_assert_eq(inplace_note(&inplace, db, &err), 0);
	cr_assert(inplace.wal && inplace.shm);
}

static void teardown(void)
{
	db_free(db);
	world_done(&w);
}

TestSuite(inplace, .init = setup, .fini = teardown);

static void expect_moved(const char *which)
{
	struct error err = { 0 };
	char name[160];
	snprintf(name, sizeof name, "%s%s: ", w.db, which);
	cr_expect_eq(inplace_check(&inplace, db, &err), -ESTALE);
	cr_expect(strstr(err.text, name), "%s", err.text);
}

static void take_away(const char *which)
{
	char path[160];
	snprintf(path, sizeof path, "%s%s", w.db, which);
	cr_assert_eq(unlink(path), 0);
}

static void replace(const char *which)
{
	char path[160];
	char other[176];
	snprintf(path, sizeof path, "%s%s", w.db, which);
	snprintf(other, sizeof other, "%s.other", path);
	FILE *file = fopen(other, "w");
	cr_assert(file && fclose(file) == 0);
	cr_assert_eq(rename(other, path), 0);
}

Test(inplace, all_is_well_however_often_it_is_written)
{
	struct error err = { 0 };
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(
			db_exec(db, "INSERT INTO gap (cause, opened_ns) VALUES ('down', 1)", &err),
			0);
		cr_assert_eq(sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE,
						       NULL, NULL),
			     SQLITE_OK);
		cr_assert_eq(inplace_check(&inplace, db, &err), 0, "%s", err.text);
	}
}

Test(inplace, a_history_that_is_removed_or_replaced)
{
	replace("");
	expect_moved("");
}

Test(inplace, an_index_of_the_log_that_is_removed_or_replaced)
{
	take_away("-shm");
	expect_moved("-shm");
}

Test(inplace, what_a_removed_log_held_is_saved)
{
	struct error err = { 0 };
	cr_assert_eq(db_exec(db, "INSERT INTO gap (cause, opened_ns) VALUES ('down', 4711)", &err),
		     0);
	take_away("-wal");
	expect_moved("-wal");
	/* as whoever is killed leaves it, and starts again */
	char command[256];
	snprintf(command, sizeof command, "mkdir %s/later && cp %s %s/later/", w.dir, w.db, w.dir);
	cr_assert_eq(system(command), 0);
	char later[128];
	snprintf(later, sizeof later, "%s/later/history.db", w.dir);
	struct db *copy = NULL;
	int64_t found = 0;
	cr_assert_eq(db_open_history(&copy, later, DB_READ, &err), 0, "%s", err.text);
	cr_assert_eq(
		db_integer(copy, "SELECT count(*) FROM gap WHERE opened_ns = 4711", &found, &err),
		0);
	cr_expect_eq(found, 1);
	db_free(copy);
}

Test(inplace, a_log_that_was_replaced_is_left_alone)
{
	replace("-wal");
	expect_moved("-wal");
}

Test(inplace, a_directory_that_may_not_be_searched_is_not_a_history_that_was_moved)
{
	struct error err = { 0 };
	if (geteuid() == 0)
		cr_assert_eq(seteuid(65534), 0);
	else
		cr_assert_eq(chmod(w.dir, 0), 0);
	int result = inplace_check(&inplace, db, &err);
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	else
		cr_assert_eq(chmod(w.dir, 0700), 0);
	cr_expect_eq(result, -EACCES);
	cr_expect(strstr(err.text, "Permission denied"), "%s", err.text);
	cr_expect_eq(inplace_check(&inplace, db, &err), 0);
}

Test(inplace, what_is_gone_at_once_is_not_taken_for_how_it_is)
{
	struct inplace later;
	struct error err = { 0 };
	take_away("-shm");
	cr_expect_eq(inplace_note(&later, db, &err), -ESTALE);
	cr_expect(strstr(err.text, "-shm: "), "%s", err.text);
}

/* As another process does it; its own exit checkpoints nothing, as we have the history open. */
static void write_elsewhere(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *other = NULL;
		bool done = sqlite3_open(w.db, &other) == SQLITE_OK &&
			    sqlite3_exec(other, "INSERT INTO dir (path, fsid) VALUES ('/other', 1)",
					 NULL, NULL, NULL) == SQLITE_OK;
		(void)sqlite3_close(other);
		_exit(done ? 0 : 1);
	}
	int status = -1;
	cr_assert(waitpid(pid, &status, 0) == pid && status == 0);
}

static void expect_integrity(void)
{
	db_free(db);
	db = NULL;
	take_away("-shm");
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
}

/* Its frames are in the index that we share, and nowhere. */
Test(inplace, a_log_that_somebody_else_wrote_and_that_is_gone_is_not_brought_in)
{
	cr_assert_eq(sqlite3_exec(db->handle, "INSERT INTO dir (path, fsid) VALUES ('/a', 1)", NULL,
				  NULL, NULL),
		     SQLITE_OK);
	cr_assert_eq(
		sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
		SQLITE_OK);
	cr_expect(inplace_log_fits(db));
	take_away("-wal");
	cr_expect(inplace_log_fits(db));
	write_elsewhere();
	cr_expect(!inplace_log_fits(db));
	take_away("-wal");
	expect_moved("-wal");
	expect_integrity();
}

Test(inplace, a_log_that_was_cut_short_is_told)
{
	struct error err = { 0 };
	char path[160];
	snprintf(path, sizeof path, "%s-wal", w.db);
	cr_assert_eq(sqlite3_exec(db->handle, "INSERT INTO dir (path, fsid) VALUES ('/a', 1)", NULL,
				  NULL, NULL),
		     SQLITE_OK);
	cr_expect_eq(inplace_check(&inplace, db, &err), 0);
	cr_assert_eq(truncate(path, 0), 0);
	expect_moved("-wal");
	struct db *another = NULL;
	cr_expect_lt(db_open_history(&another, w.db, DB_WRITE, &err), 0);
	expect_integrity();
}
