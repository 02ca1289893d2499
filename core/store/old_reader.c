/* old_reader: see old_reader.h. */
#include "core/store/old_reader.h"

#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/db.h"
#include "core/store/expire.h"

#define SLICE	   16384 /* events */
#define ROOM_LEAST 64

enum statement {
	PAGE,
	WARM,
	EVENTS,
	UNTOLD,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	/* All that were seen, whether they may go or not: else a page could take as long as the
	   whole history. */
	[PAGE] = "SELECT v.first_seen_ns, v.id, v.state <> 'queued' AND v.finished_ns < ?1"
		 " AND NOT " EXPIRE_NOT_YET ", d.path, v.name, d.fsid, v.inode, v.btime_ns"
		 " FROM version v INDEXED BY version_seen CROSS JOIN dir d ON d.id = v.dir_id"
		 " WHERE v.first_seen_ns < ?1 AND (v.first_seen_ns, v.id) > (?2, ?3)"
		 " ORDER BY v.first_seen_ns, v.id LIMIT ?4",
	[WARM] = "SELECT"
		 " (SELECT count(detail) FROM result r WHERE r.version_id = v.id),"
		 " (SELECT count(*) FROM version k INDEXED BY version_key WHERE k.inode = v.inode"
		 " AND k.btime_ns = v.btime_ns AND k.size = v.size AND k.mtime_ns = v.mtime_ns"
		 " AND k.dir_id = v.dir_id AND k.name = v.name),"
		 " (SELECT count(*) FROM version f INDEXED BY version_fuid"
		 " WHERE f.segment = v.segment AND f.fuid = v.fuid),"
		 " (SELECT count(*) FROM version s INDEXED BY version_sha256"
		 " WHERE s.segment = v.segment AND s.sha256 = v.sha256)"
		 " FROM version v WHERE v.id = ?1",
	/* What all sinks have told is deleted later. Who has no sink has told everything. */
	[EVENTS] = "SELECT coalesce((SELECT min(seq) FROM sink), l.seq), l.seq"
		   " FROM (SELECT coalesce(max(seq), 0) AS seq FROM event) l",
	[UNTOLD] = "SELECT e.version_id FROM event e CROSS JOIN version v ON v.id = e.version_id"
		   " WHERE e.seq > ?1 AND e.seq <= ?2 AND v.finished_ns < ?3",
};

struct old_reader {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
	int64_t *untold; /* ids of versions, in their order */
	size_t untold_count;
	size_t untold_room;
	int64_t seq; /* of the event up to which they were noted */
};

int old_reader_open(struct old_reader **out, const char *path, struct error *err)
{
	AUTO(old_reader) struct old_reader *reader = xcalloc(1, sizeof *reader);
	int result = db_open_history(&reader->db, path, DB_READ, err);
	if (result == 0)
		result = db_prepare_all(reader->db, reader->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(reader);
	return result;
}

void old_reader_free(struct old_reader *reader)
{
	if (!reader)
		return;
	db_finalize_all(reader->statements, STATEMENTS);
	db_free(reader->db);
	free(reader->untold);
	free(reader);
}

/* Where it is among those that are noted, or belongs. */
static size_t place_of(const struct old_reader *reader, int64_t id)
{
	size_t from = 0;
	size_t to = reader->untold_count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (reader->untold[middle] < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool is_untold(const struct old_reader *reader, int64_t id)
{
	size_t at = place_of(reader, id);
	return at < reader->untold_count && reader->untold[at] == id;
}

/* Events come as versions end, nearly by their ids: mostly it is the last. */
static void note(struct old_reader *reader, int64_t id)
{
	size_t at = place_of(reader, id);
	if (at < reader->untold_count && reader->untold[at] == id)
		return;
	if (reader->untold_count == reader->untold_room) {
		reader->untold_room = reader->untold_room ? 2 * reader->untold_room : ROOM_LEAST;
		reader->untold =
			xrealloc(reader->untold, reader->untold_room, sizeof *reader->untold);
	}
	memmove(reader->untold + at + 1, reader->untold + at,
		(reader->untold_count - at) * sizeof *reader->untold);
	reader->untold[at] = id;
	reader->untold_count++;
}

static int note_slice(struct old_reader *reader, int64_t before_ns, int64_t end)
{
	sqlite3_stmt *row = reader->statements[UNTOLD];
	db_bind(row, 1, reader->seq);
	db_bind(row, 2, end);
	db_bind(row, 3, before_ns);
	while (reader->untold_count <= OLD_UNTOLD_MAX && sqlite3_step(row) == SQLITE_ROW)
		note(reader, sqlite3_column_int64(row, 0));
	reader->seq = end;
	return sqlite3_reset(row);
}

int old_reader_note_untold(struct old_reader *reader, int64_t before_ns, bool first, bool *more,
			   struct error *err)
{
	sqlite3_stmt *events = reader->statements[EVENTS];
	int64_t told = 0;
	int64_t last = 0;
	if (sqlite3_step(events) == SQLITE_ROW) {
		told = sqlite3_column_int64(events, 0);
		last = sqlite3_column_int64(events, 1);
	}
	int rc = sqlite3_reset(events);
	if (first)
		reader->untold_count = 0;
	if (first || reader->seq < told)
		reader->seq = told;
	if (rc == SQLITE_OK && reader->seq < last)
		rc = note_slice(reader, before_ns,
				last - reader->seq > SLICE ? reader->seq + SLICE : last);
	if (rc != SQLITE_OK)
		return db_fail(reader->db, rc, "reading events", err);
	if (reader->untold_count > OLD_UNTOLD_MAX)
		return error_set(err, E2BIG,
				 "more than %d versions of that time are yet to be told: nothing "
				 "is forgotten before they are (events, alert and disposal in "
				 "\"carved status\")",
				 OLD_UNTOLD_MAX);
	*more = reader->seq < last;
	return 0;
}

bool old_reader_has_untold(const struct old_reader *reader)
{
	return reader->untold_count > 0;
}

void old_page_rewind(struct old_page *page)
{
	page->seen_ns = INT64_MIN;
	page->id = 0;
	page->count = 0;
	page->more = true;
}

void old_page_done(struct old_page *page)
{
	str_done(&page->text);
}

enum column {
	SEEN,
	ID,
	MAY_GO,
	DIR,
	NAME,
	FSID,
	INODE,
	BTIME
};

static void put_path(struct str *text, sqlite3_stmt *row, size_t *dir_len)
{
	*dir_len = (size_t)sqlite3_column_bytes(row, DIR);
	str_append(text, sqlite3_column_text(row, DIR), *dir_len);
	str_putc(text, '/');
	str_append(text, sqlite3_column_text(row, NAME), (size_t)sqlite3_column_bytes(row, NAME));
	str_putc(text, '\0');
}

static void add(struct old_page *page, sqlite3_stmt *row)
{
	struct old_version *version = &page->versions[page->count++];
	*version = (struct old_version){
		.id = page->id,
		.fsid = (uint64_t)sqlite3_column_int64(row, FSID),
		.inode = (uint64_t)sqlite3_column_int64(row, INODE),
		.btime_ns = sqlite3_column_int64(row, BTIME),
	};
	put_path(&page->text, row, &version->dir_len);
}

/* Once all are there: the text may have moved while it grew. */
static void find_paths(struct old_page *page)
{
	const char *at = str_text(&page->text);
	for (size_t i = 0; i < page->count; i++) {
		page->versions[i].path = at;
		at += strlen(at) + 1;
	}
}

int old_reader_next(struct old_reader *reader, int64_t before_ns, struct old_page *page,
		    struct error *err)
{
	sqlite3_stmt *row = reader->statements[PAGE];
	int seen = 0;
	page->count = 0;
	str_reset(&page->text);
	db_bind(row, 1, before_ns);
	db_bind(row, 2, page->seen_ns);
	db_bind(row, 3, page->id);
	db_bind(row, 4, OLD_PAGE_MAX);
	while (sqlite3_step(row) == SQLITE_ROW) {
		seen++;
		page->seen_ns = sqlite3_column_int64(row, SEEN);
		page->id = sqlite3_column_int64(row, ID);
		if (sqlite3_column_int(row, MAY_GO) && !is_untold(reader, page->id))
			add(page, row);
	}
	page->more = seen == OLD_PAGE_MAX;
	int rc = sqlite3_reset(row);
	find_paths(page);
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading", err);
}

void old_reader_warm(struct old_reader *reader, int64_t id)
{
	db_bind(reader->statements[WARM], 1, id);
	(void)db_run(reader->statements[WARM]); /* whoever deletes it will say what fails */
}
