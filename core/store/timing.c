/*
 * timing: see timing.h. A hash table of cells. Answers have the day on which they ended: those that
 * are taken over keep the time of the look that gave them, so a transaction may touch the cells of
 * as many days as answers are reused.
 */
#include "core/store/timing.h"

#include <stdbool.h>

#include "core/base/list.h"
#include "core/base/outcome.h"
#include "core/base/table.h"
#include "core/store/db.h"
#include "core/store/tally.h"

struct cell {
	struct table_link link;
	struct list order; /* all cells, to be walked */
	int64_t day;
	int64_t detector_id;
	enum outcome outcome;
	int64_t scans, cached, spent_ns;
	int64_t longest_ns; /* INT64_MIN: none were added */
};

enum statement {
	UPSERT,
	DROP,
	DELETE,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[UPSERT] = "INSERT INTO timing (day, detector_id, outcome, scans, cached, spent_ns,"
		   " longest_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
		   " scans = scans + excluded.scans, cached = cached + excluded.cached,"
		   " spent_ns = spent_ns + excluded.spent_ns,"
		   " longest_ns = max(longest_ns, excluded.longest_ns)",
	[DROP] = "DELETE FROM timing WHERE day = ?1 AND detector_id = ?2 AND outcome = ?3"
		 " AND scans = 0",
	[DELETE] = "DELETE FROM result WHERE version_id = ?1"
		   " RETURNING detector_id, outcome, cached, started_ns, finished_ns",
};

struct timing {
	sqlite3_stmt *statements[STATEMENTS];
	struct table table;
	struct list cells;
};

int timing_new(struct timing **out, const struct db *db, struct error *err)
{
	AUTO(timing) struct timing *timing = xcalloc(1, sizeof *timing);
	list_init(&timing->cells);
	int result = db_prepare_all(db, timing->statements, sql, STATEMENTS, err);
	if (result < 0)
		return result;
	*out = TAKE(timing);
	return 0;
}

void timing_clear(struct timing *timing)
{
	if (!timing)
		return;
	for (struct list *at; (at = list_shift(&timing->cells));)
		free(LIST_OF(at, struct cell, order));
	table_done(&timing->table);
}

void timing_free(struct timing *timing)
{
	if (!timing)
		return;
	timing_clear(timing);
	db_finalize_all(timing->statements, STATEMENTS);
	free(timing);
}

/* None of the three is written by strangers: no keyed hash is needed. */
static uint64_t hash_of(int64_t day, int64_t detector_id, enum outcome outcome)
{
	uint64_t hash = ((uint64_t)day * 31 + (uint64_t)detector_id) * OUTCOMES + outcome;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static struct cell *cell_for(struct timing *timing, int64_t day, int64_t detector_id,
			     enum outcome outcome)
{
	uint64_t hash = hash_of(day, detector_id, outcome);
	struct table_link *link = table_first(&timing->table, hash);
	for (; link; link = table_next(link)) {
		struct cell *cell = TABLE_OF(link, struct cell, link);
		if (cell->day == day && cell->detector_id == detector_id &&
		    cell->outcome == outcome)
			return cell;
	}
	struct cell *cell = xcalloc(1, sizeof *cell);
	cell->day = day;
	cell->detector_id = detector_id;
	cell->outcome = outcome;
	cell->longest_ns = INT64_MIN;
	table_insert(&timing->table, &cell->link, hash);
	list_append(&timing->cells, &cell->order);
	return cell;
}

/* How long the detector was at it; an answer that was taken over took it nothing. Nobody is at it
 * for days: where the times say so a clock was set between them, and some few of those would make
 * more than an integer holds. The same stands in schema/004. */
static int64_t took_ns(const struct finding *finding)
{
	int64_t took = 0;
	bool none = finding->cached ||
		    __builtin_sub_overflow(finding->finished_ns, finding->started_ns, &took);
	return none || took < 0 || took > TALLY_NS_PER_DAY ? 0 : took;
}

static struct cell *count(struct timing *timing, int64_t detector_id, const struct finding *finding,
			  int delta)
{
	struct cell *cell = cell_for(timing, finding->finished_ns / TALLY_NS_PER_DAY, detector_id,
				     finding->outcome);
	cell->scans += delta;
	cell->cached += finding->cached ? delta : 0;
	cell->spent_ns += delta * took_ns(finding);
	return cell;
}

void timing_add(struct timing *timing, int64_t detector_id, const struct finding *finding)
{
	struct cell *cell = count(timing, detector_id, finding, 1);
	if (took_ns(finding) > cell->longest_ns)
		cell->longest_ns = took_ns(finding);
}

int timing_delete(struct timing *timing, int64_t version_id)
{
	sqlite3_stmt *row = timing->statements[DELETE];
	db_bind(row, 1, version_id);
	while (sqlite3_step(row) == SQLITE_ROW) {
		struct finding finding = {
			.outcome = outcome_by_name((const char *)sqlite3_column_text(row, 1)),
			.cached = sqlite3_column_int(row, 2) != 0,
			.started_ns = sqlite3_column_int64(row, 3),
			.finished_ns = sqlite3_column_int64(row, 4),
		};
		(void)count(timing, sqlite3_column_int64(row, 0), &finding, -1);
	}
	return sqlite3_reset(row);
}

static void bind_key(sqlite3_stmt *statement, const struct cell *cell)
{
	db_bind(statement, 1, cell->day);
	db_bind(statement, 2, cell->detector_id);
	db_bind_text(statement, 3, outcome_name(cell->outcome));
}

static int write_cell(struct timing *timing, const struct cell *cell)
{
	sqlite3_stmt *upsert = timing->statements[UPSERT];
	bind_key(upsert, cell);
	db_bind(upsert, 4, cell->scans);
	db_bind(upsert, 5, cell->cached);
	db_bind(upsert, 6, cell->spent_ns);
	db_bind(upsert, 7, cell->longest_ns);
	int rc = db_run(upsert);
	if (rc != SQLITE_OK || cell->scans > 0)
		return rc;
	bind_key(timing->statements[DROP], cell);
	return db_run(timing->statements[DROP]);
}

int timing_write(struct timing *timing)
{
	LIST_FOREACH(at, &timing->cells) {
		int rc = write_cell(timing, LIST_OF(at, struct cell, order));
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}
