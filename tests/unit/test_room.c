/* room: what is held of the disk, through commits, checkpoints, a close and a full disk. */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>

#include "core/base/clock.h"
#include "core/store/writer.h"
#include "store_fixture.h"

static struct world w;
/* Those that were made, as some never come back. */
static struct store_op *made[16384];
static size_t made_count;

static void setup(void)
{
	world_init(&w);
	w.hold_room = true;
}

static void teardown(void)
{
	world_done(&w);
	while (made_count > 0) {
		version_free(made[--made_count]->version);
		free(made[made_count]);
	}
}

TestSuite(room, .init = setup, .fini = teardown);

static void open_anew(void)
{
	world_close(&w);
	world_open(&w);
}

static struct stat stat_of(const char *suffix)
{
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s%s", w.db, suffix);
	cr_assert(stat(path, &st) == 0);
	return st;
}

/* The writer looks for room behind each batch, when that has come back already. */
static void let_it_look(void)
{
	struct store_gap now = { .opened_ns = T0 };
	struct store_op op = { .verb = STORE_ALIVE, .gap = &now };
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
}

/* In the log and behind the last page, and none of it is a hole. */
static void expect_held(int64_t log_bytes, int64_t spare_bytes)
{
	if (w.store)
		let_it_look();
	struct stat log = stat_of("-wal");
	struct stat db = stat_of("");
	int64_t used =
		8192 * atoll(world_sql(&w, "SELECT page_count - freelist_count"
					   " FROM pragma_page_count, pragma_freelist_count"));
	cr_expect_geq(log.st_size, log_bytes);
	cr_expect_geq(log.st_blocks * 512, log_bytes);
	cr_expect_geq(db.st_size, used + spare_bytes / 8 * 7);
	cr_expect_leq(db.st_size, used + spare_bytes / 8 * 9);
	cr_expect_geq(db.st_blocks * 512, db.st_size);
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
}

static struct store_op *new_op(unsigned n, enum version_state state, int64_t size)
{
	struct store_op *op = xcalloc(1, sizeof *op);
	cr_assert_lt(made_count, sizeof made / sizeof *made);
	made[made_count++] = op;
	char path[64];
	snprintf(path, sizeof path, "/r/f%u", n);
	op->version = world_version(path, n);
	op->version->identity.size = size;
	if (state == VERSION_DONE)
		world_finish(op->version, OUTCOME_CLEAN);
	if (state == VERSION_UNSCANNED)
		world_fail(op->version, REASON_SHED);
	list_init(&op->link);
	return op;
}

static void put(unsigned from, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		store_submit(w.store, new_op(from + i, VERSION_DONE, 10));
	world_wait(&w, count);
}

Test(room, what_an_operation_needs)
{
	static const struct {
		enum store_verb verb;
		enum version_state state;
		enum version_reason reason;
		int64_t id, size;
		enum room_for need;
	} cases[] = {
		{ STORE_SAVE, VERSION_QUEUED, 0, 0, 10, ROOM_FOR_FILES },
		{ STORE_ADD, VERSION_QUEUED, 0, 0, 10, ROOM_FOR_FILES },
		{ STORE_SAVE, VERSION_QUEUED, 0, 1, 10, ROOM_FOR_FILES },
		{ STORE_SAVE, VERSION_QUEUED, 0, 0, 0, ROOM_FOR_ALL },
		{ STORE_SAVE, VERSION_DONE, 0, 0, 10, ROOM_FOR_ENDS },
		{ STORE_SAVE, VERSION_DONE, 0, 1, 10, ROOM_FOR_ENDS },
		{ STORE_SAVE, VERSION_DONE, 0, 1, 0, ROOM_FOR_ALL },
		{ STORE_SAVE, VERSION_UNSCANNED, REASON_SHED, 1, 10, ROOM_FOR_REMOVALS },
		{ STORE_SAVE, VERSION_UNSCANNED, REASON_SHED, 1, 0, ROOM_FOR_ALL },
		{ STORE_SAVE, VERSION_UNSCANNED, REASON_FAILED, 1, 10, ROOM_FOR_ALL },
		{ STORE_SAVE, VERSION_UNSCANNED, REASON_VANISHED, 1, 10, ROOM_FOR_ALL },
		{ STORE_REQUEUE, VERSION_QUEUED, 0, 1, 10, ROOM_FOR_ENDS },
		{ STORE_REQUEUE, VERSION_QUEUED, 0, 1, 0, ROOM_FOR_ALL },
		{ STORE_REFRESH, VERSION_DONE, 0, 1, 10, ROOM_FOR_ALL },
		{ STORE_MARK, VERSION_DONE, 0, 1, 10, ROOM_FOR_ALL },
	};

	struct room room = { 0 };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct version *version = world_version("/r/x", 1);
		version->id = cases[i].id;
		version->identity.size = cases[i].size;
		version->state = cases[i].state;
		version->reason = cases[i].reason;
		struct store_op op = { .verb = cases[i].verb, .version = version };
		cr_expect_eq(room_needed(&room, &op), cases[i].need, "case %zu", i);
		atomic_store(&room.unscanned_may_go, true);
		bool goes = cases[i].reason == REASON_FAILED;
		cr_expect_eq(room_needed(&room, &op), goes ? ROOM_FOR_ENDS : cases[i].need,
			     "case %zu", i);
		atomic_store(&room.unscanned_may_go, false);
		version_free(version);
	}
	struct store_removals removals = { 0 };
	struct store_gap gap = { 0 };
	cr_expect_eq(room_needed(&room,
				 &(struct store_op){ .verb = STORE_INTEND, .removals = &removals }),
		     ROOM_FOR_REMOVALS);
	cr_expect_eq(room_needed(&room, &(struct store_op){ .verb = STORE_GAP_OPEN, .gap = &gap }),
		     ROOM_FOR_REMOVALS);
}

Test(room, how_much_trickles)
{
	static const struct {
		int64_t spare;
		enum room_for kind;
		bool idle;
		int some;
	} cases[] = {
		{ 60, ROOM_FOR_ENDS, false, 16 }, { 20, ROOM_FOR_ENDS, false, 16 },
		{ 19, ROOM_FOR_ENDS, true, 0 },	  { 60, ROOM_FOR_FILES, false, 16 },
		{ 59, ROOM_FOR_FILES, false, 0 }, { 59, ROOM_FOR_FILES, true, 1 },
		{ 30, ROOM_FOR_FILES, true, 1 },  { 29, ROOM_FOR_FILES, true, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct room room = { .spare_bytes = 160, .spare = cases[i].spare };
		cr_expect_eq(room_trickle(&room, cases[i].kind, cases[i].idle), cases[i].some,
			     "case %zu", i);
	}
}

Test(room, nothing_is_held_where_nothing_is_removed)
{
	w.hold_room = false;
	open_anew();
	put(0, 10);
	cr_expect_lt(stat_of("-wal").st_size, 1 << 20);
	cr_expect_lt(stat_of("").st_size, 1 << 20);
	cr_expect_eq(room_portion(&w.store->room, 10000), 10000);
	cr_expect(!store_spares_room(w.store));
	store_look_for_room(w.store);
}

/* 32 MiB at most; and a checkpoint, which cuts the file, comes with so many rows. */
Test(room, is_held_through_checkpoints_and_a_close)
{
	open_anew();
	int64_t log = w.store->room.log_bytes;
	int64_t spare = w.store->room.spare_bytes;
	cr_expect_leq(log, 16 << 20);
	cr_expect_leq(spare, 16 << 20);
	expect_held(log, spare);
	for (unsigned i = 0; i < 4; i++) {
		put(i * 4000, 3000);
		expect_held(log, spare);
	}
	world_close(&w);
	expect_held(log, spare);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "12000");
	world_open(&w);
	expect_held(log, spare);
	put(16000, 10);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "12010");
	world_tally_is_right(&w);
}

/* Whoever may only read takes the history for complete in its one file. */
static void expect_no_log(void)
{
	char path[128];
	char head[32];
	static const char zeros[sizeof head];
	snprintf(path, sizeof path, "%s-wal", w.db);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(read(fd, head, sizeof head) == sizeof head);
	cr_expect_arr_eq(head, zeros, sizeof head);
	close(fd);
}

/* Who holds nothing any more gives the log back; the file keeps what it has for what comes. */
Test(room, is_not_held_by_a_run_without_removals)
{
	open_anew();
	put(0, 10);
	int64_t held = w.store->room.log_bytes + w.store->room.spare_bytes;
	world_close(&w);
	cr_expect_geq(stat_of("-wal").st_size + stat_of("").st_size, held);
	expect_no_log();
	off_t before = stat_of("").st_size;
	w.hold_room = false;
	world_open(&w);
	put(10, 10);
	world_close(&w);
	cr_expect_lt(stat_of("-wal").st_size, 1 << 20);
	cr_expect_leq(stat_of("").st_size, before);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "20");
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
}

/* A process that reads an old state from the first byte that it is sent to the second. */
static pid_t fork_reader(int *to, int *from)
{
	int down[2];
	int up[2];
	char byte;
	cr_assert(pipe(down) == 0 && pipe(up) == 0);
	pid_t reader = fork();
	if (reader == 0) {
		sqlite3 *handle = NULL;
		close(down[1]);
		bool reads = read(down[0], &byte, 1) == 1 &&
			     sqlite3_open(w.db, &handle) == SQLITE_OK &&
			     sqlite3_exec(handle, "BEGIN; SELECT count(*) FROM version", NULL, NULL,
					  NULL) == SQLITE_OK &&
			     write(up[1], "", 1) == 1 && read(down[0], &byte, 1) == 1;
		_exit(!reads);
	}
	close(down[0]);
	close(up[1]);
	*to = down[1];
	*from = up[0];
	return reader;
}

/* Another process has it open: what is in the log may be nowhere else. */
Test(room, the_log_stays_while_somebody_reads)
{
	int to;
	int from;
	char byte;
	int status;
	world_close(&w); /* no thread is to be there at the fork */
	pid_t reader = fork_reader(&to, &from);
	world_open(&w);
	put(0, 10);
	cr_assert(write(to, "", 1) == 1 && read(from, &byte, 1) == 1);
	put(10, 10);
	world_close(&w);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "20");
	cr_assert(write(to, "", 1) == 1);
	cr_assert(waitpid(reader, &status, 0) == reader && status == 0);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "20");
	world_open(&w);
	world_tally_is_right(&w);
}

static void wait_for_the_descriptor(void)
{
	struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
	cr_assert(poll(&ready, 1, 60000) == 1);
}

/* Others may come back with it, and are counted off *waiting. */
static void wait_for(const struct store_op *op, unsigned *waiting)
{
	struct list out;
	list_init(&out);
	for (bool found = false; !found;) {
		wait_for_the_descriptor();
		store_committed(w.store, &out);
		for (struct list *at; (at = list_shift(&out));) {
			found = found || at == &op->link;
			if (at == &op->link)
				continue;
			(*waiting)--;
		}
	}
}

static void wait_for_all(unsigned *waiting)
{
	struct list out;
	list_init(&out);
	while (*waiting > 0) {
		wait_for_the_descriptor();
		store_committed(w.store, &out);
		while (list_shift(&out))
			(*waiting)--;
	}
}

static void fill_with_rows(unsigned *waiting)
{
	enum {
		ROWS = 4000
	};

	for (unsigned i = 0; i < ROWS; i++)
		store_submit(w.store, new_op(100 + i, VERSION_QUEUED, 10));
	*waiting = ROWS;
	struct error err = { 0 };
	struct list out;
	list_init(&out);
	while (!store_trouble(w.store, &err)) {
		wait_for_the_descriptor();
		store_committed(w.store, &out);
		while (list_shift(&out))
			(*waiting)--;
	}
	cr_expect(err.code == ENOSPC && strstr(err.text, "the disk is full"), "%s", err.text);
}

static void intend(int64_t version_id, unsigned *waiting)
{
	struct store_removals removals = { 0 };
	struct removal removal = { .version_id = version_id,
				   .action = REMOVAL_DELETE,
				   .intended_ns = 5 };
	removals_add(&removals.list, &removal);
	struct store_op op = { .verb = STORE_INTEND, .removals = &removals };
	list_init(&op.link);
	store_submit(w.store, &op);
	wait_for(&op, waiting);
	cr_expect_eq(op.result, STORE_WRITTEN);
	cr_expect_gt(removals.list.items[0].id, 0);
	removals_done(&removals.list);
}

/* The end of a row that waits. */
static void end(int64_t id, unsigned n, unsigned *waiting)
{
	struct store_op *op = new_op(n, VERSION_DONE, 10);
	op->version->id = id;
	store_submit(w.store, op);
	wait_for(op, waiting);
	cr_expect_eq(op->result, STORE_WRITTEN);
}

/* Whoever fills the disk finds nothing to take, and whoever removes files goes on. */
Test(room, of_a_full_disk_new_rows_get_no_more_than_half)
{
	unsigned waiting = 0;
	world_on_disk_of(&w, "24m");
	const struct room *room = &w.store->room;
	put(0, 10);
	int64_t queued = world_put(&w, world_version("/r/f50", 50));
	const char *filler = world_fill_disk(&w, 0);
	fill_with_rows(&waiting);
	cr_expect_gt(waiting, 1000);
	cr_expect(store_spares_room(w.store) && store_refuses(w.store));
	cr_expect(!store_refuses_removals(w.store));
	int64_t used = 8192 * atoll(world_sql(&w, "SELECT page_count FROM pragma_page_count"));
	cr_expect_geq(stat_of("").st_size, used + room->spare_bytes / 4);
	for (int64_t id = 1; id <= 10; id++)
		intend(id, &waiting);
	end(queued, 50, &waiting);
	intend(queued, &waiting);
	EXPECT_SQL(&w, "SELECT count(*) FROM removal", "11");
	EXPECT_SQL(&w, "SELECT count(*) FROM file WHERE state = 'done'", "11");
	cr_expect_gt(waiting, 1000);
	cr_expect(store_trouble(w.store, NULL), "the others wait still");
	cr_assert(unlink(filler) == 0);
	store_look_for_room(w.store);
	wait_for_all(&waiting);
	cr_expect(!store_trouble(w.store, NULL) && !store_spares_room(w.store));
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "4011");
	expect_held(room->log_bytes, room->spare_bytes);
	world_tally_is_right(&w);
}

/* As where the file system does not know how: nobody waits for what cannot be had. */
Test(room, where_nothing_can_be_held_everything_is_written)
{
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	w.hold_room = false; /* at first, so that no file is long */
	world_on_disk_of(&w, "24m");
	world_close(&w);
	w.hold_room = true;
	cr_assert(getrlimit(RLIMIT_FSIZE, &before) == 0);
	struct rlimit small = { .rlim_cur = 600 << 10, .rlim_max = before.rlim_max };
	cr_assert(setrlimit(RLIMIT_FSIZE, &small) == 0); /* EFBIG */
	world_open(&w);
	for (unsigned i = 0; i < 100; i++) /* the log comes to it again and again */
		put(i, 1);
	cr_expect(!store_spares_room(w.store) && !store_trouble(w.store, NULL));
	cr_assert(setrlimit(RLIMIT_FSIZE, &before) == 0);
	put(100, 100);
	EXPECT_SQL(&w, "SELECT count(*) FROM file", "200");
}

/* Less than a page of it, say: rounded up by the next checkpoint, that would be a hole, for which
 * there is no room when it is written to. */
Test(room, what_a_full_disk_gave_is_no_hole)
{
	world_on_disk_of(&w, "24m");
	(void)world_fill_disk(&w, 4096);
	for (unsigned i = 0; i < 10; i++) {
		put(i * 100, 100);
		let_it_look();
		struct stat db = stat_of("");
		cr_expect_geq(db.st_blocks * 512, db.st_size);
	}
}

/* It may be full before the next batch is written: none is to need more than what is held. */
Test(room, on_a_disk_that_may_be_full_soon_less_is_written_at_once)
{
	world_on_disk_of(&w, "24m");
	const struct room *room = &w.store->room;
	cr_expect(!room->full && room_portion(room, 10000) == 10000);
	const char *filler = world_fill_disk(&w, 4 << 20);
	let_it_look();
	let_it_look();
	cr_expect(room->full);
	cr_expect_eq(room->level, ROOM_FOR_ALL);
	cr_expect_lt(room_portion(room, 10000), 100);
	cr_assert(unlink(filler) == 0);
	let_it_look();
	let_it_look();
	cr_expect(!room->full && room_portion(room, 10000) == 10000);
}

/* Thousands of removals, of which the disk gets nothing back. */
Test(room, a_thousand_removals_find_room_on_a_full_disk)
{
	unsigned waiting = 0;
	world_on_disk_of(&w, "24m");
	put(0, 1000);
	(void)world_fill_disk(&w, 0);
	fill_with_rows(&waiting);
	for (int64_t id = 1; id <= 1000; id++)
		intend(id, &waiting);
	EXPECT_SQL(&w, "SELECT count(*) FROM removal", "1000");
	cr_expect(!store_refuses_removals(w.store));
	world_close(&w);
	world_open(&w);
	EXPECT_SQL(&w, "PRAGMA integrity_check", "ok");
	EXPECT_SQL(&w, "SELECT count(*) FROM removal", "1000");
}

/* So many come back. */
static void take(unsigned count, unsigned *waiting)
{
	struct list out;
	list_init(&out);
	for (unsigned i = 0; i < count;) {
		wait_for_the_descriptor();
		store_committed(w.store, &out);
		for (; list_shift(&out); i++)
			(*waiting)--;
	}
}

/* When there is room for removals alone and nothing can be removed, files get their ends, few at a
 * time: so there is something that can. */
Test(room, ends_trickle_where_nothing_else_goes)
{
	unsigned waiting = 0;
	world_on_disk_of(&w, "24m");
	(void)world_fill_disk(&w, 0);
	fill_with_rows(&waiting);
	for (unsigned i = 0; i < 3000; i++, waiting++)
		store_submit(w.store, new_op(5000 + i, VERSION_DONE, 10));
	while (w.store->room.level != ROOM_FOR_REMOVALS)
		take(1, &waiting);
	take(40, &waiting);
	cr_expect_eq(w.store->room.level, ROOM_FOR_REMOVALS);
	cr_expect(!store_refuses_removals(w.store));
	EXPECT_SQL(&w, "SELECT count(*) > 40 FROM file WHERE state = 'done'", "1");
}
