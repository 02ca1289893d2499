/*
 * prune: see prune.h.
 *
 * The daemon's writer waits for our transactions, so they are small: what is to go is looked for
 * first, without a lock, then deleted in batches, each looking again at what it deletes.
 */
#include "core/store/prune.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/store/db.h"
#include "core/store/expire.h"
#include "core/store/lockfile.h"
#include "core/store/old_reader.h"
#include "core/store/op.h"
#include "core/store/tally.h"

enum {
	GIVE_BACK_PAGES = 256, /* in one transaction */
	MIB = 1 << 20
};

struct prune {
	const struct store_prune_options *options;
	struct db *db;
	struct old_reader *reader;
	struct tally *tally;
	struct expire *expire;
	struct old_page page;
	int64_t page_bytes;
	struct store_pruned done;
};

static int prune_open(struct prune *prune, const char *path, struct error *err)
{
	int result = db_open_history(&prune->db, path, DB_WRITE, err);
	if (result == 0)
		result = db_integer(prune->db, "PRAGMA page_size", &prune->page_bytes, err);
	if (result == 0)
		result = old_reader_open(&prune->reader, path, err);
	if (result == 0)
		result = tally_new(&prune->tally, prune->db, err);
	return result == 0 ? expire_new(&prune->expire, prune->db, prune->tally, err) : result;
}

static void prune_done(struct prune *prune)
{
	old_page_done(&prune->page);
	expire_free(prune->expire);
	tally_free(prune->tally);
	old_reader_free(prune->reader);
	db_free(prune->db);
}

#define AUTO_PRUNE __attribute__((cleanup(prune_done))) struct prune

static int expire_and_commit(struct prune *prune, struct store_expire *work, struct error *err)
{
	int result = db_exec(prune->db, "BEGIN IMMEDIATE", err);
	if (result < 0)
		return result;
	int rc = expire_run(prune->expire, work);
	if (rc == SQLITE_OK)
		rc = tally_write(prune->tally);
	result = rc == SQLITE_OK ? db_exec(prune->db, "COMMIT", err)
				 : db_fail(prune->db, rc, "writing", err);
	if (!sqlite3_get_autocommit(prune->db->handle))
		(void)sqlite3_exec(prune->db->handle, "ROLLBACK", NULL, NULL, NULL);
	tally_clear(prune->tally);
	return result;
}

static bool is_kept(const struct prune *prune, const struct old_version *version)
{
	const struct store_prune_options *options = prune->options;
	return options->keep && options->keep(options->context, version);
}

static size_t choose(const struct prune *prune, const struct old_version **chosen)
{
	size_t count = 0;
	for (size_t i = 0; i < prune->page.count; i++) {
		const struct old_version *version = &prune->page.versions[i];
		if (!is_kept(prune, version))
			chosen[count++] = version;
	}
	return count;
}

static int prune_page(struct prune *prune, struct error *err)
{
	const struct old_version *chosen[OLD_PAGE_MAX] = { NULL };
	int64_t ids[OLD_PAGE_MAX];
	struct store_expire work = {
		.ids = ids,
		.count = choose(prune, chosen),
		.before_ns = prune->options->before_ns,
	};
	if (prune->options->dry_run) {
		prune->done.versions += (int64_t)work.count;
		return 0;
	}
	for (size_t i = 0; i < work.count; i++)
		ids[i] = chosen[i]->id;
	int result = work.count ? expire_and_commit(prune, &work, err) : 0;
	if (result < 0)
		return result;
	prune->done.versions += (int64_t)work.gone;
	for (size_t i = 0; i < work.count && !prune->done.came_back; i++)
		prune->done.came_back = is_kept(prune, chosen[i]);
	return 0;
}

static int find_untold(struct prune *prune, struct error *err)
{
	bool more = true;
	int result = 0;
	for (bool first = true; result == 0 && more; first = false)
		result = old_reader_note_untold(prune->reader, prune->options->before_ns, first,
						&more, err);
	prune->done.untold = old_reader_has_untold(prune->reader);
	return result;
}

static int prune_versions(struct prune *prune, struct error *err)
{
	int result = find_untold(prune, err);
	old_page_rewind(&prune->page);
	while (result == 0 && prune->page.more) {
		result = old_reader_next(prune->reader, prune->options->before_ns, &prune->page,
					 err);
		if (result == 0)
			result = prune_page(prune, err);
	}
	return result;
}

/* Gaps that closed long ago, then what is free. Somebody may be writing: as long as it gets
 * less. */
static int prune_rest(struct prune *prune, struct error *err)
{
	struct store_expire work = { .before_ns = prune->options->before_ns, .gaps = true };
	int result = expire_and_commit(prune, &work, err);
	int64_t before = work.free_pages + 1;
	work.give_back = GIVE_BACK_PAGES;
	work.gaps = false;
	int64_t pages = work.pages;
	while (result == 0 && work.free_pages > 0 && work.free_pages < before) {
		before = work.free_pages;
		result = expire_and_commit(prune, &work, err);
	}
	if (work.pages < pages)
		prune->done.given_back = (pages - work.pages) * prune->page_bytes;
	prune->done.free = work.free_pages * prune->page_bytes;
	return result;
}

int store_prune(const char *path, const struct store_prune_options *options,
		struct store_pruned *out, struct error *err)
{
	AUTO_PRUNE prune = { .options = options };
	int result = prune_open(&prune, path, err);
	if (result == 0)
		result = prune_versions(&prune, err);
	if (result == 0 && !options->dry_run)
		result = prune_rest(&prune, err);
	if (result == 0)
		*out = prune.done;
	return result;
}

/* ---- vacuum ---- */

/* Where the history lies, for what SQLite needs meanwhile: other places are small. */
static char *directory_of(const char *path)
{
	struct str directory = STR_INIT;
	const char *slash = strrchr(path, '/');
	str_append(&directory, path, slash ? (size_t)(slash - path) : 0);
	if (directory.len == 0)
		str_puts(&directory, slash ? "/" : ".");
	return str_take(&directory);
}

static int size_of(const struct db *db, const char *sql, int64_t *out, struct error *err)
{
	int64_t page_bytes = 0;
	int result = db_integer(db, "PRAGMA page_size", &page_bytes, err);
	if (result == 0)
		result = db_integer(db, sql, out, err);
	*out *= page_bytes;
	return result;
}

/* It is written once into a temporary file and once into the log, before the file is shortened. */
static int check_room(const struct db *db, const char *directory, struct error *err)
{
	int64_t all = 0;
	int64_t free_bytes = 0;
	struct statvfs fs;
	int result = size_of(db, "PRAGMA page_count", &all, err);
	if (result == 0)
		result = size_of(db, "PRAGMA freelist_count", &free_bytes, err);
	if (result < 0)
		return result;
	if (statvfs(directory, &fs) < 0)
		return 0; /* SQLite will say */
	long long needed = 2 * (all - free_bytes) + all / 64;
	long long room = (long long)fs.f_bavail * (long long)fs.f_frsize;
	if (room >= needed)
		return 0;
	return error_set(err, ENOSPC,
			 "%s: writing it anew needs %lld MiB of room in %s meanwhile, and there "
			 "are %lld MiB: free some space, or go without --vacuum: what is free in "
			 "the history is used again",
			 db->path, needed / MIB + 1, directory, room / MIB);
}

/* The log is brought into the file, which is then cut, unless somebody reads. */
static int cut(const struct db *db, struct error *err)
{
	int log = 0;
	int done = 0;
	int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, &log,
					   &done);
	return rc == SQLITE_OK ? 0 : db_fail(db, rc, "writing the history anew", err);
}

static int vacuum(const struct db *db, int64_t *saved, struct error *err)
{
	AUTO_FREE char *directory = directory_of(sqlite3_db_filename(db->handle, "main"));
	int64_t before = 0;
	int64_t after = 0;
	int result = check_room(db, directory, err);
	if (result == 0)
		result = size_of(db, "PRAGMA page_count", &before, err);
	if (result < 0)
		return result;
	sqlite3_temp_directory = sqlite3_mprintf("%s", directory);
	result = db_exec(db, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM;", err);
	if (result == 0)
		result = cut(db, err);
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = NULL;
	if (result == 0)
		result = size_of(db, "PRAGMA page_count", &after, err);
	*saved = before - after;
	return result;
}

int store_vacuum(const char *path, int64_t *saved, struct error *err)
{
	AUTO(lockfile) struct lockfile *lock = NULL;
	struct stat st;
	if (stat(path, &st) < 0) {
		int code = errno;
		return error_set(err, code, "%s: no history there: %s", path, error_text(code));
	}
	int result = lockfile_check(path, err);
	if (result == 0)
		result = lockfile_take(&lock, path, err);
	if (result < 0)
		return result;
	AUTO(db) struct db *db = NULL; /* closed before the lock is given back */
	result = db_open_history(&db, path, DB_WRITE, err);
	return result == 0 ? vacuum(db, saved, err) : result;
}
