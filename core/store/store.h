/*
 * store: the history's one writer.
 *
 * A thread of its own owns the writing connection. Operations arrive by store_submit() from any
 * thread, are written many to a transaction (whatever has gathered while the last commit ran), and
 * come back after the commit by store_committed(), in the order of submission; but when the disk is
 * full, what makes room (room.h) does not wait behind others. The database is also the queue.
 *
 * A crash before a commit loses nothing: reconcile finds the files again. A recorded outcome is
 * never recorded twice: a row that is done or unscanned is not written again by STORE_SAVE.
 */
#ifndef CARVED_CORE_STORE_STORE_H
#define CARVED_CORE_STORE_STORE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/mem.h"
#include "core/store/op.h"

struct error;
struct store;

struct store_options {
	const char *path;
	bool create;		  /* make it when missing */
	const char *const *sinks; /* who is told of events, NULL-terminated: see events.h */
	bool hold_room; /* files are removed to make room: it is to have some of its own for that
			   (room.h) */
};

/**
 * Opens (or makes) the history: takes the fcntl lock on "<path>.lock", checks that the file is ours
 * (application_id, user_version; nothing is altered before), brings the schema up to date step by
 * step, starts the writer. -EBUSY: another daemon has it (err names its pid). -EINVAL: newer,
 * corrupt, or not ours. err always names the file and what to mend.
 */
int store_open(struct store **out, const struct store_options *options, struct error *err);
/** Writes and commits what was submitted, stops the writer, checkpoints, frees. Committed
 * operations that were not fetched are dropped. NULL is fine. */
void store_close(struct store *store);

/** Moves op to the writer. Any thread. */
void store_submit(struct store *store, struct store_op *op);
/** Moves a whole list of operations (a head) under one lock. */
void store_submit_list(struct store *store, struct list *ops);
/** Operations that were submitted and are not committed; the loop stops taking events when many. */
size_t store_depth(struct store *store);
/** Readable when store_committed() has something, or when store_trouble() changed. */
int store_fd(const struct store *store);
/** Moves the committed operations to the end of out. One thread (the loop). */
void store_committed(struct store *store, struct list *out);
/** While the database refuses writes (disk full, locked, I/O error) the writer holds everything and
 * tries again with backoff; this tells so: true and err filled. So it is when the disk is full and
 * only removals are written by now. So it is when the write-ahead log
 * cannot be brought back into the database, where writes go on: a failing disk, or a process that
 * holds an old snapshot while the log grows (err names it, if it can be seen). False when all is
 * well. Any thread. */
bool store_trouble(struct store *store, struct error *err);
/** Does it refuse writes? Then what is submitted waits. Any thread. */
bool store_refuses(struct store *store);
/** Does it refuse even to be told of removals, which have room when nothing else has? Any thread.
 */
bool store_refuses_removals(struct store *store);
/** Is there room left for little more than removals? Then ends of files that have no bytes wait, as
 * their removal makes none. Any thread. */
bool store_spares_room(const struct store *store);
/** Whether files that ended without an answer may be removed: then room is made by their ends too.
 * Any thread. */
void store_let_unscanned_go(struct store *store, bool may_go);
/** Something was freed on a disk, perhaps on the history's: it takes the room that it wants before
 * others have it. Cheap where it wants none. Any thread. */
void store_look_for_room(struct store *store);
/** Is this file the history, its lock, its log or the log's index? Nobody else may open them in
 * this process: closing any descriptor of a file gives up all its classic locks (fcntl(2)), and
 * SQLite's are such. Any thread. */
bool store_owns(const struct store *store, dev_t device, ino_t inode);
/** Wall time noted by the last STORE_ALIVE or row of an earlier run, 0 for a new history. */
int64_t store_last_alive_ns(const struct store *store);

#endif
