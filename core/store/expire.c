/*
 * expire: see expire.h.
 *
 * Whoever names a version has looked at it without a lock: it is looked at again here. Those that
 * wait (queued, or for a rescan) never go, nor those that finished since.
 *
 * Pages that are free are used again. Giving them back to the file system moves the file's last
 * pages into their places, some at a time, and needs a history that was made with the map for it
 * (migrate.c); for others the pragma does nothing.
 */
#include "core/store/expire.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/store/db.h"
#include "core/store/op.h"
#include "core/store/tally.h"
#include "core/store/timing.h"

/* Given back by one statement. */
#define STEP_PAGES 16

enum statement {
	KIND,
	DELETE,
	DELETE_GAPS,
	GIVE_BACK,
	FREE,
	PAGES,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[KIND] = "SELECT first_seen_ns, mime, state, reason, verdict FROM version v"
		 " WHERE id = ?1 AND state <> 'queued' AND finished_ns < ?2"
		 " AND NOT " EXPIRE_NOT_YET,
	[DELETE] = "DELETE FROM version WHERE id = ?1",
	[DELETE_GAPS] = "DELETE FROM gap WHERE closed_ns < ?1",
	[GIVE_BACK] = "PRAGMA incremental_vacuum(" STR_OF(STEP_PAGES) ")",
	[FREE] = "PRAGMA freelist_count",
	[PAGES] = "PRAGMA page_count",
};

struct expire {
	sqlite3_stmt *statements[STATEMENTS];
	struct tally *tally;
};

int expire_new(struct expire **out, const struct db *db, struct tally *tally, struct error *err)
{
	AUTO(expire) struct expire *expire = xcalloc(1, sizeof *expire);
	expire->tally = tally;
	int result = db_prepare_all(db, expire->statements, sql, STATEMENTS, err);
	if (result < 0)
		return result;
	*out = TAKE(expire);
	return 0;
}

void expire_free(struct expire *expire)
{
	if (!expire)
		return;
	db_finalize_all(expire->statements, STATEMENTS);
	free(expire);
}

/* SQLITE_ROW: it may go, and is counted off; SQLITE_DONE: it stays. */
static int count_off(struct expire *expire, int64_t id, int64_t before_ns)
{
	sqlite3_stmt *kind = expire->statements[KIND];
	db_bind(kind, 1, id);
	db_bind(kind, 2, before_ns);
	int step = sqlite3_step(kind);
	if (step == SQLITE_ROW) {
		struct tally_kind counted = tally_kind_at(kind);
		tally_add(expire->tally, &counted, -1);
	}
	int rc = sqlite3_reset(kind);
	return rc == SQLITE_OK ? step : rc;
}

static int delete_one(struct expire *expire, int64_t id, struct store_expire *work)
{
	int rc = count_off(expire, id, work->before_ns);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	work->gone++;
	rc = timing_delete(tally_timing(expire->tally), id);
	db_bind(expire->statements[DELETE], 1, id);
	return rc == SQLITE_OK ? db_run(expire->statements[DELETE]) : rc;
}

/* The statement frees a page at each step. */
static int give_back(struct expire *expire, unsigned pages)
{
	sqlite3_stmt *step = expire->statements[GIVE_BACK];
	int rc = SQLITE_OK;
	for (unsigned given = 0; given < pages && rc == SQLITE_OK; given += STEP_PAGES) {
		while (sqlite3_step(step) == SQLITE_ROW)
			;
		rc = sqlite3_reset(step);
	}
	return rc;
}

static int number_of(sqlite3_stmt *statement, int64_t *out)
{
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	return sqlite3_reset(statement);
}

int expire_run(struct expire *expire, struct store_expire *work)
{
	struct mono began = mono_now();
	int rc = SQLITE_OK;
	work->gone = 0;
	for (size_t i = 0; i < work->count && rc == SQLITE_OK; i++)
		rc = delete_one(expire, work->ids[i], work);
	if (rc == SQLITE_OK && work->gaps) {
		db_bind(expire->statements[DELETE_GAPS], 1, work->before_ns);
		rc = db_run(expire->statements[DELETE_GAPS]);
	}
	if (rc == SQLITE_OK)
		rc = give_back(expire, work->give_back);
	if (rc == SQLITE_OK)
		rc = number_of(expire->statements[FREE], &work->free_pages);
	if (rc == SQLITE_OK)
		rc = number_of(expire->statements[PAGES], &work->pages);
	work->took_ns = mono_now().ns - began.ns;
	return rc;
}
