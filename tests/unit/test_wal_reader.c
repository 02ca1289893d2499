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

Test(wal_reader, a_log_that_a_reader_lets_grow_is_told)
{
	enum {
		COUNT = 8000,
		DETAIL = 12000
	};
	static struct store_op ops[COUNT];
	world_put(&w, world_version("/r/a", 1));
	pid_t pid = start_reader();
	for (unsigned i = 0; i < COUNT; i++) {
		struct version *v = world_version("/r/b", i + 10);
		world_finish(v, OUTCOME_CLEAN);
		v->findings[0].detail = xcalloc(1, DETAIL);
		memset(v->findings[0].detail, '1', DETAIL - 1);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = v };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	world_wait(&w, COUNT);
	struct error err = { 0 };
	struct list out;
	list_init(&out);
	while (!store_trouble(w.store, &err)) {
		struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 30000) == 1, "no word of it");
		store_committed(w.store, &out);
	}
	char wanted[32];
	snprintf(wanted, sizeof wanted, "process %d ", (int)pid);
	cr_expect(strstr(err.text, wanted) && strstr(err.text, "-wal"), "%s", err.text);
	stop(pid);
	cr_expect(world_do(&w, STORE_SAVE, ops[0].version) == STORE_KNOWN);
	world_put(&w, world_version("/r/c", 1));
	while (store_trouble(w.store, &err)) {
		struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 30000) == 1, "it is not over");
		store_committed(w.store, &out);
	}
	for (unsigned i = 0; i < COUNT; i++)
		version_free(ops[i].version);
}
