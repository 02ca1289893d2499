/* old_reader: see old_reader.h. */
#include "core/store/old_reader.h"

#include <string.h>

#include "core/store/db.h"
#include "core/store/expire.h"

/* Events are told in their order: whoever is behind by so many is told by the first. */
#define EVENTS_SEEN "1000"

enum statement {
	PAGE,
	WARM,
	UNTOLD,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	/* All that were seen, whether they may go or not: else a page could take as long as the
	   whole history. */
	[PAGE] = "SELECT v.first_seen_ns, v.id, v.state <> 'queued' AND v.finished_ns < ?1"
		 " AND NOT " EXPIRE_NOT_YET " AND v.id NOT IN (SELECT version_id FROM event),"
		 " d.path, v.name, d.fsid, v.inode, v.btime_ns"
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
	[UNTOLD] = "SELECT EXISTS (SELECT 1 FROM (SELECT version_id FROM event ORDER BY seq"
		   " LIMIT " EVENTS_SEEN ") e JOIN version v ON v.id = e.version_id"
		   " WHERE v.finished_ns < ?1)",
};

struct old_reader {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
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
	free(reader);
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
		if (sqlite3_column_int(row, MAY_GO))
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

int old_reader_untold(struct old_reader *reader, int64_t before_ns, bool *untold, struct error *err)
{
	sqlite3_stmt *row = reader->statements[UNTOLD];
	db_bind(row, 1, before_ns);
	*untold = sqlite3_step(row) == SQLITE_ROW && sqlite3_column_int(row, 0) != 0;
	int rc = sqlite3_reset(row);
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading events", err);
}
