/* event_reader: see event_reader.h. */
#include "core/store/event_reader.h"

#include <string.h>

#include "core/base/pulse.h"
#include "core/base/str.h"
#include "core/store/db.h"
#include "core/store/row.h"
#include "core/store/version.h"

enum statement {
	BEGIN,
	END,
	EVENTS,
	CHOSEN,
	COUNT,
	LAST,
	LOAD,
	FINDINGS,
	SINK,
	STATEMENTS,
};

/* Millions may wait, and few of them be chosen: they are gone through in stretches of so many, each
 * with a snapshot of its own, as the log grows while one is held. */
#define STRETCH 16384

/* Behind number ?1 up to ?3; ?2: the names of the verdicts as a JSON array. */
#define FROM_CHOSEN                                                                            \
	"FROM event e CROSS JOIN version v ON v.id = e.version_id"                             \
	" WHERE e.seq > ?1 AND e.seq <= ?3 AND e.kind <> 'incomplete' AND v.state <> 'queued'" \
	" AND v.verdict IN (SELECT value FROM json_each(?2))"

#define BEHIND "(SELECT count(*) FROM event e WHERE e.seq > s.seq)"

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN",
	[END] = "COMMIT",
	[EVENTS] = "SELECT seq, version_id, kind, was FROM event WHERE seq > ?1 AND seq <= ?3"
		   " ORDER BY seq",
	[CHOSEN] = "SELECT e.seq, e.version_id, e.kind, e.was " FROM_CHOSEN " ORDER BY e.seq",
	[COUNT] = "SELECT count(*) " FROM_CHOSEN,
	[LAST] = "SELECT coalesce(max(seq), 0) FROM event",
	[LOAD] = ROW_SELECT "WHERE v.id = ?1 AND v.state <> 'queued'",
	[FINDINGS] = ROW_SELECT_FINDINGS,
	[SINK] = "SELECT seq, " BEHIND " FROM sink s WHERE name = ?1",
};

struct event_reader {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
};

int event_reader_open(struct event_reader **out, const char *path, struct error *err)
{
	AUTO(event_reader) struct event_reader *reader = xcalloc(1, sizeof *reader);
	int result = db_open_history(&reader->db, path, DB_READ, err);
	if (result == 0)
		result = db_prepare_all(reader->db, reader->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(reader);
	return result;
}

void event_reader_free(struct event_reader *reader)
{
	if (!reader)
		return;
	db_finalize_all(reader->statements, STATEMENTS);
	db_free(reader->db);
	free(reader);
}

/* What the row of an event tells, but for its version. */
static struct store_event read_event(sqlite3_stmt *row)
{
	const char *kind = (const char *)sqlite3_column_text(row, 2);
	const char *was = (const char *)sqlite3_column_text(row, 3);
	struct store_event event = { .seq = sqlite3_column_int64(row, 0),
				     .kind = EVENT_END,
				     .was = was ? outcome_by_name(was) : OUTCOMES };
	if (strcmp(kind, "incomplete") == 0)
		event.kind = EVENT_INCOMPLETE;
	else if (strcmp(kind, "rescan") == 0)
		event.kind = EVENT_RESCAN;
	return event;
}

static int load(struct event_reader *reader, int64_t id, struct version **out)
{
	sqlite3_stmt *version = reader->statements[LOAD];
	db_bind(version, 1, id);
	if (sqlite3_step(version) == SQLITE_ROW)
		*out = row_read(version);
	int rc = sqlite3_reset(version);
	if (rc != SQLITE_OK || !*out)
		return rc;
	return row_read_findings(reader->statements[FINDINGS], *out);
}

struct stretch {
	int64_t end;  /* the number of its last event */
	int64_t last; /* of the last that there is */
};

/* names is what is bound: it must last as long as the statement is used. */
static void bind_verdicts(sqlite3_stmt *statement, unsigned verdicts, struct str *names)
{
	for (unsigned i = 0; i < OUTCOMES; i++) {
		if (verdicts & 1U << i)
			str_printf(names, "%c\"%s\"", names->len ? ',' : '[', outcome_name(i));
	}
	str_putc(names, ']');
	db_bind_text(statement, 2, str_text(names));
}

static int read_integer(sqlite3_stmt *row, int64_t *out)
{
	if (sqlite3_step(row) == SQLITE_ROW)
		*out = sqlite3_column_int64(row, 0);
	return sqlite3_reset(row);
}

/* The one behind it, for a statement that reads its events. */
static int next_stretch(struct event_reader *reader, sqlite3_stmt *row, struct stretch *stretch)
{
	int64_t after = stretch->end;
	int rc = read_integer(reader->statements[LAST], &stretch->last);
	if (stretch->last < after)
		stretch->last = after; /* those up to there were deleted */
	stretch->end = stretch->last - after > STRETCH ? after + STRETCH : stretch->last;
	db_bind(row, 1, after);
	db_bind(row, 3, stretch->end);
	return rc;
}

/* The rows that there are in the snapshot which the caller has begun. *ended: there are no more of
 * them. */
static int visit_all(struct event_reader *reader, sqlite3_stmt *row, const struct event_visit *each,
		     bool *ended)
{
	int rc;
	while ((rc = sqlite3_step(row)) == SQLITE_ROW) {
		AUTO(version) struct version *version = NULL;
		struct store_event event = read_event(row);
		rc = load(reader, sqlite3_column_int64(row, 1), &version);
		if (rc != SQLITE_OK) {
			(void)sqlite3_reset(row); /* of no failure of its own */
			return rc;
		}
		event.version = version;
		if (!each->visit(each->context, &event))
			break;
	}
	*ended = rc == SQLITE_DONE;
	return sqlite3_reset(row);
}

int event_reader_each(struct event_reader *reader, int64_t after, const struct event_visit *each,
		      int64_t *through, struct error *err)
{
	sqlite3_stmt *row = reader->statements[each->verdicts ? CHOSEN : EVENTS];
	AUTO_STR names = STR_INIT;
	struct stretch stretch = { .end = after };
	int result = 0;
	bool ended = true;
	if (each->verdicts)
		bind_verdicts(row, each->verdicts, &names);
	do {
		/* in one snapshot: what it does not have cannot be passed over */
		(void)db_run(reader->statements[BEGIN]); /* takes no lock yet: nothing to fail */
		int rc = next_stretch(reader, row, &stretch);
		if (rc == SQLITE_OK)
			rc = visit_all(reader, row, each, &ended);
		if (rc != SQLITE_OK)
			result = db_fail(reader->db, rc, "reading events", err);
		if (!sqlite3_get_autocommit(reader->db->handle))
			(void)db_run(reader->statements[END]); /* nothing was written */
		pulse_beat();
	} while (result == 0 && ended && stretch.end < stretch.last);
	if (result == 0 && through && ended)
		*through = stretch.end;
	return result;
}

int event_reader_count(struct event_reader *reader, int64_t after, unsigned verdicts,
		       int64_t *count, struct error *err)
{
	sqlite3_stmt *row = reader->statements[COUNT];
	AUTO_STR names = STR_INIT;
	struct stretch stretch = { .end = after };
	int64_t all = 0;
	bind_verdicts(row, verdicts, &names);
	do {
		int64_t some = 0;
		int rc = next_stretch(reader, row, &stretch);
		if (rc == SQLITE_OK)
			rc = read_integer(row, &some);
		if (rc != SQLITE_OK)
			return db_fail(reader->db, rc, "reading events", err);
		all += some;
		pulse_beat();
	} while (stretch.end < stretch.last);
	*count = all;
	return 0;
}

int event_reader_sink(struct event_reader *reader, const char *name, int64_t *seq, int64_t *behind,
		      struct error *err)
{
	sqlite3_stmt *row = reader->statements[SINK];
	db_bind_text(row, 1, name);
	*seq = *behind = 0;
	if (sqlite3_step(row) == SQLITE_ROW) {
		*seq = sqlite3_column_int64(row, 0);
		*behind = sqlite3_column_int64(row, 1);
	}
	int rc = sqlite3_reset(row);
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading events", err);
}
