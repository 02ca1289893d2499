/* wal_reader: who reads is named. */
#include <signal.h>

#include "core/store/wal_reader.h"
#include "store_fixture.h"

static struct world w;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(wal_reader, .init = setup, .fini = teardown);

/* A child that holds a snapshot until it is killed. */
static pid_t start_reader(void)
{
	int ready[2];
	cr_assert(pipe(ready) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db = NULL;
		sqlite3_open_v2(w.db, &db, SQLITE_OPEN_READONLY, NULL);
		int rc = sqlite3_exec(db, "BEGIN; SELECT count(*) FROM version", NULL, NULL, NULL);
		(void)!write(ready[1], rc == SQLITE_OK ? "y" : "n", 1);
		pause();
		_exit(0);
	}
	char got = 0;
	cr_assert(read(ready[0], &got, 1) == 1 && got == 'y');
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(wal_reader, another_process_is_named_while_it_reads)
{
	char name[64];
	char wanted[32];
	world_put(&w, world_version("/r/a", 1));
	store_reader_begin(w.reader);
	cr_expect(!wal_reader_find(w.db, name, sizeof name), "we do not count");
	store_reader_end(w.reader);
	pid_t pid = start_reader();
	snprintf(wanted, sizeof wanted, "process %d (", (int)pid);
	cr_expect(wal_reader_find(w.db, name, sizeof name));
	cr_expect(strncmp(name, wanted, strlen(wanted)) == 0, "%s", name);
	stop(pid);
	cr_expect(!wal_reader_find(w.db, name, sizeof name));
	cr_expect(!wal_reader_find("/nowhere", name, sizeof name));
}

/* So much that the log, which cannot be reset, is longer than mebibytes. */
static void write_mebibytes(unsigned mebibytes)
{
	enum {
		DETAIL = 1 << 20
	};

	static unsigned number = 10;
	for (unsigned i = 0; i < mebibytes; i++) {
		struct version *v = world_version("/r/b", number++);
		world_finish(v, OUTCOME_CLEAN);
		v->findings[0].detail = xcalloc(1, DETAIL);
		memset(v->findings[0].detail, '1', DETAIL - 1);
		world_put(&w, v);
	}
}

/* Waits until there is trouble, or none any more. */
static struct error wait_for(bool trouble)
{
	struct error err = { 0 };
	struct list out;
	list_init(&out);
	while (store_trouble(w.store, &err) != trouble) {
		struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 30000) == 1, "no word of it");
		store_committed(w.store, &out);
	}
	return err;
}

Test(wal_reader, a_log_that_a_reader_lets_grow_is_told)
{
	world_put(&w, world_version("/r/a", 1));
	pid_t pid = start_reader();
	write_mebibytes(66);
	struct error err = wait_for(true);
	char wanted[32];
	snprintf(wanted, sizeof wanted, "process %d ", (int)pid);
	cr_expect(strstr(err.text, wanted) && strstr(err.text, "-wal"), "%s", err.text);
	stop(pid);
	(void)wait_for(false); /* though nothing is written any more */
}

/* Ours stands for one that cannot be seen: neither is found. */
Test(wal_reader, a_log_that_grows_on_is_told_without_a_name)
{
	world_put(&w, world_version("/r/a", 1));
	store_reader_begin(w.reader);
	struct store_totals totals;
	struct error err = { 0 };
	cr_assert(store_totals(w.reader, &totals, &err) == 0);
	write_mebibytes(66);
	world_put(&w, world_version("/r/x", 1));
	cr_expect(!store_trouble(w.store, &err), "one of our own is soon through: %s", err.text);
	write_mebibytes(64);
	err = wait_for(true);
	cr_expect(strstr(err.text, "container") && strstr(err.text, "-wal"), "%s", err.text);
	store_reader_end(w.reader);
	world_put(&w, world_version("/r/c", 1));
	(void)wait_for(false);
}
