/*
 * maintain: see maintain.h. retry and prune; import is import.c.
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
#include "core/store/timing.h"
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
	OLD_AFTER,
	DELETE,
	DELETE_GAPS,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[KIND] = "SELECT first_seen_ns, mime, state, reason, verdict, finished_ns FROM version"
		 " WHERE id = ?1",
	[REQUEUE] = "UPDATE version SET state = 'queued', reason = NULL, verdict = NULL,"
		    " note = NULL, wait = NULL, finished_ns = NULL, due_ns = 0, tries = 0,"
		    " away_since_ns = 0"
		    " WHERE id = ?1",
	[FAILED_AFTER] = "SELECT id, first_seen_ns FROM version WHERE state = 'unscanned'"
			 " AND reason IN ('failed', 'unreadable')"
			 " AND (first_seen_ns, id) > (?1, ?2) ORDER BY first_seen_ns, id LIMIT ?3",
	[OLD_AFTER] = "SELECT v.id, d.path || '/' || v.name FROM version v"
		      " CROSS JOIN dir d ON d.id = v.dir_id"
		      " WHERE v.id > ?2 AND v.state <> 'queued' AND v.finished_ns < ?1"
		      " ORDER BY v.id LIMIT ?3",
	[DELETE] = "DELETE FROM version WHERE id = ?1",
	[DELETE_GAPS] = "DELETE FROM gap WHERE closed_ns < ?1",
};

struct maintain {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct tally *tally;
	/* what is done to each row, and to which rows */
	int (*change)(struct maintain *maintain, int64_t id);
	bool (*wanted)(const struct maintain *maintain, sqlite3_stmt *kind);
	const struct store_prune_options *prune; /* borrowed */
	int64_t changed;
};

/* The columns of KIND. */
enum kind {
	FIRST_SEEN,
	MIME,
	STATE,
	REASON,
	VERDICT,
	FINISHED
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

static bool may_retry(const struct maintain *maintain, sqlite3_stmt *kind)
{
	(void)maintain;
	const char *reason = text_at(kind, REASON);
	return is_state(kind, VERSION_UNSCANNED) && reason &&
	       version_reason_by_name(reason) != REASON_NOT_REGULAR;
}

static bool may_prune(const struct maintain *maintain, sqlite3_stmt *kind)
{
	return !is_state(kind, VERSION_QUEUED) &&
	       sqlite3_column_int64(kind, FINISHED) < maintain->prune->before_ns;
}

static int run_with_id(struct maintain *maintain, enum statement which, int64_t id)
{
	db_bind(maintain->statements[which], 1, id);
	return db_run(maintain->statements[which]);
}

static int requeue(struct maintain *maintain, int64_t id)
{
	return run_with_id(maintain, REQUEUE, id);
}

static int delete_version(struct maintain *maintain, int64_t id)
{
	int rc = timing_delete(tally_timing(maintain->tally), id);
	return rc == SQLITE_OK ? run_with_id(maintain, DELETE, id) : rc;
}

/* The daemon may have changed the row since it was looked for: it is looked at again. */
static int change_row(struct maintain *maintain, int64_t id)
{
	sqlite3_stmt *kind = maintain->statements[KIND];
	db_bind(kind, 1, id);
	bool wanted = sqlite3_step(kind) == SQLITE_ROW && maintain->wanted(maintain, kind);
	if (wanted) {
		struct tally_kind counted = {
			.first_seen_ns = sqlite3_column_int64(kind, FIRST_SEEN),
			.mime = text_at(kind, MIME),
			.state = text_at(kind, STATE),
			.reason = text_at(kind, REASON),
			.verdict = text_at(kind, VERDICT),
		};
		tally_add(maintain->tally, &counted, -1);
	}
	int rc = sqlite3_reset(kind);
	if (rc != SQLITE_OK || !wanted)
		return rc;
	maintain->changed++;
	return maintain->change(maintain, id);
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
	else if (is_state(kind, VERSION_UNSCANNED) && !may_retry(maintain, kind))
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
	AUTO_MAINTAIN maintain = { .change = requeue, .wanted = may_retry };
	int result = maintain_open(&maintain, path, err);
	if (result == 0 && ids)
		result = retry_ids(&maintain, ids, id_count, err);
	else if (result == 0)
		result = retry_failed(&maintain, err);
	if (result == 0)
		*out = maintain.changed;
	return result;
}

/* ---- prune ---- */

/* The next old versions after *last_id whose file is gone; *more says whether to go on. */
static int gather_old(struct maintain *maintain, int64_t *ids, size_t *count, int64_t *last_id,
		      bool *more)
{
	sqlite3_stmt *old = maintain->statements[OLD_AFTER];
	int seen = 0;
	*count = 0;
	db_bind(old, 1, maintain->prune->before_ns);
	db_bind(old, 2, *last_id);
	db_bind(old, 3, BATCH_ROWS);
	while (seen < BATCH_ROWS && sqlite3_step(old) == SQLITE_ROW) {
		seen++;
		*last_id = sqlite3_column_int64(old, 0);
		const struct store_prune_options *prune = maintain->prune;
		if (!prune->keep || !prune->keep(prune->context, text_at(old, 1)))
			ids[(*count)++] = *last_id;
	}
	*more = seen == BATCH_ROWS;
	return sqlite3_reset(old);
}

static int prune_versions(struct maintain *maintain, struct error *err)
{
	int64_t ids[BATCH_ROWS];
	int64_t last_id = 0;
	bool dry_run = maintain->prune->dry_run;
	bool more = true;
	while (more) {
		size_t count = 0;
		int rc = gather_old(maintain, ids, &count, &last_id, &more);
		if (rc != SQLITE_OK)
			return db_fail(maintain->db, rc, "reading", err);
		if (dry_run)
			maintain->changed += (int64_t)count;
		int result = dry_run || !count ? 0 : change_batch(maintain, ids, count, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int prune_gaps(struct maintain *maintain, struct error *err)
{
	int rc = run_with_id(maintain, DELETE_GAPS, maintain->prune->before_ns);
	return rc == SQLITE_OK ? 0 : db_fail(maintain->db, rc, "writing", err);
}

int store_prune(const char *path, const struct store_prune_options *options, int64_t *out,
		struct error *err)
{
	AUTO_MAINTAIN maintain = {
		.change = delete_version,
		.wanted = may_prune,
		.prune = options,
	};
	int result = maintain_open(&maintain, path, err);
	if (result == 0)
		result = prune_versions(&maintain, err);
	if (result == 0 && !options->dry_run)
		result = prune_gaps(&maintain, err);
	if (result == 0)
		*out = maintain.changed;
	return result;
}
