/*
 * mark: see mark.h.
 *
 * Both ways lead through an index: (inode, birth time) begins the key, and (segment, sha256) is
 * skipped through.
 */
#include "core/store/mark.h"

#include "core/store/db.h"
#include "core/store/row.h"

#define SET \
	"UPDATE version SET incomplete = 1, note = coalesce(note, ?17) WHERE incomplete = 0 AND "
#define FILE_IS	 "inode = ?4 AND btime_ns = ?5 AND dir_id = ?2 AND name = ?3"
#define NAMED_IS "sha256 = ?30 AND dir_id = ?2 AND name = ?3"
#define ENDED	 "SELECT 1 FROM version WHERE state <> 'queued' AND "

enum statement {
	MARK_FILE,
	MARK_NAMED,
	ANY_ENDED,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[MARK_FILE] = SET FILE_IS,
	[MARK_NAMED] = SET NAMED_IS,
	[ANY_ENDED] = "SELECT EXISTS (" ENDED FILE_IS ") OR EXISTS (" ENDED NAMED_IS ")",
};

struct mark {
	sqlite3 *handle;
	sqlite3_stmt *statements[STATEMENTS];
	struct row_scratch scratch;
};

int mark_new(struct mark **out, const struct db *db, struct error *err)
{
	AUTO(mark) struct mark *mark = xcalloc(1, sizeof *mark);
	mark->handle = db->handle;
	int result = db_prepare_all(db, mark->statements, sql, STATEMENTS, err);
	if (result == 0)
		*out = TAKE(mark);
	return result;
}

void mark_free(struct mark *mark)
{
	if (!mark)
		return;
	db_finalize_all(mark->statements, STATEMENTS);
	free(mark);
}

static int set(struct mark *mark, enum statement which, const struct version *version,
	       int64_t dir_id, bool *changed)
{
	row_bind(mark->statements[which], version, dir_id, &mark->scratch);
	int rc = db_run(mark->statements[which]);
	*changed = *changed || (rc == SQLITE_OK && sqlite3_changes(mark->handle) > 0);
	return rc;
}

int mark_rows(struct mark *mark, const struct version *version, int64_t dir_id,
	      enum store_result *out)
{
	bool changed = false;
	int rc = set(mark, MARK_FILE, version, dir_id, &changed);
	if (rc == SQLITE_OK)
		rc = set(mark, MARK_NAMED, version, dir_id, &changed);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_stmt *ended = mark->statements[ANY_ENDED];
	row_bind(ended, version, dir_id, &mark->scratch);
	bool any = sqlite3_step(ended) == SQLITE_ROW && sqlite3_column_int(ended, 0);
	rc = sqlite3_reset(ended);
	if (!any)
		*out = STORE_PENDING;
	else
		*out = changed ? STORE_WRITTEN : STORE_KNOWN;
	return rc;
}
