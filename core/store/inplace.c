/*
 * inplace: see inplace.h.
 *
 * SQLite goes on with the descriptors that it has. Writes to a history that was removed go nowhere;
 * so do commits to a -wal that was; and without the -shm that we use, the next process makes
 * another one, sees none of our locks, and the two destroy the history between them
 * (https://www.sqlite.org/howtocorrupt.html#unlink). SQLite can tell for the main file alone.
 *
 * A log whose name is gone can still be read through our descriptor, and its commits are nowhere
 * else: a checkpoint saves them. Not when there is another -wal in its place, since whoever made
 * that may be writing to the history as well.
 *
 * Who opened the history while another log (or none) was in the place of ours goes by the same
 * index, and has added frames to it that are in another file: a checkpoint would bring into the
 * history what lies in ours at their places, or nothing but zeros. So the last frame that the index
 * tells of must be in our log, with the checksum that the index has of it
 * (https://www.sqlite.org/walformat.html). A log that was cut short is found out by that too.
 */
#include "core/store/inplace.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/store/db.h"

/* 0 and *inode 0: nothing is there. Below 0: it cannot be told. */
static int inode_at(const char *path, dev_t *device, ino_t *inode, struct error *err)
{
	struct stat st = { 0 };
	if (stat(path, &st) < 0 && errno != ENOENT && errno != ENOTDIR) {
		int code = errno;
		return error_set(err, code,
				 "%s: whether it is in its place cannot be told: %s: mend the "
				 "permissions of its directory and of those above",
				 path, error_text(code));
	}
	*device = st.st_ino ? st.st_dev : *device;
	*inode = st.st_ino;
	return 0;
}

static int moved(const struct db *db, const char *which, struct error *err)
{
	return error_set(
		err, ESTALE,
		"%s%s: the history was moved, removed or replaced while it was open: put it "
		"back, or restart carved",
		db->path, which);
}

/* The head of the index as it stands in shared memory, twice; in the machine's order of bytes. */
struct index_head {
	uint32_t version, unused, change;
	uint8_t is_init, big_endian;
	uint16_t page_size; /* 1: 65536 */
	uint32_t frames, pages, checksum[2], salt[2], own_checksum[2];
};

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* False: somebody is writing to it just now. */
static bool read_head(const volatile void *index, struct index_head *out)
{
	const volatile struct index_head *heads = index;
	const struct index_head second = heads[1];
	*out = heads[0];
	return memcmp(out, &second, sizeof second) == 0;
}

static bool has_last_frame(sqlite3_file *log, const struct index_head *head)
{
	enum {
		LOG_HEADER = 32,
		FRAME_HEADER = 24,
		FRAME_CHECKSUM = 16
	};

	int64_t page = head->page_size == 1 ? 65536 : head->page_size;
	unsigned char frame[FRAME_HEADER];
	if (head->frames == 0)
		return true;
	if (log->pMethods->xRead(log, frame, sizeof frame,
				 LOG_HEADER + (head->frames - 1) * (page + FRAME_HEADER)) !=
	    SQLITE_OK)
		return false;
	return big_endian(frame + FRAME_CHECKSUM) == head->checksum[0] &&
	       big_endian(frame + FRAME_CHECKSUM + 4) == head->checksum[1];
}

bool inplace_log_fits(const struct db *db)
{
	enum {
		TRIES = 20,
		INDEX_BYTES = 32768
	};

	sqlite3_file *main = NULL;
	sqlite3_file *log = NULL;
	volatile void *index = NULL;
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &main);
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (!main || !main->pMethods || main->pMethods->iVersion < 2 || !log || !log->pMethods ||
	    main->pMethods->xShmMap(main, 0, INDEX_BYTES, 0, &index) != SQLITE_OK || !index)
		return true; /* no log is in use */
	for (int i = 0; i < TRIES; i++) {
		struct index_head head;
		struct index_head after;
		if (!read_head(index, &head))
			continue;
		if (has_last_frame(log, &head))
			return true;
		if (read_head(index, &after) && memcmp(&head, &after, sizeof head) == 0)
			return false;
	}
	return true; /* somebody is writing all the time */
}

static void save_log(const struct db *db)
{
	(void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* The log and its index as they are now. */
static int look(struct inplace *out, const struct db *db, struct error *err)
{
	const char *main = sqlite3_db_filename(db->handle, "main");
	const char *wal_name = sqlite3_filename_wal(main);
	AUTO_STR shm_name = STR_INIT;
	str_printf(&shm_name, "%s-shm", main);
	*out = (struct inplace){ 0 };
	int result = inode_at(str_text(&shm_name), &out->device, &out->shm, err);
	return result < 0 ? result : inode_at(wal_name, &out->device, &out->wal, err);
}

int inplace_note(struct inplace *out, const struct db *db, struct error *err)
{
	int result = look(out, db, err);
	if (result == 0 && !out->wal)
		result = moved(db, "-wal", err);
	if (result == 0 && !out->shm)
		result = moved(db, "-shm", err);
	return result;
}

static int check_log(const struct inplace *inplace, const struct db *db, struct error *err)
{
	struct inplace now;
	int result = look(&now, db, err);
	if (result < 0)
		return result;
	bool fits = inplace_log_fits(db);
	bool is_ours = now.wal == inplace->wal && now.device == inplace->device;
	if (now.wal == 0 && fits)
		save_log(db);
	/* nor may the end of the connection bring anything into the history */
	db_accept(db, is_ours && fits);
	if (!is_ours || !fits)
		return moved(db, "-wal", err);
	return now.shm == inplace->shm ? 0 : moved(db, "-shm", err);
}

int inplace_check(const struct inplace *inplace, const struct db *db, struct error *err)
{
	dev_t device = 0;
	ino_t main = 0;
	int result = inode_at(sqlite3_db_filename(db->handle, "main"), &device, &main, err);
	if (result < 0)
		return result; /* SQLite would call it moved */
	int moved_away = 0;
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved_away);
	return moved_away ? moved(db, "", err) : check_log(inplace, db, err);
}
