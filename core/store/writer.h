/*
 * writer: the thread that owns the writing connection. Private to this room.
 */
#ifndef CARVED_CORE_STORE_WRITER_H
#define CARVED_CORE_STORE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/lock.h"
#include "core/base/pulse.h"
#include "core/store/inplace.h"
#include "core/store/room.h"

/* How long its connection waits for others' locks. Shorter than other connections': the trouble is
 * to be told soon. */
#define WRITER_BUSY_MS 1000

struct absent;
struct db;
struct lockfile;
struct save;

struct store {
	struct lockfile *lockfile;
	struct inplace inplace; /* its log and index; fixed */
	struct db *db;		/* the writer thread's, from its start to its end */
	struct save *save;	/* the same */
	struct absent *absent;	/* fixed; what it points to is anybody's */
	size_t last_batch;	/* the same: how many operations it wrote last */
	int wal_frames;		/* the same: length of the write-ahead log after the last commit */
	struct mono wait_after; /* the same: no reader is waited for before, ... */
	int wait_frames;	/* the same: ... or before the log is so long */
	struct room room;	/* the same, but for what is anybody's there */
	int portion;		/* the same: how many operations it writes at once, at most */
	bool trickles;		/* the same: there was room for none, and a while has passed */
	struct mono moved;	/* the same: when something was written last */
	int index;		/* wal_index_hold()'s; the opener's */
	bool last_try;		/* the same: the store is being closed, and the database refuses */
	int pause_ms;		/* the same: until what was refused is tried again */
	int64_t last_alive_ns;
	int event_fd;
	bool running; /* the thread was started; the opener's */
	pthread_t thread;
	struct pulse pulse; /* the thread's: works from a submission until nothing is left */
	pthread_cond_t wake;
	struct lock lock;
	/* guarded by lock */
	struct list submitted;
	struct list committed;
	size_t depth; /* submitted and not committed, those in the writer's hands included */
	bool stopping;
	enum room_for holds;  /* the writer waits for room for what needs less; ALL: it does not */
	bool looks;	      /* and is to look for it, as something was freed */
	bool refuses;	      /* the last that was tried could not be written */
	struct error trouble; /* code 0: none */
	struct error wal_trouble; /* the same for what concerns the log alone */
};

/** Starts the thread on store->db. */
int writer_start(struct store *store, struct error *err);
/** Sets one of the store's troubles, NULL: there is none, and wakes the owner when it is another.
 * The writer's thread. */
void writer_set_trouble(struct store *store, struct error *slot, const struct error *err);
/** Lets it write what was submitted (once, if the database refuses) and ends it. */
void writer_stop(struct store *store);

#endif
