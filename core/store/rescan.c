/*
 * rescan: see rescan.h. Asking, beside a running daemon.
 *
 * As in maintain.c: versions are looked for without a lock, then asked for in small transactions.
 * The digests in force are the daemon's affair: a command does not know what clamd or a list holds
 * now, so it asks for all that it was told to, and the daemon leaves what is up to date as it is.
 */
#include "core/store/rescan.h"

#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/store/db.h"
#include "core/store/renew.h"
#include "core/store/version.h"

enum {
	BATCH_ROWS = 500
};

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	KNOWN,
	NAMES,
	LOOK,
	ASK,
	TOTALS,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[KNOWN] = "SELECT EXISTS (SELECT 1 FROM rules WHERE detector = ?1)"
		  " OR EXISTS (SELECT 1 FROM detector WHERE name = ?1)",
	[NAMES] = "SELECT group_concat(name, ', ') FROM (SELECT detector AS name FROM rules"
		  " UNION SELECT name FROM detector)",
	[LOOK] = "SELECT id, first_seen_ns FROM version WHERE (first_seen_ns, id) > (?1, ?2)"
		 " AND first_seen_ns < ?3 AND state = 'done' AND (?4 IS NULL OR mime GLOB ?4)"
		 " ORDER BY first_seen_ns, id LIMIT ?5",
	[ASK] = RESCAN_ASK RESCAN_AGAIN,
	[TOTALS] = RESCAN_TOTALS,
};

static const char *const end_names[RESCAN_ENDS] = {
	[RESCAN_WAITING] = "waiting",
	[RESCAN_GONE] = "gone",
	[RESCAN_REPLACED] = "replaced",
	[RESCAN_FAILED] = "failed",
};

const char *rescan_end_name(enum rescan_end end)
{
	return end_names[end];
}

void store_rescan_free(struct store_rescan *rescan)
{
	if (!rescan)
		return;
	free(rescan->detector);
	free(rescan->note);
	free(rescan);
}

void rescan_read_total(sqlite3_stmt *row, struct store_rescan_totals *totals)
{
	const char *state = (const char *)sqlite3_column_text(row, 0);
	for (int i = RESCAN_WAITING; state && i < RESCAN_ENDS; i++) {
		if (strcmp(end_names[i], state) == 0)
			totals->by_end[i] = sqlite3_column_int64(row, 1);
	}
}

struct asking {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
	const struct store_rescan_options *options;
	int64_t now_ns;
	int64_t seen_ns, last_id; /* how far it has looked */
	int64_t asked;
};

static void asking_done(struct asking *asking)
{
	db_finalize_all(asking->statements, STATEMENTS);
	db_free(asking->db);
}

#define AUTO_ASKING __attribute__((cleanup(asking_done))) struct asking

static int fail(const struct asking *asking, int rc, const char *doing, struct error *err)
{
	return rc == SQLITE_OK ? 0 : db_fail(asking->db, rc, doing, err);
}

static int check_detector(const struct asking *asking, struct error *err)
{
	const char *name = asking->options->detector;
	if (!name)
		return 0;
	sqlite3_stmt *known = asking->statements[KNOWN];
	sqlite3_stmt *names = asking->statements[NAMES];
	db_bind_text(known, 1, name);
	bool is_known = sqlite3_step(known) == SQLITE_ROW && sqlite3_column_int(known, 0);
	int result = fail(asking, sqlite3_reset(known), "reading", err);
	if (result < 0 || is_known)
		return result;
	bool any = sqlite3_step(names) == SQLITE_ROW && sqlite3_column_text(names, 0);
	result = error_set(err, ENOENT, "the history knows no detector \"%s\"; it knows %s", name,
			   any ? (const char *)sqlite3_column_text(names, 0) : "none");
	(void)sqlite3_reset(names);
	return result;
}

/* The next versions that are meant. */
static int look(struct asking *asking, int64_t *ids, size_t *count)
{
	sqlite3_stmt *look = asking->statements[LOOK];
	db_bind(look, 1, asking->seen_ns);
	db_bind(look, 2, asking->last_id);
	db_bind(look, 3, asking->options->until_ns);
	db_bind_text(look, 4, asking->options->mime);
	db_bind(look, 5, BATCH_ROWS);
	*count = 0;
	while (*count < BATCH_ROWS && sqlite3_step(look) == SQLITE_ROW) {
		asking->last_id = ids[(*count)++] = sqlite3_column_int64(look, 0);
		asking->seen_ns = sqlite3_column_int64(look, 1);
	}
	return sqlite3_reset(look);
}

static int ask_each(struct asking *asking, const int64_t *ids, size_t count, int64_t *asked)
{
	sqlite3_stmt *ask = asking->statements[ASK];
	int rc = db_run(asking->statements[BEGIN]);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
		db_bind(ask, 1, ids[i]);
		db_bind_text(ask, 2, asking->options->detector);
		db_bind(ask, 3, asking->now_ns);
		rc = db_run(ask);
		*asked += sqlite3_changes(asking->db->handle);
	}
	return rc == SQLITE_OK ? db_run(asking->statements[COMMIT]) : rc;
}

/* One transaction. */
static int ask(struct asking *asking, const int64_t *ids, size_t count, struct error *err)
{
	int64_t asked = 0;
	int rc = ask_each(asking, ids, count, &asked);
	int result = fail(asking, rc, "writing", err);
	if (!sqlite3_get_autocommit(asking->db->handle))
		(void)db_run(asking->statements[ROLLBACK]);
	if (result == 0)
		asking->asked += asked;
	return result;
}

static int ask_all(struct asking *asking, struct error *err)
{
	int64_t ids[BATCH_ROWS];
	size_t count = BATCH_ROWS;
	while (count == BATCH_ROWS) {
		int result = fail(asking, look(asking, ids, &count), "reading", err);
		if (result == 0 && asking->options->dry_run)
			asking->asked += (int64_t)count;
		else if (result == 0 && count > 0)
			result = ask(asking, ids, count, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int count_queue(const struct asking *asking, struct store_rescan_totals *totals,
		       struct error *err)
{
	sqlite3_stmt *row = asking->statements[TOTALS];
	while (sqlite3_step(row) == SQLITE_ROW)
		rescan_read_total(row, totals);
	return fail(asking, sqlite3_reset(row), "reading", err);
}

int store_rescan_ask(const char *path, const struct store_rescan_options *options,
		     struct store_rescan_asked *out, struct error *err)
{
	AUTO_ASKING asking = { .options = options, .now_ns = clock_wall_ns() };
	struct store_rescan_asked asked = { 0 };
	asking.seen_ns = options->since_ns;
	int result = db_open_history(&asking.db, path, options->dry_run ? DB_READ : DB_WRITE, err);
	if (result == 0)
		result = db_prepare_all(asking.db, asking.statements, sql, STATEMENTS, err);
	if (result == 0)
		result = check_detector(&asking, err);
	if (result == 0)
		result = ask_all(&asking, err);
	if (result == 0)
		result = count_queue(&asking, &asked.totals, err);
	if (result < 0)
		return result;
	asked.asked = asking.asked;
	*out = asked;
	return 0;
}
