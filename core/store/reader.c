/* reader: see reader.h. The look-up of files is find.c. */
#include "core/store/reader.h"

#include <string.h>

#include "core/store/db.h"
#include "core/store/find.h"
#include "core/store/names.h"
#include "core/store/renew.h"
#include "core/store/rescan.h"
#include "core/store/reuse.h"
#include "core/store/row.h"
#include "core/store/writer.h"

enum statement {
	BEGIN,
	END,
	LOAD,
	DUE,
	NEXT_DUE,
	OLDEST,
	QUEUED,
	FINDINGS,
	TERMINAL,
	WAITING,
	RESCANS,
	NEXT_RESCAN,
	RESCANS_BY_END,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN",
	[END] = "COMMIT",
	[LOAD] = ROW_SELECT "WHERE v.id = ?1",
	[DUE] = ROW_SELECT "WHERE v.state = 'queued' AND v.due_ns <= ?1 ORDER BY v.due_ns, v.id",
	[NEXT_DUE] = "SELECT min(due_ns) FROM version WHERE state = 'queued' AND due_ns > ?1",
	/* + and INDEXED BY: not the table from its first row on until one is queued */
	[OLDEST] =
		ROW_SELECT "WHERE v.id = (SELECT min(+q.id) FROM version q INDEXED BY version_queue"
			   " WHERE q.state = 'queued')",
	[QUEUED] = "SELECT count(*) FROM version INDEXED BY version_queue WHERE state = 'queued'",
	[FINDINGS] = ROW_SELECT_FINDINGS,
	[TERMINAL] = "SELECT state, sum(files) FROM tally GROUP BY state",
	[WAITING] = "SELECT wait, count(*) FROM version WHERE state = 'queued' GROUP BY wait",
	[RESCANS] = "SELECT" ROW_COLUMNS
		    ", q.detector, q.asked_ns, q.tries, q.away_since_ns FROM rescan_queue q"
		    " CROSS JOIN version v ON v.id = q.version_id"
		    " CROSS JOIN dir d ON d.id = v.dir_id"
		    " WHERE q.state = 'waiting' AND q.due_ns <= ?1"
		    " ORDER BY q.due_ns, q.version_id DESC",
	[NEXT_RESCAN] =
		"SELECT min(due_ns) FROM rescan_queue WHERE state = 'waiting' AND due_ns > ?1",
	[RESCANS_BY_END] = RESCAN_TOTALS,
};

struct store_reader {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct find find;
	struct names names;
	struct reuse reuse;
};

int store_reader_open(struct store_reader **out, const char *path, struct error *err)
{
	AUTO(store_reader) struct store_reader *reader = xcalloc(1, sizeof *reader);
	int result = db_open_history(&reader->db, path, DB_READ, err);
	if (result == 0)
		result = db_prepare_all(reader->db, reader->statements, sql, STATEMENTS, err);
	if (result == 0)
		result = find_init(&reader->find, reader->db, err);
	if (result == 0)
		result = names_init(&reader->names, reader->db, err);
	if (result == 0)
		result = reuse_init(&reader->reuse, reader->db, err);
	if (result < 0)
		return result;
	*out = TAKE(reader);
	return 0;
}

void store_reader_free(struct store_reader *reader)
{
	if (!reader)
		return;
	find_done(&reader->find);
	names_done(&reader->names);
	reuse_done(&reader->reuse);
	db_finalize_all(reader->statements, STATEMENTS);
	db_free(reader->db);
	free(reader);
}

void store_reader_begin(struct store_reader *reader)
{
	(void)db_run(reader->statements[BEGIN]); /* takes no lock yet: nothing to fail */
}

void store_reader_end(struct store_reader *reader)
{
	if (!sqlite3_get_autocommit(reader->db->handle))
		(void)db_run(reader->statements[END]); /* nothing was written: nothing to fail */
}

static int finish(struct store_reader *reader, int rc, struct error *err)
{
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading", err);
}

/* NOLINTNEXTLINE(readability-function-size): a look-up has a long key */
int store_find(struct store_reader *reader, const struct identity *identity, const char *path,
	       size_t path_len, size_t dir_len, struct known *out, struct error *err)
{
	struct find_path where = { .path = path, .len = path_len, .dir_len = dir_len };
	return finish(reader, find_known(&reader->find, identity, &where, out), err);
}

int store_dir(struct store_reader *reader, const struct store_dir *dir, int64_t *out,
	      struct error *err)
{
	return finish(reader, find_dir(&reader->find, dir, out), err);
}

int store_recorded(struct store_reader *reader, const struct identity *identity,
		   const struct store_name *name, struct known *out, struct error *err)
{
	return finish(reader, find_recorded(&reader->find, identity, name, out), err);
}

int store_earlier(struct store_reader *reader, const struct version *version, int64_t not_id,
		  struct known *out, struct error *err)
{
	struct find_path where = { version->path, version->path_len, version->dir_len };
	return finish(reader,
		      names_earlier(&reader->names, &version->identity, &where, not_id, out), err);
}

int store_names(struct store_reader *reader, const struct identity *identity, unsigned limit,
		const struct store_name_visit *each, struct error *err)
{
	return finish(reader, names_each(&reader->names, identity, limit, each), err);
}

static int load_one(struct store_reader *reader, sqlite3_stmt *load, struct version **out,
		    struct error *err)
{
	struct version *version = NULL;
	if (sqlite3_step(load) == SQLITE_ROW)
		version = row_read(load);
	int result = finish(reader, sqlite3_reset(load), err);
	if (result < 0)
		version_free(TAKE(version));
	else
		*out = version;
	return result;
}

int store_load(struct store_reader *reader, int64_t id, struct version **out, struct error *err)
{
	sqlite3_stmt *load = reader->statements[LOAD];
	db_bind(load, 1, id);
	return load_one(reader, load, out, err);
}

int store_oldest_queued(struct store_reader *reader, struct version **out, struct error *err)
{
	return load_one(reader, reader->statements[OLDEST], out, err);
}

int store_queued(struct store_reader *reader, uint64_t *out, struct error *err)
{
	sqlite3_stmt *row = reader->statements[QUEUED];
	uint64_t count = 0;
	if (sqlite3_step(row) == SQLITE_ROW)
		count = (uint64_t)sqlite3_column_int64(row, 0);
	int result = finish(reader, sqlite3_reset(row), err);
	if (result == 0)
		*out = count;
	return result;
}

int store_due(struct store_reader *reader, int64_t now_ns,
	      bool (*visit)(void *context, struct version *version), void *context,
	      struct error *err)
{
	sqlite3_stmt *due = reader->statements[DUE];
	db_bind(due, 1, now_ns);
	while (sqlite3_step(due) == SQLITE_ROW && visit(context, row_read(due)))
		;
	return finish(reader, sqlite3_reset(due), err);
}

static int next_due(struct store_reader *reader, enum statement which, int64_t now_ns, int64_t *out,
		    struct error *err)
{
	sqlite3_stmt *next = reader->statements[which];
	int64_t due_ns = INT64_MAX;
	db_bind(next, 1, now_ns);
	if (sqlite3_step(next) == SQLITE_ROW && sqlite3_column_type(next, 0) != SQLITE_NULL)
		due_ns = sqlite3_column_int64(next, 0);
	int result = finish(reader, sqlite3_reset(next), err);
	if (result == 0)
		*out = due_ns;
	return result;
}

int store_next_due(struct store_reader *reader, int64_t now_ns, int64_t *out, struct error *err)
{
	return next_due(reader, NEXT_DUE, now_ns, out, err);
}

int store_next_rescan(struct store_reader *reader, int64_t now_ns, int64_t *out, struct error *err)
{
	return next_due(reader, NEXT_RESCAN, now_ns, out, err);
}

static struct store_rescan *read_rescan(sqlite3_stmt *row)
{
	struct store_rescan *rescan = xcalloc(1, sizeof *rescan);
	int at = sqlite3_column_count(row) - 4; /* after the version's */
	rescan->detector = xstrdup((const char *)sqlite3_column_text(row, at));
	rescan->asked_ns = sqlite3_column_int64(row, at + 1);
	rescan->tries = (unsigned)sqlite3_column_int64(row, at + 2);
	rescan->away_since_ns = sqlite3_column_int64(row, at + 3);
	rescan->was = OUTCOMES;
	return rescan;
}

int store_rescans(struct store_reader *reader, int64_t now_ns,
		  bool (*visit)(void *context, struct version *version,
				struct store_rescan *rescan),
		  void *context, struct error *err)
{
	sqlite3_stmt *row = reader->statements[RESCANS];
	db_bind(row, 1, now_ns);
	while (sqlite3_step(row) == SQLITE_ROW && visit(context, row_read(row), read_rescan(row)))
		;
	return finish(reader, sqlite3_reset(row), err);
}

int store_rescan_totals(struct store_reader *reader, struct store_rescan_totals *out,
			struct error *err)
{
	sqlite3_stmt *row = reader->statements[RESCANS_BY_END];
	struct store_rescan_totals totals = { 0 };
	while (sqlite3_step(row) == SQLITE_ROW)
		rescan_read_total(row, &totals);
	int result = finish(reader, sqlite3_reset(row), err);
	if (result == 0)
		*out = totals;
	return result;
}

int store_findings(struct store_reader *reader, int64_t file_id, struct finding **out,
		   size_t *count, struct error *err)
{
	AUTO(version) struct version *kept = version_new("", 0); /* for its list alone */
	kept->id = file_id;
	int result = finish(reader, row_read_findings(reader->statements[FINDINGS], kept), err);
	if (result < 0)
		return result;
	*out = TAKE(kept->findings);
	*count = kept->finding_count;
	kept->finding_count = 0;
	return 0;
}

void store_reader_follow(struct store_reader *reader, struct store *store)
{
	reader->reuse.absent = store->absent;
}

int store_reuse(struct store_reader *reader, const struct store_reuse_question *asked,
		struct finding *out, bool *found, struct error *err)
{
	struct finding finding = { .outcome = OUTCOMES };
	bool have = false;
	struct reuse_question question = { asked->sha256, asked->wanted, asked->since_ns,
					   asked->seen_ns };
	*found = false;
	if (reuse_is_absent(&reader->reuse, &question))
		return 0;
	/* several statements, one lock; who follows a store has one, nearly always */
	bool own = !reader->reuse.absent && sqlite3_get_autocommit(reader->db->handle) != 0;
	if (own)
		store_reader_begin(reader);
	int rc = reuse_find(&reader->reuse, &question, &finding, &have);
	if (own)
		store_reader_end(reader);
	int result = finish(reader, rc, err);
	if (result < 0 || !have)
		finding_done(&finding);
	else
		*out = finding;
	if (result == 0)
		*found = have;
	return result;
}

static int read_terminal(struct store_reader *reader, struct store_totals *totals)
{
	sqlite3_stmt *terminal = reader->statements[TERMINAL];
	while (sqlite3_step(terminal) == SQLITE_ROW) {
		const char *state = (const char *)sqlite3_column_text(terminal, 0);
		int64_t files = sqlite3_column_int64(terminal, 1);
		if (version_state_by_name(state) == VERSION_DONE)
			totals->done = files;
		else
			totals->unscanned = files;
	}
	return sqlite3_reset(terminal);
}

static int read_waiting(struct store_reader *reader, struct store_totals *totals)
{
	sqlite3_stmt *waiting = reader->statements[WAITING];
	while (sqlite3_step(waiting) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(waiting, 0);
		enum version_wait wait = name ? version_wait_by_name(name) : WAIT_NOTHING;
		int64_t files = sqlite3_column_int64(waiting, 1);
		if (wait < WAITS)
			totals->waiting[wait] += files;
		totals->queued += files;
	}
	return sqlite3_reset(waiting);
}

int store_totals(struct store_reader *reader, struct store_totals *out, struct error *err)
{
	struct store_totals totals = { 0 };
	bool own = sqlite3_get_autocommit(reader->db->handle) != 0;
	if (own)
		store_reader_begin(reader); /* both counts of the same moment */
	int rc = read_terminal(reader, &totals);
	if (rc == SQLITE_OK)
		rc = read_waiting(reader, &totals);
	int result = finish(reader, rc, err);
	if (own)
		store_reader_end(reader);
	if (result < 0)
		return result;
	totals.rows = totals.queued + totals.done + totals.unscanned;
	*out = totals;
	return 0;
}
