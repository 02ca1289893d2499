/*
 * writer: see writer.h, and store.h for what callers see.
 *
 * The writer takes whatever has gathered, commits it, hands it back, and looks again: alone on an
 * idle machine an operation is committed at once, under load the batches grow by themselves. Each
 * commit writes every page anew that it touched, and of an index with random keys that is nearly a
 * page a row; so when the last batch was a large one (more come in than a disk has commits a
 * second) the next is given a moment to grow. With nothing to do it sleeps on a condition.
 *
 * Trouble: the batch goes back to where it came from, in order, and is tried again, after 100 ms,
 * 200 ms, ... 5 s. Where the disk is full, that may be because the batch is large, or the log long:
 * so first the log is brought back, as one that begins anew needs no room, and half as much tried.
 * Where room is held (room.h) and becomes scarce, only what it is for is written, and the rest
 * waits.
 */
#include "core/store/writer.h"

#include <sys/eventfd.h>

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/store/batch.h"
#include "core/store/checkpoint.h"
#include "core/store/db.h"
#include "core/store/inplace.h"
#include "core/store/save.h"
#include "core/store/store.h"

enum {
	BATCH_MAX = 10000,
	BATCH_LARGE = 256,  /* after one of so many ... */
	BATCH_GROWN = 2048, /* ... the next is to have so many, ... */
	BATCH_GROW_MS = 25, /* ... or to have grown for so long */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 5000,
	ROOM_LOOK_MS = 250,  /* what was not freed by us is not told of */
	ROOM_IDLE_MS = 5000, /* others have what is freed */
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

void writer_set_trouble(struct store *store, struct error *slot, const struct error *err)
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

static size_t count(struct list *ops)
{
	size_t total = 0;
	LIST_FOREACH(at, ops)
		total++;
	return total;
}

/* The first operations of submitted that there is room for at this level. */
static void take_some(struct store *store, enum room_for level, int most, struct list *out)
{
	assert(lock_mine(&store->lock));
	struct list *next = store->submitted.next;
	for (struct list *at; (at = next) != &store->submitted && most > 0;) {
		next = at->next;
		if (room_needed(&store->room, LIST_OF(at, struct store_op, link)) < level)
			continue;
		list_unlink(at);
		list_append(out, at);
		most--;
	}
}

static void trickle(struct store *store, int most, struct list *out)
{
	const struct room *room = &store->room;
	const bool idle = mono_passed(mono_add_ms(store->moved, ROOM_IDLE_MS));
	for (enum room_for kind = ROOM_FOR_ENDS; kind > ROOM_FOR_ALL && list_empty(out); kind--) {
		int some = room_trickle(room, kind, idle);
		take_some(store, kind, some < most ? some : most, out);
	}
}

/* What is to be written next: mostly all, up to BATCH_MAX. When there is room for removals alone,
 * and nothing can be removed, some ends of files let it go on: each makes more room than it takes.
 */
static void take_batch(struct store *store, struct list *out)
{
	assert(lock_mine(&store->lock));
	const int most = room_portion(&store->room, store->portion);
	const enum room_for level = store->room.level;
	if (level == ROOM_FOR_ALL && store->depth <= (size_t)most)
		list_splice(out, &store->submitted);
	else
		take_some(store, level, most, out);
	if (list_empty(out) && store->trickles)
		trickle(store, most, out);
	store->trickles = false;
}

static void hand_back(struct store *store, struct list *batch)
{
	size_t done = count(batch);
	store->last_batch = done;
	store->moved = mono_now();
	store->portion = store->portion < BATCH_MAX / 2 ? store->portion * 2 : BATCH_MAX;
	store->last_try = false;
	store->pause_ms = BACKOFF_MIN_MS;
	lock_take(&store->lock);
	store->depth -= done;
	list_splice(&store->committed, batch);
	store->refuses = false;
	if (store->room.level == ROOM_FOR_ALL || list_empty(&store->submitted))
		store->trouble.code = 0;
	lock_drop(&store->lock);
	signal_owner(store);
}

/* Who waits for room to be had is told when it is. */
static void look_for_room(struct store *store)
{
	bool scarce = store->room.level != ROOM_FOR_ALL;
	room_take(&store->room);
	if (scarce != (store->room.level != ROOM_FOR_ALL))
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

/* A disk that is full, or a log at the limit of a file's size, while so many were tried: true when
 * it is worth trying again at once. */
static bool make_do(struct store *store, size_t tried)
{
	bool longer = store->wal_frames > 0;
	bool back = longer && checkpoint_run(store, true);
	look_for_room(store);
	if (tried > 1)
		store->portion = (int)(tried / 2);
	return tried > 1 || back;
}

/* What was submitted waits, and is tried again soon. False: as write_batch(). */
static bool refuse(struct store *store, const struct error *err)
{
	lock_take(&store->lock);
	store->refuses = true;
	lock_drop(&store->lock);
	writer_set_trouble(store, &store->trouble, err);
	if (store->last_try)
		return false;
	store->last_try = wait_a_while(store, store->pause_ms);
	store->pause_ms *= 2;
	if (store->pause_ms > BACKOFF_MAX_MS)
		store->pause_ms = BACKOFF_MAX_MS;
	return true;
}

/* Or gives it back to where it came from. False: the store is being closed, and the database
 * refuses still: what is dropped then is found again by the next start's reconcile. */
static bool write_batch(struct store *store, struct list *batch)
{
	struct error err = { 0 };
	size_t tried = count(batch);
	if (try_batch(store, batch, &err) == 0) {
		hand_back(store, batch);
		return true;
	}
	lock_take(&store->lock);
	list_splice_before(&store->submitted, batch);
	lock_drop(&store->lock);
	bool is_short = err.code == ENOSPC || err.code == EFBIG;
	return (is_short && make_do(store, tried)) || refuse(store, &err);
}

/* Whether to wait on. A log that could not be brought back is tried again although nobody writes,
 * and room that is missing looked for. */
static bool wait_for_work(struct store *store)
{
	assert(lock_mine(&store->lock));
	pulse_rest(&store->pulse);
	if (!store->wal_trouble.code && !store->room.missing) {
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
	if (store->last_batch < BATCH_LARGE || store->portion < BATCH_MAX ||
	    store->room.level != ROOM_FOR_ALL)
		return;
	struct mono until = mono_add_ms(mono_now(), BATCH_GROW_MS);
	while (store->depth < BATCH_GROWN && !store->stopping &&
	       lock_wait_until(&store->lock, &store->wake, until.ns))
		;
}

/* There is no room for anything of what was submitted: it waits. */
static void wait_for_room(struct store *store)
{
	assert(lock_mine(&store->lock));
	if (store->trouble.code != ENOSPC) {
		(void)error_set(&store->trouble, ENOSPC,
				"%s: the disk is full: free some space (what room the history has "
				"is kept for the removal of files)",
				store->db->path);
		signal_owner(store);
	}
	struct mono until = mono_add_ms(mono_now(), ROOM_LOOK_MS);
	store->holds = store->room.level;
	pulse_silent(ROOM_LOOK_MS);
	bool woken = true;
	while (woken && !store->stopping && !store->looks)
		woken = lock_wait_until(&store->lock, &store->wake, until.ns);
	store->trickles = !woken;
	pulse_silent(0);
	store->holds = ROOM_FOR_ALL;
}

/* Until there is something to write, or only the log or the room is to be looked at. */
static void wait_for_any(struct store *store)
{
	lock_take(&store->lock);
	while (list_empty(&store->submitted) && !store->stopping && !store->looks &&
	       wait_for_work(store))
		;
	let_grow(store);
	store->looks = false;
	lock_drop(&store->lock);
	look_for_room(store); /* others may have filled the disk since */
}

/* Takes what there is to write, if anything. False: the store is being closed, and all is written
 * that there is room for. */
static bool next_batch(struct store *store, struct list *out)
{
	wait_for_any(store);
	lock_take(&store->lock);
	take_batch(store, out);
	bool done = store->stopping && list_empty(out);
	if (list_empty(out) && !list_empty(&store->submitted) && !done)
		wait_for_room(store);
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
		checkpoint_if_long(store);
		look_for_room(store);
		pulse_beat();
	}
	drop(&batch);
	return NULL;
}

int writer_start(struct store *store, struct error *err)
{
	store->portion = BATCH_MAX;
	store->pause_ms = BACKOFF_MIN_MS;
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

/* Is there one that does not wait for room? */
static bool any_goes(const struct store *store, const struct list *ops)
{
	LIST_FOREACH(at, ops) {
		if (room_needed(&store->room, LIST_OF(at, struct store_op, link)) >= store->holds)
			return true;
	}
	return false;
}

/* Moves added operations from ops. The writer needs waking only when it has nothing, or waits for a
 * batch to grow: it looks again after each batch. */
static void submit(struct store *store, struct list *ops, size_t added)
{
	lock_take(&store->lock);
	bool grown = store->depth < BATCH_GROWN && store->depth + added >= BATCH_GROWN;
	bool wake = list_empty(&store->submitted) || grown;
	if (store->holds != ROOM_FOR_ALL && any_goes(store, ops))
		wake = store->looks = true;
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

bool store_refuses_removals(struct store *store)
{
	lock_take(&store->lock);
	bool refuses = store->refuses;
	lock_drop(&store->lock);
	return refuses;
}

bool store_spares_room(const struct store *store)
{
	return store->room.level != ROOM_FOR_ALL;
}

void store_look_for_room(struct store *store)
{
	if (!store->room.missing)
		return;
	room_grab(&store->room); /* the writer may be too late */
	lock_take(&store->lock);
	store->looks = true;
	(void)pthread_cond_signal(&store->wake);
	lock_drop(&store->lock);
}

void store_let_unscanned_go(struct store *store, bool may_go)
{
	atomic_store_explicit(&store->room.unscanned_may_go, may_go, memory_order_relaxed);
}
