/* writer: order, depth, the descriptor, and what happens while the database refuses. */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>

#include "core/store/writer.h"
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

TestSuite(writer, .init = setup, .fini = teardown);

static struct store_op *new_op(unsigned n)
{
	struct store_op *op = xcalloc(1, sizeof *op);
	char path[64];
	snprintf(path, sizeof path, "/r/f%u", n);
	op->verb = STORE_SAVE;
	op->version = world_version(path, n);
	world_finish(op->version, OUTCOME_CLEAN);
	op->owner = op;
	list_init(&op->link);
	return op;
}

static void free_op(struct store_op *op)
{
	version_free(op->version);
	free(op);
}

/* Frees what comes back until count have; they must come in the order of their numbers. */
static void expect_in_order(unsigned count)
{
	struct list out;
	list_init(&out);
	for (unsigned next = 0; next < count;) {
		struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 30000) == 1);
		store_committed(w.store, &out);
		for (struct list *at; (at = list_shift(&out)); next++) {
			struct store_op *op = LIST_OF(at, struct store_op, link);
			cr_assert(op->version->identity.inode == 1000 + next);
			cr_assert(op->result == STORE_WRITTEN && op->version->id > 0);
			free_op(op);
		}
	}
}

static bool poll_fd(int timeout_ms)
{
	struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
	return poll(&ready, 1, timeout_ms) == 1;
}

/* The descriptor tells of trouble; nothing has come back. */
static struct error wait_for_trouble(void)
{
	struct error err = { 0 };
	struct list out;
	list_init(&out);
	while (!store_trouble(w.store, &err)) {
		cr_assert(poll_fd(30000), "no word of the trouble");
		store_committed(w.store, &out);
		cr_assert(list_empty(&out));
	}
	return err;
}

Test(writer, operations_come_back_in_order_and_the_depth_falls_to_nothing)
{
	enum {
		COUNT = 25000
	}; /* more than one batch */

	for (unsigned i = 0; i < COUNT; i++)
		store_submit(w.store, new_op(i));
	expect_in_order(COUNT);
	cr_expect(store_depth(w.store) == 0);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "25000");
	world_tally_is_right(&w);
}

Test(writer, a_list_is_moved_whole)
{
	struct list ops;
	list_init(&ops);
	store_submit_list(w.store, &ops);
	for (unsigned i = 0; i < 100; i++)
		list_append(&ops, &new_op(i)->link);
	store_submit_list(w.store, &ops);
	cr_expect(list_empty(&ops));
	expect_in_order(100);
	world_tally_is_right(&w);
}

Test(writer, an_idle_store_says_nothing)
{
	store_submit(w.store, new_op(0));
	expect_in_order(1);
	cr_expect(!poll_fd(0));
	cr_expect(!store_trouble(w.store, NULL));
	world_tally_is_right(&w);
}

Test(writer, a_lock_is_waited_out_and_told)
{
	sqlite3 *other = NULL;
	cr_assert(sqlite3_open(w.db, &other) == SQLITE_OK);
	cr_assert(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	for (unsigned i = 0; i < 10; i++)
		store_submit(w.store, new_op(i));
	struct error err = wait_for_trouble();
	cr_expect(err.code == EBUSY && strstr(err.text, "locked") && strstr(err.text, w.db), "%s",
		  err.text);
	cr_expect(store_depth(w.store) == 10);
	cr_assert(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(other);
	expect_in_order(10);
	cr_expect(!store_trouble(w.store, NULL));
	world_tally_is_right(&w);
}

Test(writer, a_full_disk_is_told_and_nothing_is_lost)
{
	world_on_disk_of(&w, "1m");
	const char *filler = world_fill_disk(&w, 0);
	for (unsigned i = 0; i < 200; i++)
		store_submit(w.store, new_op(i));
	struct error err = wait_for_trouble();
	cr_expect(err.code == ENOSPC && strstr(err.text, "disk is full") && strstr(err.text, w.db),
		  "%s", err.text);
	cr_expect(store_refuses(w.store) && store_refuses_removals(w.store));
	cr_assert(unlink(filler) == 0);
	expect_in_order(200);
	cr_expect(!store_trouble(w.store, NULL) && !store_refuses_removals(w.store));
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "200");
}

/* A batch that touches all pages of the history needs a log that is as long. */
Test(writer, where_there_is_little_room_less_is_written_at_once)
{
	enum {
		COUNT = 20000
	};

	struct list ops;
	list_init(&ops);
	world_on_disk_of(&w, "24m");
	for (unsigned i = 0; i < COUNT; i++)
		list_append(&ops, &new_op(i)->link);
	store_submit_list(w.store, &ops);
	struct list back;
	list_init(&back);
	for (unsigned i = 0; i < COUNT;) {
		cr_assert(poll_fd(30000));
		store_committed(w.store, &back);
		for (struct list *at; (at = list_shift(&back)); i++)
			list_append(&ops, at);
	}
	LIST_FOREACH(at, &ops)
		LIST_OF(at, struct store_op, link)->verb = STORE_REFRESH;
	world_close(&w); /* the log is cut to nothing */
	(void)world_fill_disk(&w, 400 << 10);
	world_open(&w);
	store_submit_list(w.store, &ops);
	for (unsigned i = 0; i < COUNT;) {
		struct error err = { 0 };
		cr_assert(poll_fd(30000));
		cr_assert(!store_trouble(w.store, &err), "%s", err.text);
		store_committed(w.store, &back);
		for (struct list *at; (at = list_shift(&back)); i++) {
			struct store_op *op = LIST_OF(at, struct store_op, link);
			cr_assert_eq(op->version->identity.inode, 1000 + i);
			cr_assert_eq(op->result, STORE_WRITTEN);
			free_op(op);
		}
	}
	world_tally_is_right(&w);
}

Test(writer, an_io_error_is_told_and_nothing_is_lost)
{
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	cr_assert(getrlimit(RLIMIT_FSIZE, &before) == 0);
	struct rlimit tiny = { .rlim_cur = 64, .rlim_max = before.rlim_max };
	cr_assert(setrlimit(RLIMIT_FSIZE, &tiny) == 0);
	for (unsigned i = 0; i < 50; i++)
		store_submit(w.store, new_op(i));
	struct error err = wait_for_trouble();
	cr_expect(err.code == EFBIG && strstr(err.text, "I/O error") && strstr(err.text, w.db),
		  "%s", err.text);
	cr_assert(setrlimit(RLIMIT_FSIZE, &before) == 0);
	expect_in_order(50);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "50");
	world_tally_is_right(&w);
}

Test(writer, a_history_that_is_moved_away_is_told)
{
	char away[128];
	snprintf(away, sizeof away, "%s/away.db", w.dir);
	cr_assert(rename(w.db, away) == 0);
	store_submit(w.store, new_op(0));
	struct error err = wait_for_trouble();
	cr_expect(err.code == ESTALE && strstr(err.text, "moved"), "%s", err.text);
	cr_assert(rename(away, w.db) == 0);
	expect_in_order(1);
	world_tally_is_right(&w);
}

Test(writer, closing_in_trouble_gives_up)
{
	sqlite3 *other = NULL;
	cr_assert(sqlite3_open(w.db, &other) == SQLITE_OK);
	cr_assert(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	struct store_op *op = new_op(0);
	store_submit(w.store, op);
	(void)wait_for_trouble();
	world_close(&w);
	cr_expect(op->version->id == 0 && op->link.next == &op->link);
	free_op(op);
	cr_assert(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(other);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "0");
}

Test(writer, a_reader_and_the_writer_do_not_wait_for_each_other)
{
	store_reader_begin(w.reader);
	struct store_totals totals;
	struct error err = { 0 };
	cr_assert(store_totals(w.reader, &totals, &err) == 0 && totals.rows == 0);
	for (unsigned i = 0; i < 100; i++)
		store_submit(w.store, new_op(i));
	expect_in_order(100);
	cr_assert(store_totals(w.reader, &totals, &err) == 0 && totals.rows == 0, "its snapshot");
	store_reader_end(w.reader);
	cr_assert(store_totals(w.reader, &totals, &err) == 0 && totals.rows == 100, "the latest");
	world_tally_is_right(&w);
}
