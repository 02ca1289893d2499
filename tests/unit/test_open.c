/* open: new, old, foreign and broken files; one store per history; crashes. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>

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

TestSuite(open, .init = setup, .fini = teardown);

static int try_open(bool create, struct error *err)
{
	struct store_options options = { .path = w.db, .create = create };
	*err = (struct error){ 0 };
	return store_open(&w.store, &options, err);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	char *said = NULL;
	cr_assert(sqlite3_open(path, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db, sql, NULL, NULL, &said) == SQLITE_OK, "%s", said);
	sqlite3_close(db);
}

Test(open, a_missing_file_is_made_only_when_asked)
{
	struct error err;
	cr_expect(try_open(false, &err) == -ENOENT);
	cr_expect(strstr(err.text, w.db), "%s", err.text);
	cr_expect(access(w.db, F_OK) < 0);
	cr_assert(try_open(true, &err) == 0, "%s", err.text);
	world_close(&w);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "0");
	EXPECT_SQL(&w, "PRAGMA application_id", "1129469508");
	EXPECT_SQL(&w, "PRAGMA page_size", "8192");
}

Test(open, an_empty_file_is_made_only_when_asked)
{
	struct error err;
	world_write_file(w.db, "", 0);
	cr_expect(try_open(false, &err) == -EINVAL);
	cr_expect(strstr(err.text, "empty"), "%s", err.text);
	cr_assert(try_open(true, &err) == 0, "%s", err.text);
}

/* Each makes w.db. */
static void make_text(void)
{
	world_write_file(w.db, "precious notes\n", 15);
}

static void make_zeros(void)
{
	char zeros[4096] = { 0 };
	world_write_file(w.db, zeros, sizeof zeros);
}

static void make_foreign(void)
{
	run_sql(w.db, "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
}

static void make_foreign_wal(void)
{
	run_sql(w.db,
		"PRAGMA journal_mode = WAL; PRAGMA application_id = 5; CREATE TABLE mine (x)");
}

static void make_newer(void)
{
	struct error err;
	cr_assert(try_open(true, &err) == 0);
	world_close(&w);
	run_sql(w.db, "PRAGMA user_version = 999");
}

/* Newer only in the log, as after a crash of the newer carved. */
static void make_newer_in_wal(void)
{
	struct error err;
	cr_assert(try_open(true, &err) == 0);
	world_close(&w);
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db = NULL;
		sqlite3_open(w.db, &db);
		sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL);
		_exit(0); /* no close: no checkpoint */
	}
	waitpid(pid, NULL, 0);
}

static void break_bytes(long at, size_t len)
{
	FILE *file = fopen(w.db, "r+");
	fseek(file, at, SEEK_SET);
	for (size_t i = 0; i < len; i++)
		putc('x', file);
	fclose(file);
}

static void make_corrupt(void)
{
	struct error err;
	cr_assert(try_open(true, &err) == 0);
	world_close(&w);
	break_bytes(100, 4000); /* the schema's page */
}

static void make_cut(void)
{
	struct error err;
	cr_assert(try_open(true, &err) == 0);
	world_close(&w);
	cr_assert(truncate(w.db, 8192 + 100) == 0);
}

struct refusal {
	const char *name;
	void (*make)(void);
	const char *says;
};

static const struct refusal refusals[] = {
	{ "text", make_text, "not an SQLite database" },
	{ "zeros", make_zeros, "not an SQLite database" },
	{ "foreign", make_foreign, "another application" },
	{ "foreign, WAL", make_foreign_wal, "another application" },
	{ "newer", make_newer, "newer" },
	{ "newer in the log", make_newer_in_wal, "newer" },
	{ "corrupt", make_corrupt, "corrupt" },
	{ "cut off", make_cut, "corrupt" },
};

Test(open, what_is_not_ours_is_refused_and_keeps_every_byte)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *refusal = &refusals[i];
		struct error err;
		refusal->make();
		uint64_t before = world_file_hash(w.db);
		for (int create = 0; create < 2; create++) {
			cr_expect(try_open(create, &err) == -EINVAL, "%s: %s", refusal->name,
				  err.text);
			cr_expect(strstr(err.text, refusal->says) && strstr(err.text, w.db),
				  "%s: %s", refusal->name, err.text);
		}
		cr_expect(world_file_hash(w.db) == before, "%s was altered", refusal->name);
		char command[400];
		snprintf(command, sizeof command, "rm -f %s %s-wal %s-shm", w.db, w.db, w.db);
		cr_assert(system(command) == 0);
	}
}

Test(open, a_directory_or_fifo_is_refused)
{
	struct error err;
	cr_assert(mkfifo(w.db, 0600) == 0);
	cr_expect(try_open(true, &err) == -EINVAL, "%s", err.text);
	unlink(w.db);
	cr_assert(mkdir(w.db, 0700) == 0);
	cr_expect(try_open(true, &err) < 0);
}

Test(open, one_process_opens_a_history_once)
{
	struct error err;
	struct store *second = NULL;
	cr_assert(try_open(true, &err) == 0);
	char alias[128];
	snprintf(alias, sizeof alias, "%s/alias.db", w.dir);
	cr_assert(symlink(w.db, alias) == 0);
	const char *const names[] = { w.db, alias };
	for (int i = 0; i < 2; i++) {
		struct store_options options = { .path = names[i], .create = true };
		cr_expect(store_open(&second, &options, &err) == -EBUSY);
		cr_expect(strstr(err.text, "this process"), "%s", err.text);
	}
	/* the first is whole still */
	world_put(&w, world_version("/r/a", 1));
	store_close(w.store);
	w.store = NULL;
	cr_expect(try_open(true, &err) == 0, "%s", err.text);
}

static pid_t other_process_opens(void)
{
	struct error err;
	int ready[2];
	char got = 0;
	cr_assert(pipe(ready) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)!write(ready[1], try_open(true, &err) == 0 ? "y" : "n", 1);
		pause();
		_exit(0);
	}
	cr_assert(read(ready[0], &got, 1) == 1 && got == 'y');
	return pid;
}

static void check_lock_dies_with(pid_t pid)
{
	struct error err;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_expect(try_open(true, &err) == 0, "the dead hold no lock: %s", err.text);
}

Test(open, another_process_is_named)
{
	struct error err;
	char number[32];
	pid_t pid = other_process_opens();
	cr_expect(try_open(true, &err) == -EBUSY);
	snprintf(number, sizeof number, "process %d)", (int)pid);
	cr_expect(strstr(err.text, number) && strstr(err.text, w.db), "%s", err.text);
	check_lock_dies_with(pid);
}

/* What a store's child inherits does not keep the next daemon out. Ours are all spawned. */
Test(open, an_orphan_does_not_hold_the_lock)
{
	struct error err;
	int ready[2];
	cr_assert(pipe(ready) == 0);
	pid_t daemon = fork();
	if (daemon == 0) {
		int result = try_open(true, &err);
		pid_t orphan = fork();
		if (orphan == 0) {
			(void)execlp("sleep", "sleep", "600", (char *)NULL);
			_exit(127);
		}
		(void)!write(ready[1], result == 0 ? &orphan : &(pid_t){ 0 }, sizeof orphan);
		_exit(0);
	}
	pid_t orphan = 0;
	cr_assert(read(ready[0], &orphan, sizeof orphan) == sizeof orphan && orphan > 0);
	waitpid(daemon, NULL, 0);
	cr_expect(try_open(true, &err) == 0, "%s", err.text);
	kill(orphan, SIGKILL);
}

Test(open, a_lock_file_that_was_removed_lets_nobody_in)
{
	struct error err;
	char lock[256];
	pid_t pid = other_process_opens();
	snprintf(lock, sizeof lock, "%s.lock", w.db);
	cr_assert(unlink(lock) == 0);
	cr_expect(try_open(true, &err) == -EBUSY);
	cr_expect(strstr(err.text, w.db) && strstr(err.text, "another name"), "%s", err.text);
	check_lock_dies_with(pid);
}

Test(open, a_history_with_two_names_is_refused)
{
	struct error err;
	char other[256];
	cr_assert(try_open(true, &err) == 0);
	store_close(w.store);
	w.store = NULL;
	snprintf(other, sizeof other, "%s/other.db", w.dir);
	cr_assert(link(w.db, other) == 0);
	cr_expect(try_open(true, &err) == -EINVAL);
	cr_expect(strstr(err.text, "hard links"), "%s", err.text);
	cr_assert(unlink(other) == 0);
	cr_expect(try_open(true, &err) == 0, "%s", err.text);
}

/* kill -9 in the middle of writing, ten times over: whole batches, nothing twice. */
Test(open, a_killed_writer_leaves_a_consistent_history)
{
	enum {
		FILES = 20000
	};
	struct error err;
	for (int round = 0; round < 10; round++) {
		int ready[2];
		cr_assert(pipe(ready) == 0);
		pid_t pid = fork();
		if (pid == 0) {
			if (try_open(true, &err) < 0)
				_exit(1);
			for (unsigned i = 0; i < FILES; i++) {
				char path[64];
				struct store_op *op = xcalloc(1, sizeof *op);
				snprintf(path, sizeof path, "/r/d%u/f%u", i % 7, i);
				op->verb = STORE_SAVE;
				op->version = world_version(path, i);
				if (i % 3)
					world_finish(op->version, OUTCOME_CLEAN);
				list_init(&op->link);
				store_submit(w.store, op);
				if (i == (unsigned)round * 1500)
					(void)!write(ready[1], "x", 1);
			}
			pause();
		}
		char got;
		close(ready[1]);
		cr_assert(read(ready[0], &got, 1) == 1);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(ready[0]);
		world_open(&w);
		EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
		EXPECT_SQL(&w, "SELECT count(*) - count(DISTINCT path) FROM file", "0");
		EXPECT_SQL(&w,
			   "SELECT count(*) FROM file WHERE (state = 'done') <>"
			   " (SELECT count(*) FROM scan WHERE file_id = file.id)",
			   "0");
		world_tally_is_right(&w);
		world_close(&w);
	}
}

static int as_nobody_in(const char *dir, const char *db, const char *sql, const char *wanted)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct error err = { 0 };
		AUTO_STR out = STR_INIT;
		if (chdir(dir) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(3);
		int result = store_query(db, sql, NULL, 0, world_cell, &out, &err);
		if (result < 0)
			fprintf(stderr, "%s\n", err.text);
		_exit(result == 0 && strcmp(str_text(&out), wanted) == 0 ? 0 : 1);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(open, another_user_reads_while_it_runs_and_after_it_stopped)
{
	if (getuid() != 0)
		cr_skip_test("needs root to become another user");
	static const char sql[] = "SELECT count(*) FROM file";
	cr_assert(chmod(w.dir, 0755) == 0);
	umask(022);
	world_open(&w);
	world_put(&w, world_version("/r/a", 1));
	cr_expect(as_nobody_in("/", w.db, sql, "1") == 0, "while it runs");
	world_put(&w, world_version("/r/b", 2));
	cr_expect(as_nobody_in("/", w.db, sql, "2") == 0, "and sees the latest");
	world_close(&w);
	cr_expect(as_nobody_in("/", w.db, sql, "2") == 0, "after it stopped");
	char side[128];
	snprintf(side, sizeof side, "%s-shm", w.db);
	unlink(side);
	snprintf(side, sizeof side, "%s-wal", w.db);
	unlink(side);
	cr_expect(as_nobody_in("/", w.db, sql, "2") == 0, "a copy without its log");
}

Test(open, another_user_reads_what_a_killed_daemon_left)
{
	if (getuid() != 0)
		cr_skip_test("needs root to become another user");
	cr_assert(chmod(w.dir, 0755) == 0);
	umask(022);
	pid_t pid = fork();
	if (pid == 0) {
		world_open(&w);
		world_put(&w, world_version("/r/a", 1));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cr_expect(as_nobody_in("/", w.db, "SELECT count(*) FROM file", "1") == 0);
}

/* Without the -shm, which this user cannot make, the log cannot be read, and the file alone lacks
 * what is in it. */
Test(open, what_is_in_the_log_is_not_left_out_behind_a_symlink)
{
	if (getuid() != 0)
		cr_skip_test("needs root to become another user");
	char name[128];
	cr_assert(chmod(w.dir, 0755) == 0);
	umask(022);
	pid_t pid = fork();
	if (pid == 0) {
		world_open(&w);
		world_put(&w, world_version("/r/a", 1));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	snprintf(name, sizeof name, "%s-shm", w.db);
	cr_assert(unlink(name) == 0);
	cr_expect(as_nobody_in("/", w.db, "SELECT count(*) FROM file", "0") != 0);
	snprintf(name, sizeof name, "%s/alias.db", w.dir);
	cr_assert(symlink(w.db, name) == 0);
	cr_expect(as_nobody_in("/", name, "SELECT count(*) FROM file", "0") != 0);
}

Test(open, what_was_submitted_is_written_before_the_close_ends)
{
	struct error err;
	cr_assert(try_open(true, &err) == 0);
	struct store_op ops[500];
	for (unsigned i = 0; i < 500; i++) {
		ops[i] = (struct store_op){ .verb = STORE_SAVE,
					    .version = world_version("/r/a", i) };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	store_close(w.store);
	w.store = NULL;
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "500");
	for (unsigned i = 0; i < 500; i++)
		version_free(ops[i].version);
}
