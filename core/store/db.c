/*
 * db: see db.h.
 *
 * Settings that all connections share, and why:
 * - WAL: a reader never blocks the writer, nor the writer a reader.
 * - synchronous=NORMAL: a commit is one write to the log, without fsync; the log is synced at a
 *   checkpoint. kill -9 loses nothing; a power cut may lose the last commits, never the order or
 * the consistency, and what it loses reconcile finds on disk again. (Disposal, which cannot be
 * undone, syncs the log first.)
 * - PERSIST_WAL: the last one to close leaves the -wal and -shm files, so that a user who may read
 *   them but not write the directory can still open the history after the daemon stopped.
 * - No memory map: its pages count as ours (VmRSS), and the whole daemon is to stay below 32 MiB; a
 *   pread from the page cache is under a microsecond.
 * - Caches are small for the same reason: 8 MiB for who writes (a burst's part of the random
 *   indexes), 1 MiB for who reads.
 */
#include "core/store/db.h"

#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/store/inplace.h"
#include "schema/schema.h"

/* How long a connection waits for another's write transaction; they take milliseconds. */
#define BUSY_TIMEOUT_MS 5000

static const char write_settings[] = "PRAGMA synchronous = NORMAL;"
				     "PRAGMA journal_size_limit = 4194304;";
static const char read_settings[] = "PRAGMA query_only = ON;";
static const char write_cache[] = "PRAGMA cache_size = -8192;";
static const char read_cache[] = "PRAGMA cache_size = -1024;";

static void configure_library(void)
{
	/* The statistics cost a lock around every allocation of every thread. Fails when somebody
	 * initialised the library before us, which does no harm. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	(void)sqlite3_close(db->handle);
	free(db->path);
	free(db);
}

/* What the operator can do about a failure of this kind; the kind as errno. */
struct advice {
	int rc; /* SQLite's, or the system's */
	int code;
	const char *words;
};

static const struct advice advices[] = {
	{ SQLITE_BUSY, EBUSY, "another process keeps it locked" },
	{ SQLITE_LOCKED, EBUSY, "another connection keeps it locked" },
	{ SQLITE_FULL, ENOSPC, "the disk is full: free some space" },
	{ SQLITE_IOERR_SHMSIZE, ENOSPC, "its -shm cannot grow: free some space on the disk" },
	{ SQLITE_IOERR, EIO, "I/O error: look at the disk and the kernel's log" },
	{ SQLITE_READONLY, EACCES,
	  "it cannot be written: mend the permissions of the file and its directory" },
	{ SQLITE_PERM, EACCES, "permission denied" },
	{ SQLITE_CANTOPEN, EACCES,
	  "it cannot be opened: look at the permissions of the file, its -wal and -shm, and the "
	  "directory" },
	{ SQLITE_CORRUPT, EBADMSG,
	  "it is corrupt: move it away and restore a copy, or recover it with sqlite3's .recover" },
	{ SQLITE_NOTADB, EBADMSG, "it is not an SQLite database" },
	{ SQLITE_NOMEM, ENOMEM, "out of memory" },
};

/* What the system said of an I/O error, where that tells more; SQLite knows ENOSPC alone. */
static const struct advice system_advices[] = {
	{ EDQUOT, ENOSPC, "the disk quota is used up: free some space, or have it raised" },
	{ EROFS, EROFS,
	  "the file system is read-only: look at the kernel's log, mend it and mount it again" },
	{ EFBIG, EFBIG, "I/O error: the limit of a file's size is reached (ulimit -f)" },
};

/* sqlite3_system_errno() knows nothing of failed writes; the file that was written to does: the
 * log, mostly. */
static int write_errno(const struct db *db)
{
	sqlite3_file *log = NULL;
	int said = 0;
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log && log->pMethods)
		(void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &said);
	if (said == 0)
		(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_LAST_ERRNO, &said);
	return said;
}

static const struct advice *advice_for(const struct db *db, int rc)
{
	int kind = rc & 0xff;
	int said = db->handle && rc == SQLITE_IOERR_WRITE ? write_errno(db) : 0;
	for (size_t i = 0; i < sizeof system_advices / sizeof *system_advices; i++) {
		if (said == system_advices[i].rc)
			return &system_advices[i];
	}
	for (size_t i = 0; i < sizeof advices / sizeof *advices; i++) {
		if (rc == advices[i].rc || kind == advices[i].rc)
			return &advices[i];
	}
	return NULL;
}

int db_fail(const struct db *db, int rc, const char *doing, struct error *err)
{
	const char *said = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	const struct advice *advice = advice_for(db, rc);
	if (advice)
		return error_set(err, advice->code, "%s: %s: %s (%s, SQLite code %d)", db->path,
				 doing, advice->words, said, rc);
	return error_set(err, EINVAL, "%s: %s: %s", db->path, doing, said);
}

int db_exec(const struct db *db, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : db_fail(db, rc, "history", err);
}

int db_prepare(const struct db *db, sqlite3_stmt **out, const char *sql, struct error *err)
{
	int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	return rc == SQLITE_OK ? 0 : db_fail(db, rc, "history", err);
}

int db_prepare_all(const struct db *db, sqlite3_stmt **out, const char *const *sql, size_t count,
		   struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		int result = db_prepare(db, &out[i], sql[i], err);
		if (result < 0)
			return result;
	}
	return 0;
}

void db_finalize_all(sqlite3_stmt **statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		sqlite3_finalize(statements[i]);
		statements[i] = NULL;
	}
}

int db_run(sqlite3_stmt *statement)
{
	(void)sqlite3_step(statement);
	return sqlite3_reset(statement); /* gives the failure's code again */
}

int db_integer(const struct db *db, const char *sql, int64_t *out, struct error *err)
{
	AUTO_STMT *statement = NULL;
	int result = db_prepare(db, &statement, sql, err);
	if (result < 0)
		return result;
	int rc = sqlite3_step(statement);
	if (rc != SQLITE_ROW)
		return db_fail(db, rc, "history", err);
	*out = sqlite3_column_int64(statement, 0);
	return 0;
}

static int open_handle(struct db *db, enum db_mode mode, const char *name, int extra,
		       struct error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | extra |
		    (mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
	int rc = sqlite3_open_v2(name, &db->handle, flags, NULL);
	if (rc != SQLITE_OK)
		return db_fail(db, rc, "opening the history", err);
	if (mode == DB_WRITE && sqlite3_db_readonly(db->handle, "main"))
		return db_fail(db, SQLITE_READONLY, "opening the history", err);
	/* until the history is accepted: db_accept() */
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	int on = 1;
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	(void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	/* what is in the file's schema is not to be trusted with more than reading and writing it
	 */
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

void db_accept(const struct db *db, bool accepted)
{
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !accepted, NULL);
}

int db_open(struct db **out, const char *path, enum db_mode mode, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, configure_library);
	struct stat st;
	if (stat(path, &st) < 0) {
		int code = errno;
		return error_set(err, code, "%s: no history there: %s", path, error_text(code));
	}
	AUTO(db) struct db *db = xcalloc(1, sizeof *db);
	db->path = xstrdup(path);
	int result = open_handle(db, mode, path, 0, err);
	if (result == 0 && mode == DB_WRITE)
		result = db_exec(db, write_settings, err);
	if (result < 0)
		return result;
	*out = TAKE(db);
	return 0;
}

/* Nothing but zeros at its beginning: what open.c makes of a log that is spent. */
static bool is_no_log(const char *path)
{
	char head[4];
	static const char zeros[sizeof head];
	int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	       memcmp(head, zeros, sizeof head) == 0;
}

/* A history whose -wal is gone or empty is complete in its one file; on read-only media it can only
 * be read as immutable: https://www.sqlite.org/wal.html#readonly. SQLite says where the log lies,
 * as it does not lie beside a symlink. */
static bool is_complete_file(const struct db *db)
{
	const char *name = sqlite3_db_filename(db->handle, "main");
	struct stat st;
	const char *log = sqlite3_filename_wal(name);
	if (stat(log, &st) < 0)
		return errno == ENOENT;
	return st.st_size == 0 || is_no_log(log);
}

static int reopen_immutable(struct db *db, struct error *err)
{
	AUTO_STR uri = STR_INIT;
	str_puts(&uri, "file:");
	for (const char *at = db->path; *at; at++) {
		if (strchr("%?#", *at))
			str_printf(&uri, "%%%02x", (unsigned char)*at);
		else
			str_putc(&uri, *at);
	}
	str_puts(&uri, "?immutable=1");
	return open_handle(db, DB_READ, str_text(&uri), SQLITE_OPEN_URI, err);
}

static int check_history(const struct db *db, struct error *err)
{
	int64_t application = 0;
	int64_t version = 0;
	int result = db_integer(db, "PRAGMA application_id", &application, err);
	if (result == 0)
		result = db_integer(db, "PRAGMA user_version", &version, err);
	if (result < 0)
		return result;
	if (application != DB_APPLICATION_ID)
		return error_set(err, EBADMSG, "%s: this is not a history of carved", db->path);
	if (version != schema_version)
		return error_set(
			err, EBADMSG, "%s: the history has version %d, this carved needs %d: %s",
			db->path, (int)version, schema_version,
			version > schema_version ? "use a newer carved"
						 : "start the daemon once to bring it up to date");
	return 0;
}

int db_limit_cache(const struct db *db, enum db_mode mode, struct error *err)
{
	return db_exec(db, mode == DB_WRITE ? write_cache : read_cache, err);
}

/* The first that reads from the file. */
static int look_in(const struct db *db, enum db_mode mode, struct error *err)
{
	int result = mode == DB_READ ? db_exec(db, read_settings, err) : 0;
	if (result == 0)
		result = check_history(db, err);
	return result < 0 ? result : db_limit_cache(db, mode, err);
}

int db_open_history(struct db **out, const char *path, enum db_mode mode, struct error *err)
{
	AUTO(db) struct db *db = NULL;
	int result = db_open(&db, path, mode, err);
	if (result < 0)
		return result;
	assert(db);
	result = look_in(db, mode, err);
	if (result == -EACCES && mode == DB_READ && is_complete_file(db)) {
		result = reopen_immutable(db, err);
		if (result == 0)
			result = look_in(db, mode, err);
	}
	if (result == 0 && mode == DB_WRITE && !inplace_log_fits(db))
		result = error_set(err, ESTALE,
				   "%s-wal: it was replaced or cut short while the history was "
				   "open: end all that have it open, then start the daemon",
				   db->path);
	if (result < 0)
		return result;
	db_accept(db, true);
	*out = TAKE(db);
	return 0;
}

int db_set_durable(sqlite3 *handle, bool *is, bool durable)
{
	if (*is == durable)
		return SQLITE_OK;
	const char *pragma = durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
	int rc = sqlite3_exec(handle, pragma, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		*is = durable;
	return rc;
}
