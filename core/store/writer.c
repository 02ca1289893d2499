/*
 * writer: see writer.h, and store.h for what callers see.
 *
 * The writer takes whatever has gathered, commits it, hands it back, and looks again: alone on an
 * idle machine an operation is committed at once, under load the batches grow by themselves. Each
 * commit writes every page anew that it touched, and of an index with random keys that is nearly a
 * page a row; so when the last batch was a large one (more come in than a disk has commits a
 * second) the next is given a moment to grow. With nothing to do it sleeps on a condition.
 *
 * Checkpoints: SQLite's own run inside the commit that crosses 1000 pages and make it wait for two
 * fsyncs. Ours run after a batch was handed back, and while there is more to write only when the
 * log is eight times as long. One that did not come to its end is tried again after 5 s at the
 * latest, so that its trouble does not outlive its cause.
 *
 * Trouble: the batch stays in the writer's hands, in order, and is tried again, after 100 ms, 200
 * ms, ... 5 s.
 */
#include "core/store/writer.h"

#include <sys/eventfd.h>

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/store/batch.h"
#include "core/store/db.h"
#include "core/store/inplace.h"
#include "core/store/save.h"
#include "core/store/store.h"
#include "core/store/wal_reader.h"

enum {
	BATCH_MAX = 10000,
	BATCH_LARGE = 256,     /* after one of so many ... */
	BATCH_GROWN = 2048,    /* ... the next is to have so many, ... */
	BATCH_GROW_MS = 25,    /* ... or to have grown for so long */
	WAL_IDLE_FRAMES = 500, /* pages of 8 KiB: 4 MiB */
	WAL_BUSY_FRAMES = 4000,
	WAL_LONG_FRAMES = 8000,	    /* somebody holds an old snapshot and is named */
	WAL_ENDLESS_FRAMES = 16000, /* and is told of when there is no name */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 5000,
	WRITER_BUSY_MS = 1000, /* shorter than other connections': the trouble is to be told soon */
};

static void signal_owner(const struct store *store)
{
	uint64_t one = 1;
	ssize_t wrote = write(store->event_fd, &one, sizeof one);
	(void)wrote; /* EAGAIN: the counter is full, which wakes as well */
}

static int note_frames(void *context, sqlite3 *handle, const char *database, int frames)
{
	struct store *store = context;
	(void)handle;
	(void)database;
	store->wal_frames = frames;
	return SQLITE_OK;
}

static void set_trouble(struct store *store, struct error *slot, const struct error *err)
{
	lock_take(&store->lock);
	bool changed = slot->code != (err ? err->code : 0);
	if (err)
		*slot = *err;
	else
		slot->code = 0;
	lock_drop(&store->lock);
	if (changed)
		signal_owner(store);
}

/* The first operations of submitted, at most BATCH_MAX. */
static void take_batch(struct store *store, struct list *out)
{
	assert(lock_mine(&store->lock));
	if (store->depth <= BATCH_MAX) {
		list_splice(out, &store->submitted);
		return;
	}
	struct list *op;
	for (int i = 0; i < BATCH_MAX && (op = list_shift(&store->submitted)); i++)
		list_append(out, op);
}

static size_t count(struct list *ops)
{
	size_t total = 0;
	LIST_FOREACH(at, ops)
		total++;
	return total;
}

static void hand_back(struct store *store, struct list *batch)
{
	size_t done = count(batch);
	store->last_batch = done;
	lock_take(&store->lock);
	store->depth -= done;
	list_splice(&store->committed, batch);
	store->trouble.code = 0;
	lock_drop(&store->lock);
	signal_owner(store);
}

static int try_batch(struct store *store, struct list *batch, struct error *err)
{
	int result = inplace_check(&store->inplace, store->db, err);
	return result < 0 ? result : batch_write(store->db, store->save, store->absent, batch, err);
}

/* True when the store is being closed, at once then. */
static bool wait_a_while(struct store *store, int ms)
{
	struct mono until = mono_add_ms(mono_now(), ms);
	pulse_silent(ms);
	lock_take(&store->lock);
	while (!store->stopping && lock_wait_until(&store->lock, &store->wake, until.ns))
		;
	bool stopping = store->stopping;
	lock_drop(&store->lock);
	pulse_silent(0);
	return stopping;
}

/* Until it is written, or the store is being closed and the database refuses still: what is dropped
 * then is found again by the next start's reconcile. */
static bool write_batch(struct store *store, struct list *batch)
{
	struct error err = { 0 };
	bool last = false;
	for (int pause = BACKOFF_MIN_MS; try_batch(store, batch, &err) < 0; pause *= 2) {
		set_trouble(store, &store->trouble, &err);
		if (last)
			return false;
		if (pause > BACKOFF_MAX_MS)
			pause = BACKOFF_MAX_MS;
		last = wait_a_while(store, pause);
	}
	hand_back(store, batch);
	return true;
}

/* Readers that end soon are no trouble, nor is one of our own. But one in another container cannot
 * be seen, and the log must not fill the disk without a word. */
static void name_reader(const struct store *store, int frames, struct error *err)
{
	char reader[64];
	bool named = wal_reader_find(store->db->path, reader, sizeof reader);
	if (named || frames > WAL_ENDLESS_FRAMES)
		(void)error_set(
			err, EBUSY,
			"%s-wal has grown to %d MiB, as %s reads an old state of the history: "
			"end it",
			store->db->path, frames / 128,
			named ? reader : "somebody who cannot be seen (in another container?)");
}

static void checkpoint(struct store *store)
{
	lock_take(&store->lock);
	bool idle = list_empty(&store->submitted);
	bool again = store->wal_trouble.code != 0; /* however short it is by now */
	lock_drop(&store->lock);
	if (!again && store->wal_frames < (idle ? WAL_IDLE_FRAMES : WAL_BUSY_FRAMES))
		return;
	struct error gone = { 0 };
	if (again && inplace_check(&store->inplace, store->db, &gone) < 0)
		return; /* it is told when there is something to write */
	int log = 0;
	int done = 0;
	int rc = sqlite3_wal_checkpoint_v2(store->db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &log,
					   &done);
	struct error err = { 0 };
	if (rc != SQLITE_OK && rc != SQLITE_BUSY)
		(void)db_fail(store->db, rc, "checkpoint of the write-ahead log", &err);
	else if (done < log && log > WAL_LONG_FRAMES)
		name_reader(store, log, &err);
	set_trouble(store, &store->wal_trouble, err.code ? &err : NULL);
	if (rc == SQLITE_OK && done == log)
		store->wal_frames = 0;
}

/* Whether to wait on. A log that could not be brought back is tried again although nobody writes.
 */
static bool wait_for_work(struct store *store)
{
	assert(lock_mine(&store->lock));
	pulse_rest(&store->pulse);
	if (!store->wal_trouble.code) {
		lock_wait(&store->lock, &store->wake);
		return true;
	}
	struct mono until = mono_add_ms(mono_now(), BACKOFF_MAX_MS);
	bool woken = lock_wait_until(&store->lock, &store->wake, until.ns);
	pulse_work(&store->pulse); /* there is something to write, or the log to look at */
	return woken;
}

/* Lets the batch grow, when many operations are coming in. */
static void let_grow(struct store *store)
{
	assert(lock_mine(&store->lock));
	if (store->last_batch < BATCH_LARGE)
		return;
	struct mono until = mono_add_ms(mono_now(), BATCH_GROW_MS);
	while (store->depth < BATCH_GROWN && !store->stopping &&
	       lock_wait_until(&store->lock, &store->wake, until.ns))
		;
}

/* Takes what there is to write, or nothing when only the log is to be looked at. False: the store
 * is being closed, and all is written. */
static bool next_batch(struct store *store, struct list *out)
{
	lock_take(&store->lock);
	while (list_empty(&store->submitted) && !store->stopping && wait_for_work(store))
		;
	let_grow(store);
	take_batch(store, out);
	bool done = store->stopping && list_empty(out);
	lock_drop(&store->lock);
	return !done;
}

static void drop(struct list *ops)
{
	while (list_shift(ops))
		;
}

static void *run(void *context)
{
	struct store *store = context;
	struct list batch;
	list_init(&batch);
	(void)pthread_setname_np(pthread_self(), "store");
	pulse_take(&store->pulse);
	(void)sqlite3_busy_timeout(store->db->handle, WRITER_BUSY_MS);
	(void)sqlite3_wal_hook(store->db->handle, note_frames, store); /* no automatic checkpoint */
	while (next_batch(store, &batch) && (list_empty(&batch) || write_batch(store, &batch))) {
		pulse_beat();
		checkpoint(store);
		pulse_beat();
	}
	drop(&batch);
	return NULL;
}

int writer_start(struct store *store, struct error *err)
{
	pulse_init(&store->pulse, "store");
	int code = pthread_create(&store->thread, NULL, run, store);
	if (code == 0) {
		store->running = true;
		return 0;
	}
	pulse_done(&store->pulse);
	return error_set(err, code,
			 "cannot start the history's thread: %s (memory, ulimit -u, TasksMax=, "
			 "pids.max)",
			 error_text(code));
}

void writer_stop(struct store *store)
{
	if (!store->running)
		return;
	lock_take(&store->lock);
	store->stopping = true;
	(void)pthread_cond_broadcast(&store->wake);
	lock_drop(&store->lock);
	(void)pthread_join(store->thread, NULL);
	store->running = false;
	pulse_done(&store->pulse);
	drop(&store->submitted);
	drop(&store->committed);
}

/* Moves added operations from ops. The writer needs waking only when it has nothing, or waits for a
 * batch to grow: it looks again after each batch. */
static void submit(struct store *store, struct list *ops, size_t added)
{
	lock_take(&store->lock);
	bool grown = store->depth < BATCH_GROWN && store->depth + added >= BATCH_GROWN;
	bool wake = list_empty(&store->submitted) || grown;
	list_splice(&store->submitted, ops);
	store->depth += added;
	pulse_work(&store->pulse);
	if (wake)
		(void)pthread_cond_signal(&store->wake);
	lock_drop(&store->lock);
}

void store_submit(struct store *store, struct store_op *op)
{
	struct list ops;
	list_init(&ops);
	list_append(&ops, &op->link);
	submit(store, &ops, 1);
}

void store_submit_list(struct store *store, struct list *ops)
{
	size_t added = count(ops);
	if (added)
		submit(store, ops, added);
}

size_t store_depth(struct store *store)
{
	lock_take(&store->lock);
	size_t depth = store->depth;
	lock_drop(&store->lock);
	return depth;
}

int store_fd(const struct store *store)
{
	return store->event_fd;
}

void store_committed(struct store *store, struct list *out)
{
	uint64_t counter = 0;
	ssize_t got = read(store->event_fd, &counter, sizeof counter);
	(void)got; /* EAGAIN: nothing was signalled; the list is right all the same */
	lock_take(&store->lock);
	list_splice(out, &store->committed);
	lock_drop(&store->lock);
}

bool store_trouble(struct store *store, struct error *err)
{
	lock_take(&store->lock);
	const struct error *trouble = store->trouble.code ? &store->trouble : &store->wal_trouble;
	bool is = trouble->code != 0;
	if (is && err)
		*err = *trouble;
	lock_drop(&store->lock);
	return is;
}

bool store_refuses(struct store *store)
{
	lock_take(&store->lock);
	bool refuses = store->trouble.code != 0;
	lock_drop(&store->lock);
	return refuses;
}
