/*
 * room: see room.h.
 *
 * The log is made longer by fallocate(2): nothing but zeros lies behind its frames then, which are
 * no frames to SQLite, as what an earlier and longer log has left there is none
 * (https://www.sqlite.org/fileformat.html#walformat). It is cut to journal_size_limit whenever it
 * begins anew, so that is set to what is to be held; and at the end to no limit, as SQLite cuts a
 * log of which nothing is needed any more to nothing when the database is closed.
 *
 * Behind the end of the database's file nothing can be held: a complete checkpoint cuts the file to
 * its pages, and ext4 lets go of blocks there when a write fails. So the file itself is made
 * longer; SQLITE_FCNTL_CHUNK_SIZE makes a checkpoint cut it to a multiple of a size, and that size
 * is chosen anew before each (https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html). The
 * descriptor for that stays open as long as SQLite's, since closing one would give up its locks.
 *
 * Small disks have less to hold, and a log that is brought back earlier.
 *
 * What is held is spent in this order, in eighths of what is to be: new rows of any kind down to
 * four; rows of files with bytes, few at a time, down to three; ends that let files go, down to
 * two, and few at a time down to one; removals all of it. Of those few each makes more room than it
 * takes, if only others do not have it before. When nothing has moved for some seconds (others had
 * it) one row at a time may go down to one and a half: as soon as they let go, that is enough to
 * begin with.
 */
#include "core/store/room.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/store/db.h"
#include "core/store/op.h"

enum {
	FRAME_HEAD = 24,
	HOLD_MAX = 16 << 20,
	LOG_MIN = 256 << 10, /* a row touches seven pages and more */
	SPARE_MIN = 64 << 10,
	LOG_SHARE = 16, /* of the disk, one in so many */
	SPARE_SHARE = 32,
	SHORT_SHARE = 8,       /* the log before it is brought back */
	STEPS = 8,	       /* room is taken in so many, as much as there is */
	BATCH_SHARE = 4,       /* of what is spare, what is written at once takes one in so many; */
	BYTES_EACH = 16 << 10, /* an operation takes less, mostly a tenth of that */
	TRICKLE = 16,	       /* operations */
	NEARLY = 4,	       /* full, when there is so many times left what is held */
	CHUNK_MAX = 1 << 30,   /* SQLite's is an int */
};

static const char pages_sql[] = "SELECT (SELECT page_count FROM pragma_page_count),"
				" (SELECT freelist_count FROM pragma_freelist_count)";

struct pages {
	int64_t used; /* bytes of the file up to the last page */
	int64_t free; /* of these, in pages that are free */
	int64_t file; /* bytes of the file */
};

static int64_t within(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

static const char *log_path(const struct room *room)
{
	return sqlite3_filename_wal(sqlite3_db_filename(room->db->handle, "main"));
}

/* False: it cannot be told now. */
static bool look(const struct room *room, struct pages *out)
{
	struct stat st;
	bool got = sqlite3_step(room->pages) == SQLITE_ROW;
	if (got) {
		out->used = sqlite3_column_int64(room->pages, 0) * room->page_bytes;
		out->free = sqlite3_column_int64(room->pages, 1) * room->page_bytes;
	}
	(void)sqlite3_reset(room->pages);
	if (!got || stat(sqlite3_db_filename(room->db->handle, "main"), &st) < 0)
		return false;
	/* what a disk that became full gave less than a page of: rounded up, it would be a hole */
	out->file = st.st_size - st.st_size % room->page_bytes;
	return true;
}

/* Below 0 when pages are in the log alone that the file has no place for. */
static int64_t spare_of(const struct pages *pages)
{
	return pages->file - pages->used + pages->free;
}

/* False: there is no more. A log that is not there, or cannot be made longer for another reason, is
 * the next write's to tell of. */
static bool take_log(const struct room *room)
{
	struct stat st;
	int fd AUTO_CLOSE = open(log_path(room), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return true;
	const int64_t step = room->log_bytes / STEPS;
	for (int64_t at = st.st_size; at < room->log_bytes; at += step) {
		if (fallocate(fd, 0, at, within(room->log_bytes - at, 0, step)) < 0)
			return errno != ENOSPC && errno != EDQUOT;
	}
	return true;
}

/* Several threads may grow the file at once, or a checkpoint cut it: what is too much is cut later.
 * From the last page on, and not from the end that the file had when it was looked at: where it was
 * cut since there would be a hole, for which there is no room when it is written to. What is
 * allocated already costs nothing. */
void room_grab(struct room *room)
{
	struct stat st;
	const int64_t target = atomic_load_explicit(&room->target, memory_order_relaxed);
	if (room->file < 0 || fstat(room->file, &st) < 0)
		return;
	const int64_t floor = target - room->spare_bytes;
	int64_t at = st.st_size > floor ? st.st_size : floor;
	for (int64_t step = room->spare_bytes / STEPS; at < target && step >= room->page_bytes;) {
		int64_t bytes = within(target - at, 0, step);
		if (fallocate(room->file, 0, floor, at + bytes - floor) == 0)
			at += bytes;
		else if (errno == ENOSPC || errno == EDQUOT)
			step /= 2;
		else {
			if (errno != EINTR)
				atomic_store_explicit(&room->is_unable, true, memory_order_relaxed);
			return;
		}
	}
}

/* False: there is no more. */
static bool take_spare(struct room *room, struct pages *pages)
{
	const int64_t step = room->spare_bytes / STEPS;
	const int64_t target = pages->used + room->spare_bytes - pages->free;
	atomic_store_explicit(&room->target, target, memory_order_relaxed);
	if (spare_of(pages) > room->spare_bytes - step)
		return true; /* not with each commit */
	room_grab(room);
	return look(room, pages) && pages->file >= target;
}

/* May others fill it before what is written next is? Then what is held is to be spent with care. */
static bool is_nearly_full(const struct room *room)
{
	struct statvfs st;
	uint64_t least = (uint64_t)(room->log_bytes + room->spare_bytes) * NEARLY;
	return statvfs(sqlite3_db_filename(room->db->handle, "main"), &st) == 0 &&
	       st.f_bavail < least / st.f_frsize;
}

static enum room_for level_of(const struct room *room, int64_t spare)
{
	if (spare < room->spare_bytes / 8 * 2)
		return ROOM_FOR_REMOVALS;
	return spare < room->spare_bytes / 8 * 4 ? ROOM_FOR_ENDS : ROOM_FOR_ALL;
}

/* The file system cannot (NFS, FUSE), or may not: then everything is written as long as it can be.
 */
static void hold_nothing(struct room *room)
{
	sqlite3_finalize(TAKE(room->pages));
	room->full = false;
	room->missing = false;
	room->level = ROOM_FOR_ALL;
}

void room_take(struct room *room)
{
	struct pages pages = { 0 };
	if (!room->pages || !look(room, &pages))
		return;
	bool log = take_log(room);
	bool spare = take_spare(room, &pages);
	if (room->file < 0 || atomic_load_explicit(&room->is_unable, memory_order_relaxed)) {
		hold_nothing(room);
		return;
	}
	bool missing = !log || !spare;
	room->missing = missing;
	room->full = missing || is_nearly_full(room);
	enum room_for level = level_of(room, spare_of(&pages));
	if (level < room->level && room->full) /* not to and fro */
		level = level_of(room, spare_of(&pages) - room->spare_bytes / 8);
	room->level = level;
	room->spare = spare_of(&pages);
}

/* The file is cut to the smallest multiple of the chunk that holds its pages: to what it has by
 * now, and not more than it is to have. */
void room_keep(const struct room *room)
{
	struct pages pages = { 0 };
	if (!room->pages || !look(room, &pages))
		return;
	int64_t most = pages.used + within(room->spare_bytes - pages.free, 0, room->spare_bytes);
	int64_t kept = within(pages.file, pages.used, most);
	int64_t chunks = kept / CHUNK_MAX + 1;
	int64_t chunk = (kept + chunks - 1) / chunks;
	int bytes = (int)((chunk + room->page_bytes - 1) / room->page_bytes * room->page_bytes);
	(void)sqlite3_file_control(room->db->handle, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

static int limit_log(const struct room *room, int64_t bytes, struct error *err)
{
	AUTO_STR sql = STR_INIT;
	str_printf(&sql, "PRAGMA journal_size_limit = %lld", (long long)bytes);
	return db_exec(room->db, str_text(&sql), err);
}

static int hold_some(struct room *room, int64_t disk_bytes, struct error *err)
{
	room->log_bytes = within(disk_bytes / LOG_SHARE, LOG_MIN, HOLD_MAX);
	room->file = open(sqlite3_db_filename(room->db->handle, "main"), O_RDWR | O_CLOEXEC);
	room->spare_bytes = within(disk_bytes / SPARE_SHARE, SPARE_MIN, HOLD_MAX);
	room->spare_bytes -= room->spare_bytes % (room->page_bytes * STEPS);
	int result = limit_log(room, room->log_bytes, err);
	if (result == 0)
		result = db_prepare(room->db, &room->pages, pages_sql, err);
	return result;
}

int room_init(struct room *room, const struct db *db, bool hold, struct error *err)
{
	struct statvfs st;
	*room = (struct room){ .db = db, .log_frames = INT_MAX, .file = -1 };
	int result = db_integer(db, "PRAGMA page_size", &room->page_bytes, err);
	if (result < 0)
		return result;
	/* a file system that does not tell its size is taken for a large one */
	int64_t disk_bytes = INT64_MAX;
	if (statvfs(sqlite3_db_filename(db->handle, "main"), &st) == 0 && st.f_blocks > 0 &&
	    st.f_blocks < INT64_MAX / st.f_frsize)
		disk_bytes = (int64_t)(st.f_blocks * st.f_frsize);
	room->log_frames =
		(int)within(disk_bytes / SHORT_SHARE / (room->page_bytes + FRAME_HEAD), 1, INT_MAX);
	if (hold)
		result = hold_some(room, disk_bytes, err);
	if (result == 0)
		room_take(room);
	return result;
}

void room_done(struct room *room)
{
	struct error err = { 0 };
	if (!room->pages)
		return;
	room_keep(room);
	(void)limit_log(room, -1, &err); /* else it is cut, and held again by the next start */
	sqlite3_finalize(TAKE(room->pages));
}

void room_release(struct room *room)
{
	if (room->file >= 0)
		fd_close(room->file);
}

int room_portion(const struct room *room, int most)
{
	if (!room->full)
		return most;
	return (int)within(room->spare_bytes / BATCH_SHARE / BYTES_EACH, 1, most);
}

int room_trickle(const struct room *room, enum room_for kind, bool idle)
{
	const int64_t sixteenth = room->spare_bytes / 16;
	if (kind == ROOM_FOR_ENDS)
		return room->spare >= sixteenth * 2 ? TRICKLE : 0;
	if (room->spare >= sixteenth * 6)
		return TRICKLE;
	return idle && room->spare >= sixteenth * 3 ? 1 : 0;
}

static enum room_for needed_to_save(const struct room *room, const struct version *version)
{
	if (version->identity.size == 0)
		return ROOM_FOR_ALL;
	if (version->state == VERSION_QUEUED)
		return ROOM_FOR_FILES;
	if (version->state == VERSION_DONE)
		return ROOM_FOR_ENDS;
	if (version->reason == REASON_SHED)
		return ROOM_FOR_REMOVALS;
	bool there = version->reason != REASON_VANISHED && version->reason != REASON_NOT_REGULAR;
	return there && atomic_load_explicit(&room->unscanned_may_go, memory_order_relaxed)
		       ? ROOM_FOR_ENDS
		       : ROOM_FOR_ALL;
}

enum room_for room_needed(const struct room *room, const struct store_op *op)
{
	if (op->removals || op->gap)
		return ROOM_FOR_REMOVALS; /* gaps are few and small */
	switch (op->verb) {
	case STORE_SAVE:
	case STORE_ADD:
		return needed_to_save(room, op->version);
	case STORE_REQUEUE: /* the end that follows must not pass it */
		return op->version->identity.size ? ROOM_FOR_ENDS : ROOM_FOR_ALL;
	case STORE_REFRESH:
	case STORE_MARK:
	case STORE_FORGET:
	case STORE_RESCAN:
	case STORE_RULES:
	case STORE_GAP_OPEN:
	case STORE_GAP_CLOSE:
	case STORE_GAP_CLOSE_OLD:
	case STORE_DUE_BY:
	case STORE_TOLD:
	case STORE_EXPIRE:
	case STORE_INTEND:
	case STORE_REMOVED:
	case STORE_ALIVE:
		break;
	}
	return ROOM_FOR_ALL;
}
