/*
 * names: see names.h.
 *
 * Both begin with (inode, btime_ns), the head of the key: what is known of one file is a short
 * range of the index. Of ten thousand links only a part is looked at, as each of them asks.
 */
#include "core/store/names.h"

#include "core/base/mem.h"
#include "core/store/db.h"
#include "core/store/reader.h"
#include "core/store/row.h"

/* A row of a file that could not be looked at stands for no content, though it may have a hash by
 * what was known of the file under another name. */
static const char earlier_sql[] =
	"SELECT v.id, v.sha256, v.checked_ns FROM"
	" (SELECT id, dir_id, name FROM version WHERE inode = ?1 AND btime_ns = ?2 LIMIT 1024) f"
	" CROSS JOIN dir d ON d.id = f.dir_id CROSS JOIN version v ON v.id = f.id"
	" WHERE f.name = ?4 AND d.path = ?3 AND d.fsid = ?5 AND v.state <> 'queued' AND v.id <> ?6"
	" AND v.sha256 IS NOT NULL AND coalesce(v.reason, '') NOT IN ('vanished', 'unreadable')"
	" ORDER BY v.checked_ns DESC, v.id DESC LIMIT 1";
static const char others_sql[] =
	"SELECT d.path, v.name FROM version v CROSS JOIN dir d ON d.id = v.dir_id"
	" WHERE v.inode = ?1 AND v.btime_ns = ?2 AND d.fsid = ?3"
	" GROUP BY v.dir_id, v.name ORDER BY max(v.id) DESC LIMIT ?4";

int names_init(struct names *names, const struct db *db, struct error *err)
{
	int result = db_prepare(db, &names->earlier, earlier_sql, err);
	if (result == 0)
		result = db_prepare(db, &names->others, others_sql, err);
	return result;
}

void names_done(struct names *names)
{
	sqlite3_finalize(names->earlier);
	sqlite3_finalize(names->others);
	*names = (struct names){ 0 };
}

int names_earlier(struct names *names, const struct identity *identity,
		  const struct find_path *path, int64_t not_id, struct known *out)
{
	sqlite3_stmt *row = names->earlier;
	db_bind(row, 1, (int64_t)identity->inode);
	db_bind(row, 2, identity->btime_ns);
	db_bind_bytes(row, 3, path->path, path->dir_len);
	db_bind_bytes(row, 4, path->path + path->dir_len + 1, path->len - path->dir_len - 1);
	db_bind(row, 5, (int64_t)identity->fsid);
	db_bind(row, 6, not_id);
	struct known known = { .as = KNOWN_NOT };
	if (sqlite3_step(row) == SQLITE_ROW) {
		known.as = KNOWN_CHANGED;
		known.id = sqlite3_column_int64(row, 0);
		known.has_sha256 = row_sha256(row, 1, known.sha256);
		known.checked_ns = sqlite3_column_int64(row, 2);
	}
	int rc = sqlite3_reset(row);
	if (rc == SQLITE_OK)
		*out = known;
	return rc;
}

static void tell(sqlite3_stmt *row, const struct store_name_visit *each)
{
	size_t len = 0;
	AUTO_FREE char *path = row_path(row, 0, 1, &len);
	each->visit(each->context, path, len);
}

int names_each(struct names *names, const struct identity *identity, unsigned limit,
	       const struct store_name_visit *each)
{
	sqlite3_stmt *row = names->others;
	db_bind(row, 1, (int64_t)identity->inode);
	db_bind(row, 2, identity->btime_ns);
	db_bind(row, 3, (int64_t)identity->fsid);
	db_bind(row, 4, limit);
	while (sqlite3_step(row) == SQLITE_ROW)
		tell(row, each);
	return sqlite3_reset(row);
}
