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
 */
#include "core/store/inplace.h"

#include <errno.h>

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
	if (now.wal == 0)
		save_log(db);
	if (now.wal != inplace->wal || now.device != inplace->device)
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
