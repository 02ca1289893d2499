/*
 * maintain: see maintain.h. retry; prune is prune.c, import is import.c.
 *
 * The daemon's writer waits for our transactions, so they are small: what is to be changed is
 * looked for first, without a lock, then changed in batches, each looking again at what it changes.
 */
#include "core/store/maintain.h"

#include <errno.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/store/db.h"
#include "core/store/tally.h"
#include "core/store/version.h"

enum {
	BATCH_ROWS = 500
};

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	KIND,
	REQUEUE,
	FAILED_AFTER,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[KIND] = "SELECT first_seen_ns, mime, state, reason, verdict FROM version WHERE id = ?1",
	[REQUEUE] = "UPDATE version SET state = 'queued', reason = NULL, verdict = NULL,"
		    " note = NULL, wait = NULL, finished_ns = NULL, due_ns = 0, tries = 0,"
		    " away_since_ns = 0"
		    " WHERE id = ?1",
	[FAILED_AFTER] = "SELECT id, first_seen_ns FROM version WHERE state = 'unscanned'"
			 " AND reason IN ('failed', 'unreadable')"
			 " AND (first_seen_ns, id) > (?1, ?2) ORDER BY first_seen_ns, id LIMIT ?3",
};

struct maintain {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct tally *tally;
	int64_t changed;
};

/* Columns of KIND. */
enum kind {
	STATE = 2,
	REASON
};

static int maintain_open(struct maintain *maintain, const char *path, struct error *err)
{
	int result = db_open_history(&maintain->db, path, DB_WRITE, err);
	if (result == 0)
		result = db_prepare_all(maintain->db, maintain->statements, sql, STATEMENTS, err);
	return result == 0 ? tally_new(&maintain->tally, maintain->db, err) : result;
}

static void maintain_done(struct maintain *maintain)
{
	tally_free(maintain->tally);
	db_finalize_all(maintain->statements, STATEMENTS);
	db_free(maintain->db);
}

#define AUTO_MAINTAIN __attribute__((cleanup(maintain_done))) struct maintain

static const char *text_at(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

static bool is_state(sqlite3_stmt *kind, enum version_state state)
{
	const char *text = text_at(kind, STATE);
	return text && version_state_by_name(text) == state;
}

static bool may_retry(sqlite3_stmt *kind)
{
	const char *reason = text_at(kind, REASON);
	return is_state(kind, VERSION_UNSCANNED) && reason &&
	       version_reason_by_name(reason) != REASON_NOT_REGULAR;
}

static int requeue(struct maintain *maintain, int64_t id)
{
	db_bind(maintain->statements[REQUEUE], 1, id);
	return db_run(maintain->statements[REQUEUE]);
}

/* The daemon may have changed the row since it was looked for: it is looked at again. */
static int change_row(struct maintain *maintain, int64_t id)
{
	sqlite3_stmt *kind = maintain->statements[KIND];
	db_bind(kind, 1, id);
	bool wanted = sqlite3_step(kind) == SQLITE_ROW && may_retry(kind);
	if (wanted) {
		struct tally_kind counted = tally_kind_at(kind);
		tally_add(maintain->tally, &counted, -1);
	}
	int rc = sqlite3_reset(kind);
	if (rc != SQLITE_OK || !wanted)
		return rc;
	maintain->changed++;
	return requeue(maintain, id);
}

static int change_rows(struct maintain *maintain, const int64_t *ids, size_t count)
{
	int rc = db_run(maintain->statements[BEGIN]);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++)
		rc = change_row(maintain, ids[i]);
	if (rc == SQLITE_OK)
		rc = tally_write(maintain->tally);
	return rc == SQLITE_OK ? db_run(maintain->statements[COMMIT]) : rc;
}

/* One transaction. */
static int change_batch(struct maintain *maintain, const int64_t *ids, size_t count,
			struct error *err)
{
	int64_t before = maintain->changed;
	int rc = change_rows(maintain, ids, count);
	int result = rc == SQLITE_OK ? 0 : db_fail(maintain->db, rc, "writing", err);
	if (rc != SQLITE_OK)
		maintain->changed = before;
	if (!sqlite3_get_autocommit(maintain->db->handle))
		(void)db_run(maintain->statements[ROLLBACK]);
	tally_clear(maintain->tally);
	return result;
}

/* ---- retry ---- */

static int check_id(struct maintain *maintain, int64_t id, struct error *err)
{
	sqlite3_stmt *kind = maintain->statements[KIND];
	db_bind(kind, 1, id);
	int result = 0;
	if (sqlite3_step(kind) != SQLITE_ROW)
		result = error_set(err, ENOENT, "there is no version %lld in the history",
				   (long long)id);
	else if (is_state(kind, VERSION_DONE))
		result = error_set(err, EINVAL,
				   "version %lld is done: only what is unscanned can "
				   "be tried again",
				   (long long)id);
	else if (is_state(kind, VERSION_UNSCANNED) && !may_retry(kind))
		result = error_set(err, EINVAL,
				   "version %lld is no regular file: it is never opened",
				   (long long)id);
	int rc = sqlite3_reset(kind);
	return rc == SQLITE_OK ? result : db_fail(maintain->db, rc, "reading", err);
}

static int retry_ids(struct maintain *maintain, const int64_t *ids, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		int result = check_id(maintain, ids[i], err);
		if (result < 0)
			return result;
	}
	for (size_t at = 0; at < count; at += BATCH_ROWS) {
		size_t take = count - at < BATCH_ROWS ? count - at : BATCH_ROWS;
		int result = change_batch(maintain, ids + at, take, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int retry_failed(struct maintain *maintain, struct error *err)
{
	sqlite3_stmt *failed = maintain->statements[FAILED_AFTER];
	int64_t ids[BATCH_ROWS];
	int64_t seen_ns = INT64_MIN;
	int64_t last_id = 0;
	size_t count;
	do {
		count = 0;
		db_bind(failed, 1, seen_ns);
		db_bind(failed, 2, last_id);
		db_bind(failed, 3, BATCH_ROWS);
		while (count < BATCH_ROWS && sqlite3_step(failed) == SQLITE_ROW) {
			last_id = ids[count++] = sqlite3_column_int64(failed, 0);
			seen_ns = sqlite3_column_int64(failed, 1);
		}
		int rc = sqlite3_reset(failed);
		if (rc != SQLITE_OK)
			return db_fail(maintain->db, rc, "reading", err);
		int result = change_batch(maintain, ids, count, err);
		if (result < 0)
			return result;
	} while (count == BATCH_ROWS);
	return 0;
}

int store_retry(const char *path, const int64_t *ids, size_t id_count, int64_t *out,
		struct error *err)
{
	AUTO_MAINTAIN maintain = { 0 };
	int result = maintain_open(&maintain, path, err);
	if (result == 0 && ids)
		result = retry_ids(&maintain, ids, id_count, err);
	else if (result == 0)
		result = retry_failed(&maintain, err);
	if (result == 0)
		*out = maintain.changed;
	return result;
}
