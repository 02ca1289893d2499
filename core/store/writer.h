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

#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/lock.h"
#include "core/base/pulse.h"
#include "core/store/inplace.h"

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
	struct error trouble;	  /* code 0: none */
	struct error wal_trouble; /* the same for what concerns the log alone */
};

/** Starts the thread on store->db. */
int writer_start(struct store *store, struct error *err);
/** Lets it write what was submitted (once, if the database refuses) and ends it. */
void writer_stop(struct store *store);

#endif
