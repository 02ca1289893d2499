/*
 * db: one SQLite connection and the words for what goes wrong with it. Private to this room.
 *
 * A connection belongs to one thread at a time (SQLITE_OPEN_NOMUTEX).
 */
#ifndef CARVED_CORE_STORE_DB_H
#define CARVED_CORE_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct error;

/* "CRVD": the application_id of a history. */
#define DB_APPLICATION_ID 0x43525644

struct db {
	sqlite3 *handle;
	char *path; /* as the operator wrote it; for messages */
};

enum db_mode {
	DB_READ,  /* never creates, never writes */
	DB_WRITE, /* an existing file that can be written; -EACCES when it cannot */
};

/** Opens a connection with the settings that all of ours share; says nothing yet about what is in
 * the file. -ENOENT when there is no file. */
int db_open(struct db **out, const char *path, enum db_mode mode, struct error *err);
/** The history is what it should be: the last connection that closes may checkpoint it from now on.
 * Until then, and once it is not accepted any more, closing leaves every byte as it is. */
void db_accept(const struct db *db, bool accepted);
/** Closes; all statements must be finalised. NULL is fine. */
void db_free(struct db *db);
AUTO_DEFINE(db);

/** Opens a history that exists and checks that it is one and of our version (-EBADMSG when not). */
int db_open_history(struct db **out, const char *path, enum db_mode mode, struct error *err);

/** Fills err from the connection's last failure, whose SQLite code is rc: which file, what was
 * done, and what to mend. Returns -errno: -EBUSY, -ENOSPC, -EIO, -EACCES, -EBADMSG (corrupt), else
 * -EINVAL. */
int db_fail(const struct db *db, int rc, const char *doing, struct error *err);
/** Bounds the page cache. To be called when the page size is known, that is after the first look
 * into the file: SQLite turns the bound into a number of pages, with the size that it assumes
 * before. */
int db_limit_cache(const struct db *db, enum db_mode mode, struct error *err);
/** Whether the commits of transactions that begin from now on are synced to the disk; *is is what
 * holds now. SQLITE_OK, or the failure's code. */
int db_set_durable(sqlite3 *handle, bool *is, bool durable);
/** Runs SQL of ours that gives no rows. */
int db_exec(const struct db *db, const char *sql, struct error *err);
/** Prepares a statement of ours that is used many times. */
int db_prepare(const struct db *db, sqlite3_stmt **out, const char *sql, struct error *err);
/** Steps a statement that gives no rows, and resets it: SQLITE_OK or the failure's code. */
int db_run(sqlite3_stmt *statement);
/** One integer, from the first row of sql. */
int db_integer(const struct db *db, const char *sql, int64_t *out, struct error *err);

/* Statements that belong together: filled from a table of SQL texts, freed as one. */
int db_prepare_all(const struct db *db, sqlite3_stmt **out, const char *const *sql, size_t count,
		   struct error *err);
void db_finalize_all(sqlite3_stmt **statements, size_t count);

static inline void db_stmt_cleanup(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement); /* NULL is fine */
}

/* A statement that is finalised at the end of its scope. */
#define AUTO_STMT __attribute__((cleanup(db_stmt_cleanup))) sqlite3_stmt

/** Binds raw bytes as text, NULL as null; borrowed until the statement is reset. */
static inline void db_bind_bytes(sqlite3_stmt *statement, int at, const char *bytes, size_t len)
{
	(void)sqlite3_bind_text64(statement, at, bytes, len, SQLITE_STATIC, SQLITE_UTF8);
}

static inline void db_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	(void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static inline void db_bind(sqlite3_stmt *statement, int at, int64_t value)
{
	(void)sqlite3_bind_int64(statement, at, value);
}

#endif
