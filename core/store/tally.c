/*
 * tally: see tally.h. A hash table of cells; a burst is of few kinds, and an attacker who invents a
 * MIME type a file costs one cell and one row a file, no more.
 */
#include "core/store/tally.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/list.h"
#include "core/base/str.h"
#include "core/base/table.h"
#include "core/store/db.h"
#include "core/store/timing.h"
#include "core/store/version.h"

struct cell {
	struct table_link link;
	struct list order; /* all cells, to be walked */
	int64_t day;
	int64_t delta;
	size_t len;
	char text[]; /* mime, state, reason, verdict, each with its NUL */
};

struct tally {
	sqlite3_stmt *upsert;
	sqlite3_stmt *drop;
	struct table table;
	struct list cells;
	struct cell *last; /* most files are like the one before */
	struct timing *timing;
	struct str scratch;
};

static const char upsert_sql[] =
	"INSERT INTO tally (day, mime, state, reason, verdict, files) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
	" ON CONFLICT DO UPDATE SET files = files + excluded.files";

/* Pruned days would leave a row for each MIME type that an attacker invented, for ever. */
static const char drop_sql[] = "DELETE FROM tally WHERE day = ?1 AND mime = ?2 AND state = ?3"
			       " AND reason = ?4 AND verdict = ?5 AND files = 0";

int tally_new(struct tally **out, const struct db *db, struct error *err)
{
	AUTO(tally) struct tally *tally = xcalloc(1, sizeof *tally);
	list_init(&tally->cells);
	int result = db_prepare(db, &tally->upsert, upsert_sql, err);
	if (result == 0)
		result = db_prepare(db, &tally->drop, drop_sql, err);
	if (result == 0)
		result = timing_new(&tally->timing, db, err);
	if (result < 0)
		return result;
	*out = TAKE(tally);
	return 0;
}

void tally_clear(struct tally *tally)
{
	for (struct list *at; (at = list_shift(&tally->cells));)
		free(LIST_OF(at, struct cell, order));
	table_done(&tally->table);
	tally->last = NULL;
	timing_clear(tally->timing);
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	tally_clear(tally);
	timing_free(tally->timing);
	str_done(&tally->scratch);
	sqlite3_finalize(tally->upsert);
	sqlite3_finalize(tally->drop);
	free(tally);
}

static bool cell_is(const struct cell *cell, int64_t day, const struct str *text)
{
	return cell->day == day && cell->len == text->len &&
	       memcmp(cell->text, text->data, text->len) == 0;
}

static struct cell *cell_new(struct tally *tally, int64_t day, uint64_t hash)
{
	const struct str *text = &tally->scratch;
	struct cell *cell = xcalloc(1, sizeof *cell + text->len);
	cell->day = day;
	cell->len = text->len;
	memcpy(cell->text, text->data, text->len);
	table_insert(&tally->table, &cell->link, hash);
	list_append(&tally->cells, &cell->order);
	return cell;
}

static struct cell *cell_for(struct tally *tally, int64_t day)
{
	const struct str *text = &tally->scratch;
	if (tally->last && cell_is(tally->last, day, text))
		return tally->last;
	uint64_t hash = table_hash(text->data, text->len) ^ (uint64_t)day;
	struct table_link *link = table_first(&tally->table, hash);
	for (; link; link = table_next(link)) {
		struct cell *cell = TABLE_OF(link, struct cell, link);
		if (cell_is(cell, day, text))
			return cell;
	}
	return cell_new(tally, day, hash);
}

static void put(struct str *s, const char *text)
{
	if (text)
		str_puts(s, text);
	str_putc(s, '\0');
}

struct tally_kind tally_kind_at(sqlite3_stmt *row)
{
	return (struct tally_kind){
		.first_seen_ns = sqlite3_column_int64(row, 0),
		.mime = (const char *)sqlite3_column_text(row, 1),
		.state = (const char *)sqlite3_column_text(row, 2),
		.reason = (const char *)sqlite3_column_text(row, 3),
		.verdict = (const char *)sqlite3_column_text(row, 4),
	};
}

void tally_add(struct tally *tally, const struct tally_kind *kind, int delta)
{
	str_reset(&tally->scratch);
	put(&tally->scratch, kind->mime);
	put(&tally->scratch, kind->state);
	put(&tally->scratch, kind->reason);
	put(&tally->scratch, kind->verdict);
	tally->last = cell_for(tally, kind->first_seen_ns / TALLY_NS_PER_DAY);
	tally->last->delta += delta;
}

void tally_version(struct tally *tally, const struct version *version, int64_t first_seen_ns)
{
	if (version->state == VERSION_QUEUED)
		return;
	struct tally_kind kind = {
		.first_seen_ns = first_seen_ns,
		.mime = version->entry.mime,
		.state = version_state_name(version->state),
		.reason = version_reason_name(version->reason),
		.verdict = version->verdict < OUTCOMES ? outcome_name(version->verdict) : NULL,
	};
	tally_add(tally, &kind, 1);
}

static void bind_cell(sqlite3_stmt *statement, const struct cell *cell)
{
	const char *text = cell->text;
	db_bind(statement, 1, cell->day);
	for (int i = 2; i <= 5; i++) {
		db_bind_text(statement, i, text);
		text += strlen(text) + 1;
	}
}

static int write_cell(struct tally *tally, const struct cell *cell)
{
	bind_cell(tally->upsert, cell);
	db_bind(tally->upsert, 6, cell->delta);
	int rc = db_run(tally->upsert);
	if (rc != SQLITE_OK || cell->delta > 0)
		return rc;
	bind_cell(tally->drop, cell);
	return db_run(tally->drop);
}

int tally_write(struct tally *tally)
{
	LIST_FOREACH(at, &tally->cells) {
		const struct cell *cell = LIST_OF(at, struct cell, order);
		int rc = cell->delta ? write_cell(tally, cell) : SQLITE_OK;
		if (rc != SQLITE_OK)
			return rc;
	}
	return timing_write(tally->timing);
}

struct timing *tally_timing(struct tally *tally)
{
	return tally->timing;
}
