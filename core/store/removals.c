/*
 * removals: see removals.h.
 *
 * A version that waits for its removal, or had it, gets no second one: whoever chooses may choose
 * twice. The note of the last intent is written with each transaction, so that there is always a
 * page to sync: that makes what was committed before durable, too.
 */
#include "core/store/removals.h"

#include "core/base/clock.h"
#include "core/store/db.h"
#include "core/store/removal.h"
#include "core/store/store.h"

enum statement {
	INTEND,
	CHANGE,
	AFRESH,
	NOTE,
	NOTE_ALONE,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[INTEND] = "INSERT INTO removal (version_id, action, cause, due_ns, intended_ns, note)"
		   " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM removal"
		   " WHERE version_id = ?1 AND state IN ('intended', 'removed', 'quarantined'))",
	[CHANGE] = "UPDATE removal SET state = ?2, tries = ?3, due_ns = ?4, ended_ns = ?5,"
		   " place = ?6, note = ?7, action = ?8 WHERE id = ?1 AND (state = 'intended'"
		   " OR (state = 'quarantined' AND ?2 IN ('quarantined', 'expired')))",
	[AFRESH] =
		"UPDATE removal SET due_ns = 0, tries = 0 WHERE state = 'intended' AND due_ns > 0",
	[NOTE] = "REPLACE INTO meta (key, value) VALUES (?1, ?2)",
	[NOTE_ALONE] = "DELETE FROM meta WHERE key GLOB ?2 AND key <> ?1",
};

struct removal_writer {
	sqlite3 *handle;
	sqlite3_stmt *statements[STATEMENTS];
};

int removal_writer_new(struct removal_writer **out, const struct db *db, struct error *err)
{
	AUTO(removal_writer) struct removal_writer *writer = xcalloc(1, sizeof *writer);
	writer->handle = db->handle;
	int result = db_prepare_all(db, writer->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(writer);
	return result;
}

void removal_writer_free(struct removal_writer *writer)
{
	if (!writer)
		return;
	db_finalize_all(writer->statements, STATEMENTS);
	free(writer);
}

static int note(struct removal_writer *writer, const char *key, int64_t value)
{
	sqlite3_stmt *statement = writer->statements[NOTE];
	db_bind_text(statement, 1, key);
	db_bind(statement, 2, value);
	return db_run(statement);
}

static int leave_alone(struct removal_writer *writer, const char *key, const char *glob)
{
	sqlite3_stmt *statement = writer->statements[NOTE_ALONE];
	db_bind_text(statement, 1, key);
	db_bind_text(statement, 2, glob);
	return db_run(statement);
}

static int intend(struct removal_writer *writer, struct removal *removal)
{
	sqlite3_stmt *statement = writer->statements[INTEND];
	db_bind(statement, 1, removal->version_id);
	db_bind_text(statement, 2, removal_action_name(removal->action));
	db_bind_text(statement, 3, removal_cause_name(removal->cause));
	db_bind(statement, 4, removal->due_ns);
	db_bind(statement, 5, removal->intended_ns);
	db_bind_text(statement, 6, removal->note);
	int rc = db_run(statement);
	bool inserted = rc == SQLITE_OK && sqlite3_changes(writer->handle) > 0;
	removal->id = inserted ? sqlite3_last_insert_rowid(writer->handle) : 0;
	return rc;
}

int removal_writer_intend(struct removal_writer *writer, const struct store_removals *removals)
{
	int rc = note(writer, "intended", clock_wall_ns());
	if (rc == SQLITE_OK && removals->note_key)
		rc = note(writer, removals->note_key, removals->note);
	if (rc == SQLITE_OK && removals->note_key && removals->note_of)
		rc = leave_alone(writer, removals->note_key, removals->note_of);
	if (rc == SQLITE_OK && removals->afresh)
		rc = db_run(writer->statements[AFRESH]);
	for (size_t i = 0; i < removals->list.count && rc == SQLITE_OK; i++)
		rc = intend(writer, &removals->list.items[i]);
	return rc;
}

static int change(struct removal_writer *writer, const struct removal *removal)
{
	sqlite3_stmt *statement = writer->statements[CHANGE];
	db_bind(statement, 1, removal->id);
	db_bind_text(statement, 2, removal_state_name(removal->state));
	db_bind(statement, 3, removal->tries);
	db_bind(statement, 4, removal->due_ns);
	if (removal->state == REMOVAL_INTENDED)
		(void)sqlite3_bind_null(statement, 5);
	else
		db_bind(statement, 5, removal->ended_ns);
	db_bind_text(statement, 6, removal->place);
	db_bind_text(statement, 7, removal->note);
	db_bind_text(statement, 8, removal_action_name(removal->action));
	return db_run(statement);
}

int removal_writer_end(struct removal_writer *writer, const struct store_removals *removals)
{
	int rc = SQLITE_OK;
	for (size_t i = 0; i < removals->list.count && rc == SQLITE_OK; i++)
		rc = change(writer, &removals->list.items[i]);
	return rc;
}
