/* removal_reader: see removal_reader.h. */
#include "core/store/removal_reader.h"

#include "core/store/db.h"
#include "core/store/row.h"
#include "core/store/version.h"

enum statement {
	DUE,
	NEXT,
	INTENDED,
	QUARANTINED,
	ONE_QUARANTINED,
	RESTORED,
	NOTES,
	LOAD,
	FINDINGS,
	STATEMENTS,
};

#define COLUMNS                                                                              \
	"SELECT id, version_id, action, cause, state, tries, due_ns, intended_ns, ended_ns," \
	" place, note FROM removal "

static const char *const sql[STATEMENTS] = {
	[DUE] = COLUMNS "WHERE state = 'intended' AND due_ns <= ?1 ORDER BY due_ns, id LIMIT ?2",
	[NEXT] = "SELECT coalesce(min(due_ns), 9223372036854775807) FROM removal"
		 " WHERE state = 'intended'",
	[INTENDED] = "SELECT count(*) FROM removal WHERE state = 'intended'",
	[QUARANTINED] = COLUMNS "WHERE state = 'quarantined' ORDER BY id",
	[ONE_QUARANTINED] = COLUMNS "WHERE id = ?1 AND place IS NOT NULL"
				    " AND state IN ('quarantined', 'restored')",
	[RESTORED] = "SELECT EXISTS (SELECT 1 FROM removal r CROSS JOIN version o"
		     " ON o.id = r.version_id CROSS JOIN version n ON n.id = ?1"
		     " WHERE r.state = 'restored' AND o.size = n.size AND o.sha256 IS n.sha256"
		     " AND ((o.dir_id = n.dir_id AND o.name = n.name)"
		     " OR (o.inode = n.inode AND o.btime_ns = n.btime_ns)))",
	[NOTES] = "SELECT key FROM meta WHERE substr(key, 1, length(?1)) = ?1",
	[LOAD] = ROW_SELECT "WHERE v.id = ?1",
	[FINDINGS] = ROW_SELECT_FINDINGS,
};

struct removal_reader {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
};

void removal_tasks_done(struct removal_tasks *tasks)
{
	for (size_t i = 0; i < tasks->count; i++) {
		removal_done(&tasks->items[i].removal);
		version_free(tasks->items[i].version);
	}
	free(tasks->items);
	*tasks = (struct removal_tasks){ 0 };
}

int removal_reader_open(struct removal_reader **out, const char *path, struct error *err)
{
	AUTO(removal_reader) struct removal_reader *reader = xcalloc(1, sizeof *reader);
	int result = db_open_history(&reader->db, path, DB_READ, err);
	if (result == 0)
		result = db_prepare_all(reader->db, reader->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(reader);
	return result;
}

void removal_reader_free(struct removal_reader *reader)
{
	if (!reader)
		return;
	db_finalize_all(reader->statements, STATEMENTS);
	db_free(reader->db);
	free(reader);
}

static char *text_of(sqlite3_stmt *row, int column)
{
	return xstrdup((const char *)sqlite3_column_text(row, column));
}

static const char *word_of(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

static struct removal read_removal(sqlite3_stmt *row)
{
	return (struct removal){
		.id = sqlite3_column_int64(row, 0),
		.version_id = sqlite3_column_int64(row, 1),
		.action = removal_action_by_name(word_of(row, 2)),
		.cause = removal_cause_by_name(word_of(row, 3)),
		.state = removal_state_by_name(word_of(row, 4)),
		.tries = (unsigned)sqlite3_column_int64(row, 5),
		.due_ns = sqlite3_column_int64(row, 6),
		.intended_ns = sqlite3_column_int64(row, 7),
		.ended_ns = sqlite3_column_int64(row, 8),
		.place = text_of(row, 9),
		.note = text_of(row, 10),
	};
}

static int load_version(struct removal_reader *reader, int64_t id, struct version **out)
{
	sqlite3_stmt *row = reader->statements[LOAD];
	db_bind(row, 1, id);
	if (sqlite3_step(row) == SQLITE_ROW)
		*out = row_read(row);
	int rc = sqlite3_reset(row);
	if (rc != SQLITE_OK || !*out)
		return rc;
	return row_read_findings(reader->statements[FINDINGS], *out);
}

static int fail(const struct removal_reader *reader, int rc, struct error *err)
{
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading removals", err);
}

/* The statement is bound. */
static int visit_all(struct removal_reader *reader, sqlite3_stmt *row,
		     const struct removal_visit *each)
{
	bool more = true;
	while (more && sqlite3_step(row) == SQLITE_ROW) {
		struct removal_task task = { .removal = read_removal(row) };
		int rc = load_version(reader, task.removal.version_id, &task.version);
		more = rc == SQLITE_OK && each->visit(each->context, &task);
		removal_done(&task.removal);
		version_free(task.version);
		if (rc != SQLITE_OK) {
			(void)sqlite3_reset(row); /* of no failure of its own */
			return rc;
		}
	}
	return sqlite3_reset(row);
}

int removal_reader_due(struct removal_reader *reader, int64_t now_ns, size_t limit,
		       struct removal_tasks *out, struct error *err)
{
	struct removal_tasks tasks = { .items = xcalloc(limit, sizeof *tasks.items) };
	sqlite3_stmt *row = reader->statements[DUE];
	db_bind(row, 1, now_ns);
	db_bind(row, 2, (int64_t)limit);
	while (tasks.count < limit && sqlite3_step(row) == SQLITE_ROW)
		tasks.items[tasks.count++].removal = read_removal(row);
	int rc = sqlite3_reset(row);
	for (size_t i = 0; i < tasks.count && rc == SQLITE_OK; i++)
		rc = load_version(reader, tasks.items[i].removal.version_id,
				  &tasks.items[i].version);
	if (rc == SQLITE_OK)
		*out = tasks;
	else
		removal_tasks_done(&tasks);
	return fail(reader, rc, err);
}

static int read_integer(struct removal_reader *reader, enum statement which, int64_t *out,
			struct error *err)
{
	sqlite3_stmt *row = reader->statements[which];
	if (sqlite3_step(row) == SQLITE_ROW)
		*out = sqlite3_column_int64(row, 0);
	return fail(reader, sqlite3_reset(row), err);
}

int removal_reader_next(struct removal_reader *reader, int64_t *due_ns, struct error *err)
{
	return read_integer(reader, NEXT, due_ns, err);
}

int removal_reader_intended(struct removal_reader *reader, int64_t *out, struct error *err)
{
	return read_integer(reader, INTENDED, out, err);
}

int removal_reader_quarantined(struct removal_reader *reader, int64_t id,
			       const struct removal_visit *each, struct error *err)
{
	sqlite3_stmt *row = reader->statements[id ? ONE_QUARANTINED : QUARANTINED];
	if (id)
		db_bind(row, 1, id);
	return fail(reader, visit_all(reader, row, each), err);
}

int removal_reader_notes(struct removal_reader *reader, const char *prefix,
			 const struct note_visit *each, struct error *err)
{
	sqlite3_stmt *row = reader->statements[NOTES];
	db_bind_text(row, 1, prefix);
	while (sqlite3_step(row) == SQLITE_ROW)
		each->visit(each->context, word_of(row, 0));
	return fail(reader, sqlite3_reset(row), err);
}

int removal_reader_restored(struct removal_reader *reader, int64_t version_id, bool *out,
			    struct error *err)
{
	int64_t is = 0;
	db_bind(reader->statements[RESTORED], 1, version_id);
	int result = read_integer(reader, RESTORED, &is, err);
	*out = is != 0;
	return result;
}
