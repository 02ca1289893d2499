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
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[OPEN] = "INSERT INTO gap (root, cause, opened_ns) VALUES (?1, ?2, ?3)",
	[CLOSE] = "UPDATE gap SET closed_ns = ?2, found = ?3 WHERE id = ?1",
	[CLOSE_OLD] = "UPDATE gap SET closed_ns = ?2 WHERE closed_ns IS NULL AND opened_ns < ?1",
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
