/* checkpoint: the log stays short, shorter where the disk is small. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

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

TestSuite(checkpoint, .init = setup, .fini = teardown);

static off_t log_bytes(void)
{
	char wal[128];
	struct stat st;
	snprintf(wal, sizeof wal, "%s-wal", w.db);
	cr_assert(stat(wal, &st) == 0, "it stays, for readers");
	return st.st_size;
}

static struct version *done(unsigned n)
{
	char path[64];
	snprintf(path, sizeof path, "/r/f%u", n);
	struct version *version = world_version(path, n);
	world_finish(version, OUTCOME_CLEAN);
	return version;
}

Test(checkpoint, the_log_is_brought_back_into_the_database)
{
	enum {
		COUNT = 60000
	};

	struct store_op *ops = xcalloc(COUNT, sizeof *ops);
	for (unsigned i = 0; i < COUNT; i++)
		ops[i].version = done(i);
	world_submit(&w, ops, COUNT);
	cr_expect_lt(log_bytes(), 64 << 20);
	world_close(&w);
	cr_expect_eq(log_bytes(), 0);
	world_open(&w);
	world_tally_is_right(&w);
	for (unsigned i = 0; i < COUNT; i++)
		version_free(ops[i].version);
	free(ops);
}

static atomic_bool reads;

static void *read_on(void *context)
{
	struct error err = { 0 };
	struct store_totals totals;
	struct store_reader *reader = context;
	while (atomic_load(&reads)) {
		store_reader_begin(reader);
		cr_assert(store_totals(reader, &totals, &err) == 0, "%s", err.text);
		(void)usleep(20000); /* as a question takes that long */
		store_reader_end(reader);
	}
	return NULL;
}

/* A log begins anew only when nobody reads it, and somebody does all the time. */
Test(checkpoint, whoever_reads_all_the_time_does_not_make_the_log_long)
{
	pthread_t threads[2];
	struct store_reader *readers[2];
	struct error err = { 0 };
	world_on_disk_of(&w, "2m");
	atomic_store(&reads, true);
	for (size_t i = 0; i < 2; i++) {
		cr_assert(store_reader_open(&readers[i], w.db, &err) == 0);
		cr_assert(pthread_create(&threads[i], NULL, read_on, readers[i]) == 0);
	}
	for (unsigned i = 0; i < 300; i++) {
		world_put(&w, done(i));
		cr_assert(!store_trouble(w.store, &err), "%s", err.text);
	}
	atomic_store(&reads, false);
	for (size_t i = 0; i < 2; i++) {
		cr_assert(pthread_join(threads[i], NULL) == 0);
		store_reader_free(readers[i]);
	}
	cr_expect_lt(log_bytes(), 1 << 20);
}

/* Each is a commit of its own, and somebody reads between any two. */
Test(checkpoint, on_a_small_disk_the_log_stays_small)
{
	struct error err = { 0 };
	struct store_totals totals;
	world_on_disk_of(&w, "2m");
	for (unsigned i = 0; i < 300; i++) {
		world_put(&w, done(i));
		cr_assert(store_totals(w.reader, &totals, &err) == 0 && totals.rows == i + 1);
		cr_assert(!store_trouble(w.store, &err), "%s", err.text);
	}
	cr_expect_lt(log_bytes(), 1 << 20);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "300");
}

/* False: it was not written, as err says. */
static bool written(struct store_op *op, struct error *err)
{
	struct list out;
	list_init(&out);
	store_submit(w.store, op);
	while (list_empty(&out)) {
		struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 60000) == 1);
		store_committed(w.store, &out);
		if (list_empty(&out) && store_trouble(w.store, err))
			return false;
	}
	list_unlink(&op->link);
	return true;
}

/* Who reads an old state all the time keeps the log from beginning anew: it grows, and when the
 * disk is full that is told, until they end. */
Test(checkpoint, who_reads_an_old_state_is_waited_for)
{
	struct error err = { 0 };
	struct store_totals totals;
	unsigned rows = 0;
	world_on_disk_of(&w, "2m");
	store_reader_begin(w.reader);
	cr_assert(store_totals(w.reader, &totals, &err) == 0 && totals.rows == 0);
	struct store_op op = { 0 };
	list_init(&op.link);
	for (bool goes_on = true; goes_on;) {
		version_free(op.version);
		op = (struct store_op){ .version = done(rows++) };
		list_init(&op.link);
		goes_on = written(&op, &err);
		cr_assert(rows < 10000, "the disk is never full");
	}
	cr_expect_eq(err.code, ENOSPC, "%s", err.text);
	store_reader_end(w.reader);
	world_wait(&w, 1);
	version_free(op.version);
	cr_expect(!store_trouble(w.store, NULL));
	cr_assert(store_totals(w.reader, &totals, &err) == 0 && totals.rows == rows);
}
