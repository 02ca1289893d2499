/*
 * events: see events.h.
 */
#include "core/store/events.h"

#include "core/base/str.h"
#include "core/store/db.h"
#include "core/store/store.h"

enum statement {
	TOLD,
	FORGET,
	LEFT,
	STATEMENTS,
};

/* What was told by the last of them goes in slices: a sink that was behind by millions, and passes
 * over them or is there no more, must not make the writer delete all of them at once (5,000,000
 * took 2 s). */
#define SLICE	    "4096"
#define TOLD_BY_ALL "(SELECT min(seq) FROM sink)"
#define FORGET_TOLD                                       \
	"DELETE FROM event WHERE seq <= min(" TOLD_BY_ALL \
	", (SELECT min(seq) FROM event) + " SLICE " - 1)"

static const char *const sql[STATEMENTS] = {
	[TOLD] = "UPDATE sink SET seq = max(seq, ?2) WHERE name = ?1",
	[FORGET] = FORGET_TOLD,
	[LEFT] = "SELECT coalesce((SELECT min(seq) FROM event) <= " TOLD_BY_ALL ", 0)",
};

static const char triggers[] =
	"CREATE TEMP TRIGGER event_new AFTER INSERT ON main.version WHEN NEW.state <> 'queued'"
	" BEGIN INSERT INTO event (version_id, kind) VALUES (NEW.id, 'end'); END;"
	"CREATE TEMP TRIGGER event_end AFTER UPDATE OF state ON main.version"
	" WHEN OLD.state = 'queued' AND NEW.state <> 'queued'"
	" BEGIN INSERT INTO event (version_id, kind) VALUES (NEW.id, 'end'); END;"
	"CREATE TEMP TRIGGER event_incomplete AFTER UPDATE OF incomplete ON main.version"
	" WHEN NEW.incomplete <> OLD.incomplete AND OLD.state <> 'queued'"
	" BEGIN INSERT INTO event (version_id, kind) VALUES (NEW.id, 'incomplete'); END;"
	"CREATE TEMP TRIGGER event_rescan AFTER UPDATE OF verdict ON main.version"
	" WHEN OLD.state = 'done' AND NEW.state = 'done' AND NEW.verdict IS NOT OLD.verdict"
	" BEGIN INSERT INTO event (version_id, kind, was)"
	" VALUES (NEW.id, 'rescan', OLD.verdict); END;";

/* The largest number that was ever given is SQLite's: https://www.sqlite.org/autoinc.html */
static const char add_sql[] =
	"INSERT INTO sink (name, seq) SELECT value, coalesce((SELECT seq FROM sqlite_sequence"
	" WHERE name = 'event'), 0) FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";

/* How far retention had come says nothing once it has missed what happened: see retention.c. */
static const char restart_sql[] = "DELETE FROM meta WHERE key GLOB 'retention_floor_*'"
				  " AND NOT EXISTS (SELECT 1 FROM sink WHERE name = 'retention')";

/* ?1: the names as a JSON array. */
static const char *const settle[] = {
	"BEGIN IMMEDIATE", "DELETE FROM sink WHERE name NOT IN (SELECT value FROM json_each(?1))",
	restart_sql,	   add_sql,
	FORGET_TOLD,	   "COMMIT",
};

/* Without a condition SQLite frees their pages, whatever is on them. */
static const char forget_all[] = "DELETE FROM event";

struct events {
	sqlite3_stmt *statements[STATEMENTS];
};

static void put_names(struct str *out, const char *const *sinks)
{
	str_putc(out, '[');
	for (size_t i = 0; sinks[i]; i++) {
		if (i)
			str_putc(out, ',');
		str_json_text(out, sinks[i]);
	}
	str_putc(out, ']');
}

/* A failure ends the start, and with it the connection and what was begun. */
static int settle_sinks(const struct db *db, const char *const *sinks, struct error *err)
{
	AUTO_STR names = STR_INIT;
	put_names(&names, sinks);
	for (size_t i = 0; i < sizeof settle / sizeof *settle; i++) {
		AUTO_STMT *statement = NULL;
		int result = db_prepare(db, &statement, settle[i], err);
		if (result < 0)
			return result;
		if (sqlite3_bind_parameter_count(statement))
			db_bind_text(statement, 1, str_text(&names));
		int rc = db_run(statement);
		if (rc != SQLITE_OK)
			return db_fail(db, rc, "noting who is told of events", err);
	}
	return 0;
}

int events_begin(const struct db *db, const char *const *sinks, struct error *err)
{
	int64_t any = 0;
	int result = sinks ? settle_sinks(db, sinks, err) : 0;
	if (result == 0)
		result = db_integer(db, "SELECT EXISTS (SELECT 1 FROM sink)", &any, err);
	return result == 0 ? db_exec(db, any ? triggers : forget_all, err) : result;
}

int events_new(struct events **out, const struct db *db, struct error *err)
{
	AUTO(events) struct events *events = xcalloc(1, sizeof *events);
	int result = db_prepare_all(db, events->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(events);
	return result;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	db_finalize_all(events->statements, STATEMENTS);
	free(events);
}

int events_told(struct events *events, struct store_told *told)
{
	sqlite3_stmt *advance = events->statements[TOLD];
	sqlite3_stmt *left = events->statements[LEFT];
	db_bind_text(advance, 1, told->sink);
	db_bind(advance, 2, told->seq);
	int rc = db_run(advance);
	if (rc == SQLITE_OK)
		rc = db_run(events->statements[FORGET]);
	if (rc != SQLITE_OK)
		return rc;
	told->left = sqlite3_step(left) == SQLITE_ROW && sqlite3_column_int(left, 0);
	return sqlite3_reset(left);
}
