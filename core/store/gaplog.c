/*
 * gaplog: see gaplog.h.
 */
#include "core/store/gaplog.h"

#include "core/store/db.h"
#include "core/store/store.h"

enum statement {
	OPEN,
	CLOSE,
	CLOSE_OLD,
	DUE_BY,
	RESCAN_DUE_BY,
	ALIVE,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[OPEN] = "INSERT INTO gap (root, cause, opened_ns) VALUES (?1, ?2, ?3)",
	[CLOSE] = "UPDATE gap SET closed_ns = ?2, found = ?3 WHERE id = ?1",
	[CLOSE_OLD] = "UPDATE gap SET closed_ns = ?2 WHERE closed_ns IS NULL AND opened_ns < ?1",
	[DUE_BY] = "UPDATE version SET due_ns = ?1, away_since_ns = min(away_since_ns, ?1)"
		   " WHERE state = 'queued' AND due_ns > ?2",
	[RESCAN_DUE_BY] = "UPDATE rescan_queue SET due_ns = ?1,"
			  " away_since_ns = min(away_since_ns, ?1)"
			  " WHERE state = 'waiting' AND due_ns > ?2",
	[ALIVE] = "INSERT INTO meta (key, value) VALUES ('alive', ?1)"
		  " ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
};

struct gaplog {
	sqlite3 *handle;
	sqlite3_stmt *statements[STATEMENTS];
};

int gaplog_new(struct gaplog **out, const struct db *db, struct error *err)
{
	AUTO(gaplog) struct gaplog *gaplog = xcalloc(1, sizeof *gaplog);
	gaplog->handle = db->handle;
	int result = db_prepare_all(db, gaplog->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(gaplog);
	return result;
}

void gaplog_free(struct gaplog *gaplog)
{
	if (!gaplog)
		return;
	db_finalize_all(gaplog->statements, STATEMENTS);
	free(gaplog);
}

int gaplog_open(struct gaplog *gaplog, struct store_gap *gap)
{
	sqlite3_stmt *insert = gaplog->statements[OPEN];
	db_bind_text(insert, 1, gap->root);
	db_bind_text(insert, 2, gap->cause);
	db_bind(insert, 3, gap->opened_ns);
	int rc = db_run(insert);
	if (rc == SQLITE_OK)
		gap->id = sqlite3_last_insert_rowid(gaplog->handle);
	return rc;
}

int gaplog_close(struct gaplog *gaplog, const struct store_gap *gap)
{
	sqlite3_stmt *update = gaplog->statements[CLOSE];
	db_bind(update, 1, gap->id);
	db_bind(update, 2, gap->closed_ns);
	db_bind(update, 3, gap->found);
	return db_run(update);
}

int gaplog_close_old(struct gaplog *gaplog, const struct store_gap *gap)
{
	sqlite3_stmt *update = gaplog->statements[CLOSE_OLD];
	db_bind(update, 1, gap->opened_ns);
	db_bind(update, 2, gap->closed_ns);
	return db_run(update);
}

int gaplog_due_by(struct gaplog *gaplog, struct store_op *op)
{
	int changed = 0;
	for (enum statement at = DUE_BY; at <= RESCAN_DUE_BY; at++) {
		db_bind(gaplog->statements[at], 1, op->gap->opened_ns);
		db_bind(gaplog->statements[at], 2, op->gap->closed_ns);
		int rc = db_run(gaplog->statements[at]);
		if (rc != SQLITE_OK)
			return rc;
		changed += sqlite3_changes(gaplog->handle);
	}
	if (!changed)
		op->result = STORE_KNOWN;
	return SQLITE_OK;
}

int gaplog_alive(struct gaplog *gaplog, const struct store_gap *gap)
{
	db_bind(gaplog->statements[ALIVE], 1, gap->opened_ns);
	return db_run(gaplog->statements[ALIVE]);
}
