/*
 * open: from a path to a running store, and back. See store.h.
 *
 * In this order: look at the file (nothing is touched), take the lock, let SQLite look at it and
 * bring its schema up to date, start the writer.
 */
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/store/absent.h"
#include "core/store/db.h"
#include "core/store/events.h"
#include "core/store/inplace.h"
#include "core/store/lockfile.h"
#include "core/store/migrate.h"
#include "core/store/save.h"
#include "core/store/store.h"
#include "core/store/wal_index.h"
#include "core/store/writer.h"

static void store_cleanup(struct store **store)
{
	store_close(*store);
}

static struct store *store_new(void)
{
	struct store *store = xcalloc(1, sizeof *store);
	store->event_fd = -1;
	store->index = -1;
	store->room.file = -1;
	lock_init(&store->lock);
	lock_condition_init(&store->wake);
	list_init(&store->submitted);
	list_init(&store->committed);
	return store;
}

/* Wall time of the last sign of life: a note, or the newest row. */
static int read_last_alive(struct store *store, struct error *err)
{
	return db_integer(store->db,
			  "SELECT max(coalesce((SELECT value FROM meta WHERE key = 'alive'), 0),"
			  " coalesce((SELECT max(first_seen_ns) FROM version), 0))",
			  &store->last_alive_ns, err);
}

static int make_absent(struct store *store, struct error *err)
{
	int64_t newest_id = 0;
	static const char newest_sql[] = "SELECT coalesce(max(id), 0) FROM version";
	int result = db_integer(store->db, newest_sql, &newest_id, err);
	if (result < 0)
		return result;
	store->absent = absent_new(newest_id);
	return 0;
}

static int open_database(struct store *store, const struct store_options *options,
			 struct error *err)
{
	if (options->hold_room)
		store->index = wal_index_hold(options->path);
	int result = db_open(&store->db, options->path, DB_WRITE, err);
	if (result == 0)
		result = migrate_run(store->db, options->create, err);
	if (result == 0)
		result = read_last_alive(store, err);
	if (result == 0)
		result = db_limit_cache(store->db, DB_WRITE, err);
	if (result == 0)
		result = save_new(&store->save, store->db, err);
	if (result == 0)
		result = events_begin(store->db, options->sinks, err);
	if (result == 0)
		result = make_absent(store, err);
	if (result == 0)
		result = inplace_note(&store->inplace, store->db, err);
	if (result == 0 && options->hold_room && store->index < 0) /* it was made just now */
		store->index = wal_index_hold(options->path);
	if (result == 0)
		result = room_init(&store->room, store->db, options->hold_room, err);
	if (result == 0)
		db_accept(store->db, true);
	return result;
}

static int start(struct store *store, struct error *err)
{
	store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->event_fd < 0) {
		int code = errno;
		return error_set(err, code, "eventfd: %s", error_text(code));
	}
	return writer_start(store, err);
}

int store_open(struct store **out, const struct store_options *options, struct error *err)
{
	AUTO(store) struct store *store = store_new();
	int result = lockfile_check(options->path, err);
	if (result == 0)
		result = migrate_inspect(options->path, options->create, err);
	if (result == 0)
		result = lockfile_take(&store->lockfile, options->path, err);
	if (result == 0)
		result = open_database(store, options, err);
	if (result == 0)
		result = start(store, err);
	if (result < 0)
		return result == -EBADMSG ? -EINVAL : result;
	*out = TAKE(store);
	return 0;
}

/* Whoever may only read takes a history for complete in its one file where the log is none. */
static void spend_log(const char *path)
{
	static const char nothing[32]; /* its header: https://www.sqlite.org/walformat.html */
	struct stat st;
	int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return;
	ssize_t wrote = pwrite(fd, nothing, sizeof nothing, 0);
	(void)wrote; /* then it stays as it is, which is right too */
}

static void close_database(struct store *store)
{
	AUTO_FREE char *log = NULL;
	if (store->db)
		log = xstrdup(sqlite3_filename_wal(sqlite3_db_filename(store->db->handle, "main")));
	db_free(store->db); /* the last to close checkpoints */
	if (log && wal_index_log_is_spent(store->index))
		spend_log(log);
	wal_index_release(store->index);
	room_release(&store->room);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	writer_stop(store);
	save_free(store->save);
	room_done(&store->room);
	close_database(store);
	if (store->event_fd >= 0)
		fd_close(store->event_fd);
	lockfile_free(store->lockfile);
	absent_free(store->absent);
	(void)pthread_cond_destroy(&store->wake);
	lock_done(&store->lock);
	free(store);
}

bool store_owns(const struct store *store, dev_t device, ino_t inode)
{
	const struct inplace *files = &store->inplace;
	return lockfile_is(store->lockfile, device, inode) ||
	       (files->device == device && (files->wal == inode || files->shm == inode));
}

int64_t store_last_alive_ns(const struct store *store)
{
	return store->last_alive_ns;
}
