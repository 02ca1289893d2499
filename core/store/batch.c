/*
 * batch: see batch.h.
 *
 * An operation's own savepoint would cost a microsecond a file. Instead a refused row, which only a
 * bug of ours can make, rolls the whole transaction back, is marked, and the rest runs again.
 */
#include "core/store/batch.h"

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/list.h"
#include "core/store/db.h"
#include "core/store/save.h"
#include "core/store/store.h"

static struct store_op *op_of(struct list *link)
{
	return LIST_OF(link, struct store_op, link);
}

/* An operation runs after those before it, which may have set its ids: what it is to be undone to
 * is noted just before. */
static void note_ids(struct store_op *op)
{
	op->undo_id = op->version ? op->version->id : 0;
	op->undo_content = op->version ? op->version->content : 0;
	op->undo_id_out = op->id_out ? *op->id_out : 0;
}

static void undo_ids(struct store_op *op)
{
	if (op->verb == STORE_GAP_OPEN)
		op->gap->id = 0;
	if (!op->version)
		return;
	op->version->content = op->undo_content;
	if (op->verb != STORE_SAVE && op->verb != STORE_ADD)
		return;
	if (op->id_out)
		*op->id_out = op->undo_id_out;
	op->version->id = op->undo_id;
}

static int run_op(struct save *save, struct store_op *op)
{
	note_ids(op);
	int rc = save_op(save, op);
	if (rc == SQLITE_OK && op->verb == STORE_SAVE && op->id_out)
		*op->id_out = op->version->id;
	return rc;
}

static bool is_refusal(int rc)
{
	int kind = rc & 0xff;
	return kind == SQLITE_CONSTRAINT || kind == SQLITE_TOOBIG || kind == SQLITE_MISMATCH;
}

/* Runs all that were not refused; *failed is the operation at which it ended, or NULL. */
static int run_all(struct save *save, struct list *ops, struct store_op **failed)
{
	*failed = NULL;
	LIST_FOREACH(at, ops) {
		struct store_op *op = op_of(at);
		if (op->result == STORE_REFUSED)
			continue;
		int rc = run_op(save, op);
		if (rc != SQLITE_OK) {
			*failed = op;
			return rc;
		}
	}
	return SQLITE_OK;
}

/* Backwards from the operation that failed, or from the last. */
static void undo_all(struct list *ops, struct store_op *failed)
{
	for (struct list *at = failed ? &failed->link : ops->previous; at != ops;
	     at = at->previous) {
		if (op_of(at)->result != STORE_REFUSED)
			undo_ids(op_of(at));
	}
}

int batch_write(const struct db *db, struct save *save, struct list *ops, struct error *err)
{
	LIST_FOREACH(at, ops)
		op_of(at)->result = STORE_WRITTEN;
	for (;;) {
		struct store_op *failed = NULL;
		int rc = save_begin(save);
		if (rc != SQLITE_OK) {
			int result = db_fail(db, rc, "beginning a transaction", err);
			save_rollback(save);
			return result;
		}
		rc = run_all(save, ops, &failed);
		if (rc == SQLITE_OK)
			rc = save_commit(save);
		if (rc == SQLITE_OK)
			return 0;
		int result = db_fail(db, rc, "writing", err);
		save_rollback(save);
		undo_all(ops, failed);
		if (!failed || !is_refusal(rc))
			return result;
		failed->result = STORE_REFUSED;
	}
}
