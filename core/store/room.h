/*
 * room: what the history holds of its disk before it needs it, so that it can be written while
 * others fill that disk to the last byte. Private to this room.
 *
 * Files are removed to make room, and each removal is written down before: a history that finds no
 * room for that can never make any. So where files are removed, the log is made long before it is
 * written, and the database has pages behind its last one. When the disk has no more to give, what
 * is held is for what gives most: first for everything but new rows, then for removals alone.
 */
#ifndef CARVED_CORE_STORE_ROOM_H
#define CARVED_CORE_STORE_ROOM_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct db;
struct error;
struct store_op;

/* What there is room for: what is named, and what stands below it. */
enum room_for {
	ROOM_FOR_ALL,
	ROOM_FOR_FILES,	   /* rows of files that have bytes, and attempts at them */
	ROOM_FOR_ENDS,	   /* of files that may go then, and give back bytes */
	ROOM_FOR_REMOVALS, /* of files, and ends of those that are given up for that */
};

struct room {
	const struct db *db; /* borrowed; its thread is the only one here, but where it says so */
	sqlite3_stmt *pages; /* NULL: nothing is held */
	int64_t page_bytes;
	int64_t log_bytes;   /* that the log is to have, at least */
	int64_t spare_bytes; /* that the database is to have, behind its last page or free in it */
	int64_t spare;	     /* that it has, when it was looked at last */
	int log_frames;	     /* how long the log may become before it is brought back */
	bool full;	     /* the disk has no more to give, or little */
	int file;	     /* the database; -1: none */
	/* set by its thread, and read by anybody */
	_Atomic enum room_for level;
	atomic_bool missing; /* less is held than is to be, as the disk had no more */
	/* anybody's */
	atomic_bool is_unable;	      /* the file system cannot do it */
	atomic_int_fast64_t target;   /* bytes that the file is to have */
	atomic_bool unscanned_may_go; /* files without an answer may be removed */
};

/** hold: whether something is to be held at all. Takes what there is. A disk that has nothing to
 * give is no failure. Before the writer's thread runs, or by it. */
int room_init(struct room *room, const struct db *db, bool hold, struct error *err);
/** Has room_keep() done before, and lets the log lie as it is when the database is closed. Nothing
 * where nothing is held. */
void room_done(struct room *room);
/** Only when no connection of this process is open any more (wal_index_release()). */
void room_release(struct room *room);
/** Takes what is missing of that which is to be held, and judges what there is room for. After a
 * commit, after a checkpoint, and whenever something was freed. */
void room_take(struct room *room);
/** Takes what is missing behind the database's last page, before others have it. Any thread. */
void room_grab(struct room *room);
/** Has the next checkpoint leave what is held. Right before it. */
void room_keep(const struct room *room);
/** How many operations may be written at once, at most most. */
int room_portion(const struct room *room, int most);
/** How many of this kind may be written although there is room only for others, as nothing else
 * goes: what can be removed then makes more room than it takes. idle: for some seconds nothing
 * has. */
int room_trickle(const struct room *room, enum room_for kind, bool idle);
/** What must there be room for to write this one? Any thread. */
enum room_for room_needed(const struct room *room, const struct store_op *op);

#endif
