/*
 * migrate: see migrate.h.
 *
 * The database header (https://www.sqlite.org/fileformat2.html#the_database_header) begins with a
 * magic string; user_version stands at offset 60 and application_id at 68, both big-endian. A
 * history gets its application_id while it is still in rollback mode, so the main file always
 * carries it, even when a crash left everything later in the -wal.
 *
 * The connection does not checkpoint when it closes until the history is accepted (db_accept()): a
 * refused file keeps every byte.
 */
#include "core/store/migrate.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/store/db.h"
#include "schema/schema.h"

enum {
	HEADER_SIZE = 100,
	USER_VERSION_AT = 60,
	APPLICATION_ID_AT = 68
};

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int refuse_version(const char *path, long version, struct error *err)
{
	return error_set(
		err, EINVAL,
		"%s: the history has version %ld, newer than this carved knows (%d): use the "
		"newer carved, or name another history",
		path, version, schema_version);
}

static int inspect_header(const char *path, const uint8_t *header, ssize_t len, struct error *err)
{
	static const char magic[16] = "SQLite format 3";
	if (len < HEADER_SIZE || memcmp(header, magic, sizeof magic) != 0)
		return error_set(err, EINVAL,
				 "%s: this is not an SQLite database; it was left as it is: name "
				 "another history",
				 path);
	if (big_endian(header + APPLICATION_ID_AT) != DB_APPLICATION_ID)
		return error_set(
			err, EINVAL,
			"%s: this is another application's database; it was left as it is: "
			"name another history",
			path);
	uint32_t version = big_endian(header + USER_VERSION_AT);
	if (version > (uint32_t)schema_version)
		return refuse_version(path, version, err);
	return 0;
}

int migrate_inspect(const char *path, bool create, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT && create)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		int code = errno;
		return error_set(err, code, "%s: the history cannot be opened: %s%s", path,
				 error_text(code), error_mend(code));
	}
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%s: the history is not a regular file", path);
	if (st.st_size == 0) {
		if (create)
			return 0;
		return error_set(err, EINVAL, "%s: the file is empty, there is no history in it",
				 path);
	}
	uint8_t header[HEADER_SIZE];
	ssize_t len = pread(fd, header, sizeof header, 0);
	if (len < 0) {
		int code = errno;
		return error_set(err, code, "%s: the history cannot be read: %s", path,
				 error_text(code));
	}
	return inspect_header(path, header, len, err);
}

/* Reads the schema as SQLite sees it: corruption shows here, and a file that became ours is told
 * from a new one. */
static int read_state(const struct db *db, int64_t *version, bool *is_new, struct error *err)
{
	int64_t application = 0;
	int64_t objects = 0;
	int result = db_integer(db, "PRAGMA application_id", &application, err);
	if (result == 0)
		result = db_integer(db, "PRAGMA user_version", version, err);
	if (result == 0)
		result = db_integer(db, "SELECT count(*) FROM sqlite_schema", &objects, err);
	if (result < 0)
		return result;
	*is_new = application == 0 && *version == 0 && objects == 0;
	if (!*is_new && application != DB_APPLICATION_ID)
		return error_set(err, EINVAL, "%s: this is another application's database",
				 db->path);
	if (*version > schema_version)
		return refuse_version(db->path, (long)*version, err);
	return 0;
}

/* Pages of 8 KiB: measured, a burst costs a fifth less processor time than with 4 KiB (half the
 * system calls); with 16 KiB as much again is saved, but the lone commit of a quiet sensor writes
 * twice as much. And with the map by which pages that are free can be given back, for which it is
 * too late once there is a table; that writes the first page, which says at once whose it is: who
 * is killed behind it would else leave a file that the next start refuses. */
static const char layout[] = "PRAGMA page_size = 8192; BEGIN; PRAGMA auto_vacuum = INCREMENTAL;"
			     "PRAGMA application_id = " STR_OF(DB_APPLICATION_ID) "; COMMIT";

static int run_step(const struct db *db, int64_t version, struct error *err)
{
	AUTO_STR sql = STR_INIT;
	str_puts(&sql, "BEGIN EXCLUSIVE;");
	str_puts(&sql, schema_steps[version]);
	str_printf(&sql, ";PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
		   DB_APPLICATION_ID, (int)version + 1);
	int result = db_exec(db, str_text(&sql), err);
	if (result == 0)
		return 0;
	if (!sqlite3_get_autocommit(db->handle))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	(void)error_prefix(err, "schema step %d", (int)version + 1);
	return result;
}

/* The pragma answers with the mode that it reached, without an error of its own. */
static int turn_wal_on(const struct db *db, struct error *err)
{
	AUTO_STMT *statement = NULL;
	int result = db_prepare(db, &statement, "PRAGMA journal_mode = WAL", err);
	if (result < 0)
		return result;
	int rc = sqlite3_step(statement);
	if (rc != SQLITE_ROW)
		return db_fail(db, rc, "turning the write-ahead log on", err);
	const char *mode = (const char *)sqlite3_column_text(statement, 0);
	if (mode && strcmp(mode, "wal") == 0)
		return 0;
	return error_set(
		err, EINVAL,
		"%s: the file system cannot keep a write-ahead log (no shared memory maps): "
		"put the history on a local file system",
		db->path);
}

/* Somebody who reads the history may be at a checkpoint just now: then that one will do. */
static int checkpoint(const struct db *db, struct error *err)
{
	int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return rc == SQLITE_OK || rc == SQLITE_BUSY ? 0 : db_fail(db, rc, "checkpoint", err);
}

int migrate_run(const struct db *db, bool create, struct error *err)
{
	int64_t version = 0;
	bool is_new = false;
	int result = read_state(db, &version, &is_new, err);
	if (result < 0)
		return result;
	if (is_new && !create)
		return error_set(err, EINVAL, "%s: there is no history in this file", db->path);
	bool old = version < schema_version;
	if (is_new)
		result = db_exec(db, layout, err);
	for (; result == 0 && version < schema_version; version++)
		result = run_step(db, version, err);
	if (result == 0)
		result = turn_wal_on(db, err);
	if (result == 0 && old)
		result = checkpoint(db, err);
	return result;
}
