/*
 * checkpoint: see checkpoint.h.
 *
 * SQLite's own checkpoints run inside the commit that crosses 1000 pages and make it wait for two
 * fsyncs. Ours run after a batch was handed back, and while there is more to write only when the
 * log is eight times as long. One that did not come to its end is tried again after 5 s at the
 * latest, so that its trouble does not outlive its cause.
 *
 * A log begins anew only when nobody reads it, so where readers come and go all the time it may
 * grow although all of it is in the database. On a small disk, or a full one, they are waited for.
 * SQLite waits for a lock that readers of an old state have; those that come meanwhile, and read
 * the newest, may hand it on from one to the other, which it sees only when it begins anew. So it
 * is made to wait several times, each for a part of the time.
 */
#include "core/store/checkpoint.h"

#include <errno.h>

#include "core/store/db.h"
#include "core/store/wal_reader.h"
#include "core/store/writer.h"

enum {
	WAL_IDLE_FRAMES = 500, /* pages of 8 KiB: 4 MiB */
	WAL_BUSY_FRAMES = 4000,
	WAL_LONG_FRAMES = 8000,	    /* somebody holds an old snapshot and is named */
	WAL_ENDLESS_FRAMES = 16000, /* and is told of when there is no name */
	WAIT_PAUSE_MS = 5000,	    /* that was waited for in vain, unless it is twice as long */
	WAITS = 5,		    /* parts of WRITER_BUSY_MS */
};

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

/* How long the log may become while there is more to write. */
static int busy_frames(const struct store *store)
{
	const struct room *room = &store->room;
	int most = room->log_frames < WAL_BUSY_FRAMES ? room->log_frames : WAL_BUSY_FRAMES;
	/* it is to stay within what it has */
	int held = room->full ? (int)(room->log_bytes / room->page_bytes / 4 * 3) : most;
	return held < most ? held : most;
}

/* The same as sqlite3_wal_checkpoint_v2(), SQLITE_CHECKPOINT_RESTART. */
static int wait_for_readers(const struct store *store, int *log, int *done)
{
	sqlite3 *handle = store->db->handle;
	int rc = SQLITE_BUSY;
	(void)sqlite3_busy_timeout(handle, WRITER_BUSY_MS / WAITS);
	for (unsigned i = 0; i < WAITS && rc == SQLITE_BUSY; i++)
		rc = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_RESTART, log, done);
	(void)sqlite3_busy_timeout(handle, WRITER_BUSY_MS);
	return rc;
}

bool checkpoint_run(struct store *store, bool wait)
{
	int log = 0;
	int done = 0;
	wait = wait && (mono_passed(store->wait_after) || store->wal_frames >= store->wait_frames);
	room_keep(&store->room);
	int rc = wait ? wait_for_readers(store, &log, &done)
		      : sqlite3_wal_checkpoint_v2(store->db->handle, NULL,
						  SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	struct error err = { 0 };
	if (rc != SQLITE_OK && rc != SQLITE_BUSY)
		(void)db_fail(store->db, rc, "checkpoint of the write-ahead log", &err);
	else if (done < log && log > WAL_LONG_FRAMES)
		name_reader(store, log, &err);
	writer_set_trouble(store, &store->wal_trouble, err.code ? &err : NULL);
	if (rc == SQLITE_OK && done == log) {
		store->wal_frames = 0;
	} else if (wait) {
		store->wait_after = mono_add_ms(mono_now(), WAIT_PAUSE_MS);
		store->wait_frames = 2 * store->wal_frames;
	}
	return store->wal_frames == 0;
}

void checkpoint_if_long(struct store *store)
{
	lock_take(&store->lock);
	bool idle = list_empty(&store->submitted);
	bool again = store->wal_trouble.code != 0; /* however short it is by now */
	lock_drop(&store->lock);
	int busy = busy_frames(store);
	int limit = !idle ? busy : busy / 4 < WAL_IDLE_FRAMES ? busy / 4 : WAL_IDLE_FRAMES;
	if (!again && store->wal_frames < limit)
		return;
	struct error gone = { 0 };
	if (again && inplace_check(&store->inplace, store->db, &gone) < 0)
		return; /* it is told when there is something to write */
	/* where there is little room, readers are waited for, so that it begins anew */
	(void)checkpoint_run(store, busy < WAL_BUSY_FRAMES && store->wal_frames >= busy);
}
