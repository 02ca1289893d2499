/* kept: see kept.h. */
#include "core/store/kept.h"

#include "core/store/db.h"
#include "core/store/row.h"

enum statement {
	DONE, /* of the kinds, in their order: behind a key, */
	UNSCANNED,
	QUEUED,
	SAME, /* of this key, behind an id, */
	SAME_UNSCANNED,
	SAME_QUEUED,
	ONE, /* and one of them */
	ONE_UNSCANNED,
	ONE_QUEUED,
	NOTE,
	NOTES,
	STATEMENTS,
};

/* The later of several contents under one size and time is looked for by the key, whose head, the
 * inode, is as good as unique. */
#define COLUMNS(key_)                                                                   \
	"SELECT v." key_ ", v.id, d.path, v.name, d.fsid, v.inode, v.btime_ns, v.size," \
	" v.mtime_ns, v.mime, v.reason FROM version v"
#define THERE                                                                          \
	" AND v.inode <> 0"                                                            \
	" AND NOT EXISTS (SELECT 1 FROM removal r WHERE r.version_id = v.id)"          \
	" AND NOT EXISTS (SELECT 1 FROM version o WHERE o.inode = v.inode"             \
	" AND o.btime_ns = v.btime_ns AND o.size = v.size AND o.mtime_ns = v.mtime_ns" \
	" AND o.dir_id = v.dir_id AND o.name = v.name AND o.content > v.content)"
#define DIRECTORY " CROSS JOIN dir d ON d.id = v.dir_id"
#define IS_DONE	  "v.state = 'done'"
#define IS_UNSCANNED \
	"v.state = 'unscanned' AND v.reason <> 'vanished' AND v.reason <> 'not-regular'"
#define IS_QUEUED "v.state = 'queued' AND v.wait IS NOT 'writer'"
/* Most of what is queued is due at 0. In one statement those of the key that lie before the place
 * would be passed over each time. */
#define BEHIND(key_)   " AND v." key_ " > ?1" THERE " ORDER BY v." key_ ", v.id"
#define SAME_KEY(key_) " AND v." key_ " = ?1 AND v.id > ?2" THERE " ORDER BY v.id"
#define EACH_DONE      COLUMNS("first_seen_ns") " INDEXED BY version_seen" DIRECTORY " WHERE " IS_DONE
#define EACH_UNSCANNED \
	COLUMNS("first_seen_ns") " INDEXED BY version_unscanned" DIRECTORY " WHERE " IS_UNSCANNED
#define EACH_QUEUED COLUMNS("due_ns") " INDEXED BY version_queue" DIRECTORY " WHERE " IS_QUEUED

static const char *const sql[STATEMENTS] = {
	[DONE] = EACH_DONE BEHIND("first_seen_ns"),
	[UNSCANNED] = EACH_UNSCANNED BEHIND("first_seen_ns"),
	[QUEUED] = EACH_QUEUED BEHIND("due_ns"),
	[SAME] = EACH_DONE SAME_KEY("first_seen_ns"),
	[SAME_UNSCANNED] = EACH_UNSCANNED SAME_KEY("first_seen_ns"),
	[SAME_QUEUED] = EACH_QUEUED SAME_KEY("due_ns"),
	[ONE] = COLUMNS("first_seen_ns") DIRECTORY " WHERE v.id = ?1 AND " IS_DONE THERE,
	[ONE_UNSCANNED] =
		COLUMNS("first_seen_ns") DIRECTORY " WHERE v.id = ?1 AND " IS_UNSCANNED THERE,
	[ONE_QUEUED] = COLUMNS("due_ns") DIRECTORY " WHERE v.id = ?1 AND " IS_QUEUED THERE,
	[NOTE] = "SELECT value FROM meta WHERE key = ?1",
	[NOTES] = ("SELECT CAST(substr(key, length(?1) + 1) AS INTEGER), value FROM meta"
		   " WHERE key GLOB ?1 || '*' ORDER BY 1"),
};

struct kept_reader {
	struct db *db;
	sqlite3_stmt *statements[STATEMENTS];
};

int kept_reader_open(struct kept_reader **out, const char *path, struct error *err)
{
	AUTO(kept_reader) struct kept_reader *reader = xcalloc(1, sizeof *reader);
	int result = db_open_history(&reader->db, path, DB_READ, err);
	if (result == 0)
		result = db_prepare_all(reader->db, reader->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(reader);
	return result;
}

void kept_reader_free(struct kept_reader *reader)
{
	if (!reader)
		return;
	db_finalize_all(reader->statements, STATEMENTS);
	db_free(reader->db);
	free(reader);
}

static bool tell(sqlite3_stmt *row, const struct kept_visit *each)
{
	size_t len = 0;
	AUTO_FREE char *path = row_path(row, 2, 3, &len);
	const char *mime = (const char *)sqlite3_column_text(row, 9);
	const char *reason = (const char *)sqlite3_column_text(row, 10);
	const struct store_kept kept = {
		.at = { sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1) },
		.path = path,
		.path_len = len,
		.identity = { .fsid = (uint64_t)sqlite3_column_int64(row, 4),
			      .inode = (uint64_t)sqlite3_column_int64(row, 5),
			      .btime_ns = sqlite3_column_int64(row, 6),
			      .size = sqlite3_column_int64(row, 7),
			      .mtime_ns = sqlite3_column_int64(row, 8) },
		.mime = mime ? mime : "",
		.reason = reason ? version_reason_by_name(reason) : REASON_NONE,
	};
	return each->visit(each->context, &kept);
}

/* *ended: there are no more. */
static int run(const struct kept_reader *reader, sqlite3_stmt *row, const struct kept_visit *each,
	       bool *ended, struct error *err)
{
	int rc;
	while ((rc = sqlite3_step(row)) == SQLITE_ROW && tell(row, each))
		;
	*ended = rc == SQLITE_DONE;
	rc = sqlite3_reset(row);
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading", err);
}

int kept_each(struct kept_reader *reader, enum kept_kind kind, struct kept_at after,
	      const struct kept_visit *each, struct error *err)
{
	sqlite3_stmt *same = reader->statements[SAME + kind];
	sqlite3_stmt *later = reader->statements[DONE + kind];
	bool ended = false;
	db_bind(same, 1, after.key);
	db_bind(same, 2, after.id);
	db_bind(later, 1, after.key);
	int result = run(reader, same, each, &ended, err);
	return result == 0 && ended ? run(reader, later, each, &ended, err) : result;
}

int kept_one(struct kept_reader *reader, enum kept_kind kind, int64_t id,
	     const struct kept_visit *each, struct error *err)
{
	sqlite3_stmt *row = reader->statements[ONE + kind];
	bool ended = false;
	db_bind(row, 1, id);
	return run(reader, row, each, &ended, err);
}

int kept_note(struct kept_reader *reader, const char *key, int64_t *out, struct error *err)
{
	sqlite3_stmt *row = reader->statements[NOTE];
	int64_t value = 0;
	db_bind_text(row, 1, key);
	if (sqlite3_step(row) == SQLITE_ROW)
		value = sqlite3_column_int64(row, 0);
	int rc = sqlite3_reset(row);
	if (rc != SQLITE_OK)
		return db_fail(reader->db, rc, "reading", err);
	*out = value;
	return 0;
}

int kept_notes(struct kept_reader *reader, const char *prefix,
	       void (*visit)(void *context, int64_t number, int64_t value), void *context,
	       struct error *err)
{
	sqlite3_stmt *row = reader->statements[NOTES];
	db_bind_text(row, 1, prefix);
	while (sqlite3_step(row) == SQLITE_ROW)
		visit(context, sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1));
	int rc = sqlite3_reset(row);
	return rc == SQLITE_OK ? 0 : db_fail(reader->db, rc, "reading", err);
}
