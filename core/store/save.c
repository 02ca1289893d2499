/*
 * save: see save.h.
 *
 * Ids are given out here, not by SQLite, and never twice in the life of the connection: an id whose
 * row was deleted may still be held by an operation on its way. BEGIN IMMEDIATE is followed by a
 * look at the largest id, as commands insert rows too.
 */
#include "core/store/save.h"

#include "core/base/error.h"
#include "core/base/list.h"
#include "core/store/answers.h"
#include "core/store/bulk.h"
#include "core/store/db.h"
#include "core/store/events.h"
#include "core/store/expire.h"
#include "core/store/gaplog.h"
#include "core/store/keys.h"
#include "core/store/mark.h"
#include "core/store/removals.h"
#include "core/store/renew.h"
#include "core/store/row.h"
#include "core/store/store.h"
#include "core/store/tally.h"
#include "core/store/timing.h"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	LARGEST_ID,
	INSERT,
	FIND_KEY,
	OTHER_CONTENT,
	SAME_CONTENT,
	UPDATE_SAME_KEY,
	UPDATE_ANY,
	KIND,
	REFRESH,
	REFRESH_NUMBERED,
	REFRESH_FILE,
	REQUEUE,
	DELETE_QUEUED,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[LARGEST_ID] = "SELECT max(id) FROM version",
	[INSERT] = ROW_INSERT,
	[FIND_KEY] = "SELECT id FROM version WHERE " ROW_KEY_IS " AND content = ?33",
	[OTHER_CONTENT] = "SELECT EXISTS (SELECT 1 FROM version WHERE " ROW_KEY_IS
			  " AND content = ?33 AND id <> ?1 AND sha256 <> ?16)",
	[SAME_CONTENT] = "SELECT coalesce((SELECT content FROM version WHERE " ROW_KEY_IS
			 " AND sha256 = ?16 ORDER BY content DESC LIMIT 1),"
			 " (SELECT max(content) + 1 FROM version WHERE " ROW_KEY_IS "))",
	/* The usual end of a queued version: its key and fuid stay, so their indexes are left
	   alone. */
	[UPDATE_SAME_KEY] = "UPDATE version SET " ROW_SET_REST
			    " WHERE id = ?1 AND state = 'queued' AND fuid IS ?20 AND " ROW_KEY_IS
			    " RETURNING first_seen_ns",
	[UPDATE_ANY] =
		"UPDATE version SET " ROW_SET_KEY ", content = ?33, fuid = ?20, " ROW_SET_REST
		" WHERE id = ?1 AND state = 'queued' RETURNING first_seen_ns",
	[KIND] = "SELECT first_seen_ns, mime, state, reason, verdict FROM version"
		 " WHERE id = ?1 AND state = 'unscanned'",
	[REFRESH] = "UPDATE version SET size = ?6, mtime_ns = ?7, checked_ns = ?14"
		    " WHERE id = ?1 AND state <> 'queued' AND (inode <> 0 OR ?4 = 0)",
	/* Another content has that size and time. */
	[REFRESH_NUMBERED] =
		"UPDATE version SET size = ?6, mtime_ns = ?7, content = ?33, checked_ns = ?14"
		" WHERE id = ?1 AND state <> 'queued' AND inode <> 0",
	[REFRESH_FILE] = "UPDATE version SET dir_id = ?2, name = ?3, inode = ?4, btime_ns = ?5,"
			 " size = ?6, mtime_ns = ?7, checked_ns = ?14"
			 " WHERE id = ?1 AND state <> 'queued' AND inode = 0",
	[REQUEUE] = "UPDATE version SET " ROW_SET_KEY ", state = 'queued', reason = NULL,"
		    " verdict = NULL, note = NULL, finished_ns = NULL, wait = ?11, due_ns = ?12,"
		    " tries = 0, away_since_ns = 0 WHERE id = ?1 AND state = 'unscanned'",
	[DELETE_QUEUED] = "DELETE FROM version WHERE id = ?1 AND state = 'queued'",
};

struct save {
	sqlite3 *handle;
	sqlite3_stmt *statements[STATEMENTS];
	struct keys *keys;
	struct answers *answers;
	struct bulk *bulk;
	struct tally *tally;
	struct renew *renew;
	struct mark *mark;
	struct gaplog *gaplog;
	struct events *events;
	struct expire *expire;
	struct removal_writer *removals;
	bool durable; /* the connection's commits are synced */
	int64_t next_id;
	struct row_scratch scratch;
};

int save_new(struct save **out, const struct db *db, struct error *err)
{
	AUTO(save) struct save *save = xcalloc(1, sizeof *save);
	save->handle = db->handle;
	save->next_id = 1;
	int result = db_prepare_all(db, save->statements, sql, STATEMENTS, err);
	if (result == 0)
		result = keys_new(&save->keys, db, err);
	if (result == 0)
		result = tally_new(&save->tally, db, err);
	if (result == 0)
		result =
			answers_new(&save->answers, db, save->keys, tally_timing(save->tally), err);
	if (result == 0)
		result = bulk_new(&save->bulk, db, save->keys, save->tally, err);
	if (result == 0)
		result = renew_new(&save->renew, db, save->answers, save->tally, err);
	if (result == 0)
		result = mark_new(&save->mark, db, err);
	if (result == 0)
		result = gaplog_new(&save->gaplog, db, err);
	if (result == 0)
		result = events_new(&save->events, db, err);
	if (result == 0)
		result = expire_new(&save->expire, db, save->tally, err);
	if (result == 0)
		result = removal_writer_new(&save->removals, db, err);
	if (result < 0)
		return result;
	*out = TAKE(save);
	return 0;
}

void save_free(struct save *save)
{
	if (!save)
		return;
	db_finalize_all(save->statements, STATEMENTS);
	bulk_free(save->bulk);
	renew_free(save->renew);
	answers_free(save->answers);
	keys_free(save->keys);
	tally_free(save->tally);
	mark_free(save->mark);
	gaplog_free(save->gaplog);
	events_free(save->events);
	expire_free(save->expire);
	removal_writer_free(save->removals);
	free(save);
}

/* One integer of one row that is there for sure (an aggregate). */
static int read_integer(sqlite3_stmt *statement, int64_t *out)
{
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	return sqlite3_reset(statement);
}

/* SQLITE_ROW: the queued row was updated; SQLITE_DONE: there was none; else the failure. */
static int update_with(struct save *save, enum statement which, const struct version *version,
		       int64_t dir_id)
{
	sqlite3_stmt *update = save->statements[which];
	row_bind(update, version, dir_id, &save->scratch);
	int step = sqlite3_step(update);
	int64_t first_seen_ns = step == SQLITE_ROW ? sqlite3_column_int64(update, 0) : 0;
	int rc = sqlite3_reset(update);
	if (rc != SQLITE_OK)
		return rc;
	if (step == SQLITE_ROW)
		tally_version(save->tally, version, first_seen_ns);
	return step;
}

static int update_queued(struct save *save, const struct version *version, int64_t dir_id)
{
	int step = update_with(save, UPDATE_SAME_KEY, version, dir_id);
	if (step == SQLITE_DONE)
		step = update_with(save, UPDATE_ANY, version, dir_id);
	if (step != SQLITE_ROW)
		return step;
	int rc = answers_more(save->answers, version);
	return rc == SQLITE_OK ? SQLITE_ROW : rc;
}

/* The version's key is in the history: a queued row is brought to the version's state, any other
 * stands as it is. */
static int save_into_key(struct save *save, struct store_op *op, int64_t dir_id)
{
	sqlite3_stmt *find = save->statements[FIND_KEY];
	row_bind_key(find, op->version, dir_id);
	if (sqlite3_step(find) == SQLITE_ROW)
		op->version->id = sqlite3_column_int64(find, 0);
	int rc = sqlite3_reset(find);
	if (rc != SQLITE_OK)
		return rc;
	if (op->verb == STORE_SAVE)
		rc = update_queued(save, op->version, dir_id);
	if (rc != SQLITE_ROW)
		op->result = STORE_KNOWN;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Is the version's key that of another row, which is of another content? */
static int is_other_content(struct save *save, const struct store_op *op, int64_t dir_id,
			    int64_t *other)
{
	*other = 0;
	if (!op->version->has_sha256)
		return SQLITE_OK;
	row_bind(save->statements[OTHER_CONTENT], op->version, dir_id, &save->scratch);
	return read_integer(save->statements[OTHER_CONTENT], other);
}

/* The file had another content under this size and time: the version gets the number of its own,
 * when that is in the history, or the next one. */
static int number_content(struct save *save, struct store_op *op, int64_t dir_id)
{
	int64_t content = 0;
	row_bind(save->statements[SAME_CONTENT], op->version, dir_id, &save->scratch);
	int rc = read_integer(save->statements[SAME_CONTENT], &content);
	if (rc == SQLITE_OK)
		op->version->content = (unsigned)content;
	return rc;
}

/* Inserts the version; *known: it is there already. */
static int insert_row(struct save *save, struct store_op *op, int64_t dir_id, bool *known)
{
	struct version *version = op->version;
	sqlite3_stmt *insert = save->statements[INSERT];
	*known = false;
	version->id = save->next_id;
	for (;;) {
		row_bind(insert, version, dir_id, &save->scratch);
		int rc = db_run(insert);
		if (rc != SQLITE_OK || sqlite3_changes(save->handle) > 0)
			return rc;
		int64_t other = 0;
		rc = is_other_content(save, op, dir_id, &other);
		*known = other == 0;
		if (rc == SQLITE_OK && !*known)
			rc = number_content(save, op, dir_id);
		if (rc != SQLITE_OK || *known)
			return rc;
	}
}

static int insert_version(struct save *save, struct store_op *op, int64_t dir_id)
{
	struct version *version = op->version;
	bool known = false;
	int rc = insert_row(save, op, dir_id, &known);
	if (rc != SQLITE_OK)
		return rc;
	if (known)
		return save_into_key(save, op, dir_id);
	save->next_id++;
	tally_version(save->tally, version, version->first_seen_ns);
	return answers_first(save->answers, version);
}

static int forget(struct save *save, int64_t id, int *deleted)
{
	db_bind(save->statements[DELETE_QUEUED], 1, id);
	int rc = db_run(save->statements[DELETE_QUEUED]);
	*deleted = sqlite3_changes(save->handle);
	if (rc != SQLITE_OK || *deleted == 0)
		return rc;
	return timing_delete(tally_timing(save->tally), id);
}

static int version_dir(struct save *save, const struct version *version, int64_t *out)
{
	return keys_dir(save->keys, version->path, version->dir_len, version->identity.fsid, out);
}

static int save_version(struct save *save, struct store_op *op)
{
	int64_t dir_id = 0;
	int rc = version_dir(save, op->version, &dir_id);
	if (rc != SQLITE_OK)
		return rc;
	if (op->version->id == 0)
		return insert_version(save, op, dir_id);
	rc = update_queued(save, op->version, dir_id);
	/* Its row ended otherwise meanwhile, say as vanished at the path that it was renamed from:
	 * what is known of this path must not be lost with it. */
	if (rc == SQLITE_DONE)
		return insert_version(save, op, dir_id);
	if (rc == SQLITE_ROW)
		return SQLITE_OK;
	if (rc != SQLITE_CONSTRAINT_UNIQUE)
		return rc;
	int64_t other = 0;
	rc = is_other_content(save, op, dir_id, &other);
	if (rc == SQLITE_OK && other) {
		rc = number_content(save, op, dir_id);
		return rc == SQLITE_OK ? save_version(save, op) : rc;
	}
	if (rc != SQLITE_OK)
		return rc;
	/* another row is this version already: it stands for it, the queued one goes */
	int deleted = 0;
	rc = forget(save, op->version->id, &deleted);
	return rc == SQLITE_OK ? save_into_key(save, op, dir_id) : rc;
}

/* Runs an update that found its row or did not; a clash with another row's key leaves it alone. */
static int run_guarded(struct save *save, enum statement which, struct store_op *op)
{
	int rc = db_run(save->statements[which]);
	bool clash = rc == SQLITE_CONSTRAINT_UNIQUE;
	if (clash || (rc == SQLITE_OK && sqlite3_changes(save->handle) == 0))
		op->result = STORE_KNOWN;
	return clash ? SQLITE_OK : rc;
}

static void bind_whole(struct save *save, enum statement which, const struct store_op *op,
		       int64_t dir_id)
{
	row_bind(save->statements[which], op->version, dir_id, &save->scratch);
}

/* The same, should the file have had another content under that size and time: the row's is one
 * more of those. */
static int refresh_numbered(struct save *save, struct store_op *op, int64_t dir_id)
{
	int64_t other = 0;
	int rc = is_other_content(save, op, dir_id, &other);
	if (rc == SQLITE_OK && other)
		rc = number_content(save, op, dir_id);
	if (rc != SQLITE_OK || !other)
		return rc;
	op->result = STORE_WRITTEN;
	bind_whole(save, REFRESH_NUMBERED, op, dir_id);
	return run_guarded(save, REFRESH_NUMBERED, op);
}

static int refresh(struct save *save, struct store_op *op)
{
	int64_t dir_id = 0;
	int rc = version_dir(save, op->version, &dir_id);
	if (rc != SQLITE_OK)
		return rc;
	bind_whole(save, REFRESH, op, dir_id);
	rc = run_guarded(save, REFRESH, op);
	if (rc != SQLITE_OK || op->result == STORE_WRITTEN || op->version->identity.inode == 0)
		return rc;
	rc = refresh_numbered(save, op, dir_id);
	if (rc != SQLITE_OK || op->result == STORE_WRITTEN)
		return rc;
	op->result = STORE_WRITTEN;
	bind_whole(save, REFRESH_FILE, op, dir_id);
	return run_guarded(save, REFRESH_FILE, op);
}

/* Counts the row, if it is unscanned, as it stands. */
static int count_unscanned(struct save *save, int64_t id, int delta)
{
	sqlite3_stmt *kind = save->statements[KIND];
	db_bind(kind, 1, id);
	if (sqlite3_step(kind) == SQLITE_ROW) {
		struct tally_kind counted = tally_kind_at(kind);
		tally_add(save->tally, &counted, delta);
	}
	return sqlite3_reset(kind);
}

static int requeue(struct save *save, struct store_op *op)
{
	int64_t dir_id = 0;
	int rc = version_dir(save, op->version, &dir_id);
	if (rc == SQLITE_OK)
		rc = count_unscanned(save, op->version->id, -1);
	if (rc != SQLITE_OK)
		return rc;
	bind_whole(save, REQUEUE, op, dir_id);
	rc = run_guarded(save, REQUEUE, op);
	if (rc == SQLITE_OK && op->result == STORE_KNOWN)
		rc = count_unscanned(save, op->version->id, 1); /* it stayed */
	return rc;
}

static int mark(struct save *save, struct store_op *op)
{
	int64_t dir_id = 0;
	int rc = version_dir(save, op->version, &dir_id);
	return rc == SQLITE_OK ? mark_rows(save->mark, op->version, dir_id, &op->result) : rc;
}

static int forget_version(struct save *save, struct store_op *op)
{
	int deleted = 0;
	int rc = forget(save, op->version->id, &deleted);
	op->result = deleted ? STORE_WRITTEN : STORE_KNOWN;
	return rc;
}

static int intend(struct save *save, const struct store_op *op)
{
	int rc = removal_writer_intend(save->removals, op->removals);
	return rc == SQLITE_OK && op->told ? events_told(save->events, op->told) : rc;
}

int save_op(struct save *save, struct store_op *op)
{
	op->result = STORE_WRITTEN;
	switch (op->verb) {
	case STORE_SAVE:
	case STORE_ADD:
		return save_version(save, op);
	case STORE_REFRESH:
		return refresh(save, op);
	case STORE_REQUEUE:
		return requeue(save, op);
	case STORE_MARK:
		return mark(save, op);
	case STORE_FORGET:
		return forget_version(save, op);
	case STORE_RESCAN:
		return renew_version(save->renew, op);
	case STORE_RULES:
		return renew_rules(save->renew, op->rules);
	case STORE_GAP_OPEN:
		return gaplog_open(save->gaplog, op->gap);
	case STORE_GAP_CLOSE:
		return gaplog_close(save->gaplog, op->gap);
	case STORE_GAP_CLOSE_OLD:
		return gaplog_close_old(save->gaplog, op->gap);
	case STORE_DUE_BY:
		return gaplog_due_by(save->gaplog, op);
	case STORE_TOLD:
		return events_told(save->events, op->told);
	case STORE_EXPIRE:
		return expire_run(save->expire, op->expire);
	case STORE_INTEND:
		return intend(save, op);
	case STORE_REMOVED:
		return removal_writer_end(save->removals, op->removals);
	case STORE_ALIVE:
		return gaplog_alive(save->gaplog, op->gap);
	}
	return SQLITE_MISUSE;
}

int save_run(struct save *save, struct list *first, size_t length)
{
	int rc = bulk_insert(save->bulk, first, length, &save->next_id);
	for (size_t i = 0; i < length && rc == SQLITE_OK; i++, first = first->next) {
		struct store_op *op = LIST_OF(first, struct store_op, link);
		if (op->result != STORE_WRITTEN)
			rc = save_op(save, op);
	}
	return rc;
}

int save_begin(struct save *save, bool durable)
{
	int64_t largest = 0;
	int rc = db_set_durable(save->handle, &save->durable, durable);
	if (rc == SQLITE_OK)
		rc = db_run(save->statements[BEGIN]);
	if (rc == SQLITE_OK)
		rc = read_integer(save->statements[LARGEST_ID], &largest);
	if (rc == SQLITE_OK && largest >= save->next_id)
		save->next_id = largest + 1;
	return rc;
}

int save_commit(struct save *save)
{
	int rc = tally_write(save->tally);
	if (rc == SQLITE_OK)
		rc = db_run(save->statements[COMMIT]);
	if (rc == SQLITE_OK)
		tally_clear(save->tally);
	return rc;
}

void save_rollback(struct save *save)
{
	/* several failures roll back by themselves: https://www.sqlite.org/lang_transaction.html */
	if (!sqlite3_get_autocommit(save->handle))
		(void)db_run(save->statements[ROLLBACK]);
	tally_clear(save->tally);
	keys_forget(save->keys);
}
