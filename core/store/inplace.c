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

static ino_t inode_at(const char *path, dev_t *device)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return 0;
	*device = st.st_dev;
	return st.st_ino;
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

static int check_log(struct inplace *inplace, const struct db *db, struct error *err)
{
	const char *main = sqlite3_db_filename(db->handle, "main");
	const char *wal_name = sqlite3_filename_wal(main);
	AUTO_STR shm_name = STR_INIT;
	str_printf(&shm_name, "%s-shm", main);
	dev_t device = 0;
	ino_t shm = inode_at(str_text(&shm_name), &device);
	ino_t wal = inode_at(wal_name, &device);
	if (!inplace->seen) {
		inplace->seen = wal != 0 && shm != 0;
		inplace->wal = wal;
		inplace->shm = shm;
		inplace->device = device;
		return 0;
	}
	if (wal == 0)
		save_log(db);
	if (wal != inplace->wal || device != inplace->device)
		return moved(db, "-wal", err);
	return shm == inplace->shm ? 0 : moved(db, "-shm", err);
}

int inplace_check(struct inplace *inplace, const struct db *db, struct error *err)
{
	int moved_away = 0;
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved_away);
	return moved_away ? moved(db, "", err) : check_log(inplace, db, err);
}
