/* restoring: see restoring.h. */
#include "core/store/restoring.h"

#include <errno.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/store/db.h"

static int change(const char *history, const char *sql, int64_t id, struct error *err)
{
	AUTO(db) struct db *db = NULL;
	AUTO_STMT *statement = NULL;
	int result = db_open_history(&db, history, DB_WRITE, err);
	if (result == 0)
		result = db_exec(db, "PRAGMA synchronous = FULL", err);
	if (result == 0)
		result = db_prepare(db, &statement, sql, err);
	if (result < 0)
		return result;
	db_bind(statement, 1, id);
	db_bind(statement, 2, clock_wall_ns());
	int rc = db_run(statement);
	if (rc != SQLITE_OK)
		return db_fail(db, rc, "writing", err);
	if (sqlite3_changes(db->handle) == 0)
		return error_set(err, ENOENT, "%lld is not in the quarantine", (long long)id);
	return 0;
}

int store_restore(const char *history, int64_t id, struct error *err)
{
	return change(history,
		      "UPDATE removal SET state = 'restored', ended_ns = ?2"
		      " WHERE id = ?1 AND state = 'quarantined'",
		      id, err);
}

int store_restore_undo(const char *history, int64_t id, struct error *err)
{
	return change(history,
		      "UPDATE removal SET state = 'quarantined', ended_ns = ?2"
		      " WHERE id = ?1 AND state = 'restored'",
		      id, err);
}
