/*
 * find: see find.h.
 *
 * The key begins with (inode, btime_ns), so all that is known of a file is one short range of one
 * index, whatever the file is called now. Rows that were imported by path alone have no inode; they
 * are asked for only when there are any, which is looked up once per change of the database (SQLite
 * keeps a counter for us:
 * https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntldataversion).
 */
#include "core/store/find.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/db.h"
#include "core/store/reader.h"
#include "core/store/row.h"

#define COLUMNS                                                                                   \
	"v.id, v.size, v.mtime_ns, v.state, v.reason, v.wait, v.sha256, v.checked_ns, v.attempt," \
	" v.name, d.path, d.fsid, v.tries, v.content, v.incomplete"

/* Rows that are looked at to see what a file is. An inode with ten thousand links, or as many
 * versions, must not cost the square of that; beyond this many it is asked for the very version,
 * then for the same stamp at another path (some of those stand for all), then for the path. */
#define ROWS_OF_A_FILE 32

enum column {
	ID,
	SIZE,
	MTIME,
	STATE,
	REASON,
	WAIT,
	SHA256,
	CHECKED,
	ATTEMPT,
	NAME,
	DIR,
	FSID,
	TRIES,
	CONTENT,
	INCOMPLETE
};

static const char by_file_sql[] =
	"SELECT " COLUMNS " FROM version v CROSS JOIN dir d ON d.id = v.dir_id"
	" WHERE v.inode = ?1 AND v.btime_ns = ?2 ORDER BY v.size, v.mtime_ns";
static const char by_key_sql[] =
	"SELECT " COLUMNS " FROM dir d CROSS JOIN version v ON v.dir_id = d.id"
	" WHERE d.path = ?5 AND v.inode = ?1 AND v.btime_ns = ?2 AND v.size = ?3 AND v.mtime_ns = ?4"
	" AND v.name = ?6 AND d.fsid = ?7 ORDER BY v.content DESC LIMIT 1";
static const char by_stamp_sql[] =
	"SELECT " COLUMNS " FROM version v CROSS JOIN dir d ON d.id = v.dir_id"
	" WHERE v.inode = ?1 AND v.btime_ns = ?2 AND v.size = ?3 AND v.mtime_ns = ?4";
static const char contents_sql[] =
	"SELECT max(content) FROM (SELECT content FROM version WHERE inode = ?1 AND btime_ns = ?2"
	" AND size = ?3 AND mtime_ns = ?4 LIMIT 1024)";
/* By when they were looked at, or by the ids, should the clock have been set. */
static const char later_sql[] =
	"SELECT EXISTS (SELECT 1 FROM"
	" (SELECT * FROM (SELECT id FROM version WHERE inode = ?1 AND btime_ns = ?2"
	" AND (size, mtime_ns) < (?3, ?4) ORDER BY size DESC, mtime_ns DESC LIMIT 512)"
	" UNION ALL SELECT * FROM (SELECT id FROM version WHERE inode = ?1 AND btime_ns = ?2"
	" AND (size, mtime_ns) > (?3, ?4) ORDER BY size, mtime_ns LIMIT 512)) f"
	" CROSS JOIN version v ON v.id = f.id CROSS JOIN version k ON k.id = ?5"
	" WHERE v.state = 'queued' OR ((v.checked_ns > k.checked_ns OR v.id > k.id)"
	" AND (v.sha256 IS NULL OR v.sha256 IS NOT k.sha256)))";
static const char at_path_sql[] =
	"SELECT " COLUMNS " FROM dir d CROSS JOIN version v ON v.dir_id = d.id"
	" WHERE d.path = ?5 AND v.inode = ?1 AND v.btime_ns = ?2 AND v.name = ?6 AND d.fsid = ?7"
	" ORDER BY v.id DESC LIMIT 1";
static const char by_path_sql[] =
	"SELECT " COLUMNS " FROM dir d CROSS JOIN version v ON v.dir_id = d.id"
	" WHERE d.path = ?1 AND v.name = ?2 AND v.inode = 0 AND v.btime_ns = 0 AND v.size = 0"
	" AND v.mtime_ns = 0 AND v.state = 'done'";
static const char any_imported_sql[] =
	"SELECT EXISTS (SELECT 1 FROM version WHERE inode = 0 AND btime_ns = 0 AND size = 0"
	" AND mtime_ns = 0)";

static const char dir_sql[] = "SELECT id FROM dir WHERE path = ?1 AND fsid = ?2";
static const char recorded_sql[] =
	"SELECT id, size, mtime_ns, state, reason, wait, sha256 IS NOT NULL, checked_ns FROM version"
	" WHERE inode = ?1 AND btime_ns = ?2 AND size = ?3 AND mtime_ns = ?4 AND dir_id = ?5"
	" AND name = ?6 ORDER BY content DESC LIMIT 1";

void known_done(struct known *known)
{
	free(known->path);
	*known = (struct known){ 0 };
}

int find_init(struct find *find, const struct db *db, struct error *err)
{
	int result = db_prepare(db, &find->by_file, by_file_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->by_key, by_key_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->by_stamp, by_stamp_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->contents, contents_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->later, later_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->at_path, at_path_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->by_path, by_path_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->dir, dir_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->recorded, recorded_sql, err);
	if (result == 0)
		result = db_prepare(db, &find->any_imported, any_imported_sql, err);
	return result;
}

void find_done(struct find *find)
{
	sqlite3_finalize(find->by_file);
	sqlite3_finalize(find->by_key);
	sqlite3_finalize(find->by_stamp);
	sqlite3_finalize(find->contents);
	sqlite3_finalize(find->later);
	sqlite3_finalize(find->at_path);
	sqlite3_finalize(find->by_path);
	sqlite3_finalize(find->dir);
	sqlite3_finalize(find->recorded);
	sqlite3_finalize(find->any_imported);
	*find = (struct find){ 0 };
}

static bool column_is(sqlite3_stmt *statement, int column, const char *bytes, size_t len)
{
	const void *text = sqlite3_column_text(statement, column);
	return (size_t)sqlite3_column_bytes(statement, column) == len &&
	       (len == 0 || memcmp(text, bytes, len) == 0);
}

static bool at_path(sqlite3_stmt *row, const struct find_path *path)
{
	const char *name = path->path + path->dir_len + 1;
	return column_is(row, NAME, name, path->len - path->dir_len - 1) &&
	       column_is(row, DIR, path->path, path->dir_len);
}

static bool same_stamp(sqlite3_stmt *row, const struct identity *identity)
{
	return sqlite3_column_int64(row, SIZE) == identity->size &&
	       sqlite3_column_int64(row, MTIME) == identity->mtime_ns;
}

static enum known_as classify(sqlite3_stmt *row, const struct identity *identity,
			      const struct find_path *path)
{
	if ((uint64_t)sqlite3_column_int64(row, FSID) != identity->fsid)
		return KNOWN_NOT;
	if (at_path(row, path))
		return same_stamp(row, identity) ? KNOWN_SAME : KNOWN_CHANGED;
	return same_stamp(row, identity) ? KNOWN_ELSEWHERE : KNOWN_NOT;
}

static enum version_state row_state(sqlite3_stmt *row)
{
	return version_state_by_name((const char *)sqlite3_column_text(row, STATE));
}

/* Of several at other paths, a queued row is preferred, then a done one; of equals the newest. */
static bool is_better(sqlite3_stmt *row, enum known_as as, const struct known *best)
{
	if (best->as == KNOWN_NOT || as < best->as)
		return true;
	if (as > best->as)
		return false;
	enum version_state state = row_state(row);
	if (as == KNOWN_ELSEWHERE && state != best->state)
		return state < best->state;
	return sqlite3_column_int64(row, ID) > best->id;
}

static_assert(VERSION_QUEUED < VERSION_DONE && VERSION_DONE < VERSION_UNSCANNED,
	      "is_better() compares states");

static void take_row(sqlite3_stmt *row, enum known_as as, struct known *out)
{
	const char *reason = (const char *)sqlite3_column_text(row, REASON);
	const char *wait = (const char *)sqlite3_column_text(row, WAIT);
	known_done(out);
	out->as = as;
	out->id = sqlite3_column_int64(row, ID);
	out->size = sqlite3_column_int64(row, SIZE);
	out->mtime_ns = sqlite3_column_int64(row, MTIME);
	out->state = row_state(row);
	out->reason = reason ? version_reason_by_name(reason) : REASON_NONE;
	out->wait = wait ? version_wait_by_name(wait) : WAIT_NOTHING;
	out->checked_ns = sqlite3_column_int64(row, CHECKED);
	out->attempt = (unsigned)sqlite3_column_int64(row, ATTEMPT);
	out->tries = (unsigned)sqlite3_column_int64(row, TRIES);
	out->incomplete = sqlite3_column_int(row, INCOMPLETE) != 0;
	out->has_sha256 = row_sha256(row, SHA256, out->sha256);
	size_t len = 0;
	if (as == KNOWN_ELSEWHERE)
		out->path = row_path(row, DIR, NAME, &len);
}

static void bind_stamp(sqlite3_stmt *row, const struct identity *identity)
{
	db_bind(row, 1, (int64_t)identity->inode);
	db_bind(row, 2, identity->btime_ns);
	db_bind(row, 3, identity->size);
	db_bind(row, 4, identity->mtime_ns);
}

/* The one row that a statement about the path gives, as what it is then. */
static int find_one(sqlite3_stmt *row, const struct identity *identity,
		    const struct find_path *path, enum known_as as, struct known *out)
{
	db_bind(row, 1, (int64_t)identity->inode);
	db_bind(row, 2, identity->btime_ns);
	if (as == KNOWN_SAME)
		bind_stamp(row, identity);
	db_bind_bytes(row, 5, path->path, path->dir_len);
	db_bind_bytes(row, 6, path->path + path->dir_len + 1, path->len - path->dir_len - 1);
	db_bind(row, 7, (int64_t)identity->fsid);
	if (sqlite3_step(row) == SQLITE_ROW)
		take_row(row, as, out);
	return sqlite3_reset(row);
}

/* The same file, size and time at some other path. */
static int find_by_stamp(struct find *find, const struct identity *identity,
			 const struct find_path *path, struct known *out)
{
	sqlite3_stmt *row = find->by_stamp;
	bind_stamp(row, identity);
	for (size_t seen = 0; seen < ROWS_OF_A_FILE && sqlite3_step(row) == SQLITE_ROW; seen++) {
		enum known_as as = classify(row, identity, path);
		if (as == KNOWN_ELSEWHERE && is_better(row, as, out))
			take_row(row, as, out);
	}
	return sqlite3_reset(row);
}

/* One integer; whether it is more than 0 is added to *out. */
static int is_so(sqlite3_stmt *row, bool *out)
{
	if (sqlite3_step(row) == SQLITE_ROW)
		*out = *out || sqlite3_column_int64(row, 0) > 0;
	return sqlite3_reset(row);
}

static int has_several_contents(struct find *find, const struct identity *identity, bool *out)
{
	bind_stamp(find->contents, identity);
	return is_so(find->contents, out);
}

/* Has the file got another content, or may it have, under another size or time since the row of
 * another path was looked at? Then it was touched back to that time, which says nothing. */
static int find_later(struct find *find, const struct identity *identity, struct known *known)
{
	if (known->as != KNOWN_ELSEWHERE || known->state != VERSION_DONE || known->ambiguous)
		return SQLITE_OK;
	sqlite3_stmt *row = find->later;
	bind_stamp(row, identity);
	db_bind(row, 5, known->id);
	return is_so(row, &known->ambiguous);
}

/* A file of very many rows. */
static int find_among_many(struct find *find, const struct identity *identity,
			   const struct find_path *path, struct known *out)
{
	known_done(out);
	int rc = find_one(find->by_key, identity, path, KNOWN_SAME, out);
	if (rc == SQLITE_OK && out->as == KNOWN_NOT)
		rc = find_by_stamp(find, identity, path, out);
	if (rc == SQLITE_OK && out->as == KNOWN_ELSEWHERE)
		rc = has_several_contents(find, identity, &out->ambiguous);
	if (rc == SQLITE_OK)
		rc = find_later(find, identity, out);
	if (rc == SQLITE_OK && out->as == KNOWN_NOT)
		rc = find_one(find->at_path, identity, path, KNOWN_CHANGED, out);
	return rc;
}

/* Of several contents that the file had under one size and time the last stands for it: the rows
 * come in the order of both, so that what follows the stamp ends the search. */
static int find_by_file(struct find *find, const struct identity *identity,
			const struct find_path *path, struct known *out)
{
	sqlite3_stmt *row = find->by_file;
	db_bind(row, 1, (int64_t)identity->inode);
	db_bind(row, 2, identity->btime_ns);
	size_t seen = 0;
	bool ambiguous = false;
	bool restamped = false;
	while (seen < ROWS_OF_A_FILE && sqlite3_step(row) == SQLITE_ROW) {
		seen++;
		if (out->as == KNOWN_SAME && !same_stamp(row, identity))
			break;
		restamped = restamped || !same_stamp(row, identity);
		ambiguous = ambiguous ||
			    (same_stamp(row, identity) && sqlite3_column_int64(row, CONTENT) > 0);
		enum known_as as = classify(row, identity, path);
		if (as != KNOWN_NOT && is_better(row, as, out))
			take_row(row, as, out);
	}
	int rc = sqlite3_reset(row);
	out->ambiguous = ambiguous;
	out->only = seen <= 1;
	if (rc == SQLITE_OK && seen == ROWS_OF_A_FILE)
		rc = find_among_many(find, identity, path, out);
	else if (rc == SQLITE_OK && restamped)
		rc = find_later(find, identity, out);
	return rc;
}

/* The look-up before has begun a read, so that the data version is that of the latest commit. */
static int imported_exist(struct find *find, bool *out)
{
	sqlite3 *handle = sqlite3_db_handle(find->any_imported);
	uint32_t version = 0;
	(void)sqlite3_file_control(handle, "main", SQLITE_FCNTL_DATA_VERSION, &version);
	int rc = SQLITE_OK;
	if (!find->asked || version != find->data_version) {
		if (sqlite3_step(find->any_imported) == SQLITE_ROW)
			find->imported = sqlite3_column_int(find->any_imported, 0) != 0;
		rc = sqlite3_reset(find->any_imported);
		find->asked = rc == SQLITE_OK;
		find->data_version = version;
	}
	*out = find->imported;
	return rc;
}

static int find_by_path(struct find *find, const struct find_path *path, struct known *out)
{
	sqlite3_stmt *row = find->by_path;
	db_bind_bytes(row, 1, path->path, path->dir_len);
	db_bind_bytes(row, 2, path->path + path->dir_len + 1, path->len - path->dir_len - 1);
	if (sqlite3_step(row) == SQLITE_ROW)
		take_row(row, KNOWN_IMPORTED, out);
	return sqlite3_reset(row);
}

int find_known(struct find *find, const struct identity *identity, const struct find_path *path,
	       struct known *out)
{
	struct known known = { .as = KNOWN_NOT };
	bool imported = false;
	int rc = find_by_file(find, identity, path, &known);
	if (rc == SQLITE_OK && known.as != KNOWN_SAME)
		rc = imported_exist(find, &imported);
	if (rc == SQLITE_OK && imported && known.as != KNOWN_SAME)
		rc = find_by_path(find, path, &known);
	if (rc == SQLITE_OK)
		*out = known;
	else
		known_done(&known);
	return rc;
}

int find_dir(struct find *find, const struct store_dir *dir, int64_t *out)
{
	sqlite3_stmt *row = find->dir;
	int64_t id = 0;
	db_bind_bytes(row, 1, dir->path, dir->len);
	db_bind(row, 2, (int64_t)dir->fsid);
	if (sqlite3_step(row) == SQLITE_ROW)
		id = sqlite3_column_int64(row, 0);
	int rc = sqlite3_reset(row);
	if (rc == SQLITE_OK)
		*out = id;
	return rc;
}

int find_recorded(struct find *find, const struct identity *identity, const struct store_name *name,
		  struct known *out)
{
	sqlite3_stmt *row = find->recorded;
	struct known known = { .as = KNOWN_NOT };
	bind_stamp(row, identity);
	db_bind(row, 5, name->dir);
	db_bind_bytes(row, 6, name->name, name->len);
	if (sqlite3_step(row) == SQLITE_ROW) {
		const char *reason = (const char *)sqlite3_column_text(row, REASON);
		known.as = KNOWN_SAME;
		known.id = sqlite3_column_int64(row, ID);
		known.size = identity->size;
		known.mtime_ns = identity->mtime_ns;
		known.state = row_state(row);
		known.reason = reason ? version_reason_by_name(reason) : REASON_NONE;
		known.has_sha256 = sqlite3_column_int(row, SHA256) != 0;
		known.checked_ns = sqlite3_column_int64(row, CHECKED);
	}
	int rc = sqlite3_reset(row);
	if (rc == SQLITE_OK)
		*out = known;
	return rc;
}
