/*
 * batch: see batch.h.
 *
 * An operation's own savepoint would cost a microsecond a file. Instead a refused row, which only a
 * bug of ours can make, rolls the whole transaction back, and each operation runs for itself, to
 * find the one that is refused; it is marked, and the rest runs again.
 */
#include "core/store/batch.h"

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/list.h"
#include "core/store/absent.h"
#include "core/store/bulk.h"
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
}

static void undo_ids(struct store_op *op)
{
	if (op->verb == STORE_GAP_OPEN)
		op->gap->id = 0;
	if (!op->version)
		return;
	op->version->content = op->undo_content;
	if (op->verb == STORE_SAVE || op->verb == STORE_ADD)
		op->version->id = op->undo_id;
}

static bool is_refusal(int rc)
{
	int kind = rc & 0xff;
	return kind == SQLITE_CONSTRAINT || kind == SQLITE_TOOBIG || kind == SQLITE_MISMATCH;
}

/* Runs the operation at first, or a whole run that it begins; *last is the last of them. */
static int run_some(struct save *save, struct list *ops, struct list *first, struct list **last,
		    bool one_by_one)
{
	size_t length = one_by_one ? 1 : bulk_length(first, ops);
	*last = first;
	note_ids(op_of(first));
	if (length < 2)
		return save_op(save, op_of(first));
	for (size_t i = 1; i < length; i++) {
		*last = (*last)->next;
		note_ids(op_of(*last));
	}
	return save_run(save, first, length);
}

/* Runs all that were not refused; *failed is the operation at which it ended, or the last of the
 * run in which it did, or NULL. */
static int run_all(struct save *save, struct list *ops, bool one_by_one, struct store_op **failed)
{
	*failed = NULL;
	for (struct list *at = ops->next, *last = at; at != ops; at = last->next) {
		last = at;
		if (op_of(at)->result == STORE_REFUSED)
			continue;
		int rc = run_some(save, ops, at, &last, one_by_one);
		if (rc != SQLITE_OK) {
			*failed = op_of(last);
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

/* Before the commit: nobody may call absent what the history has. */
static void note_contents(struct absent *absent, const struct list *ops)
{
	LIST_FOREACH(at, ops)
		absent_note(absent, LIST_OF(at, struct store_op, link)->version);
}

/* What is to be done where nobody can find it out again is on the disk first. */
static bool is_durable(const struct list *ops)
{
	LIST_FOREACH(at, ops) {
		if (LIST_OF(at, struct store_op, link)->verb == STORE_INTEND)
			return true;
	}
	return false;
}

int batch_write(const struct db *db, struct save *save, struct absent *absent, struct list *ops,
		struct error *err)
{
	LIST_FOREACH(at, ops)
		op_of(at)->result = STORE_WRITTEN;
	for (bool one_by_one = false;;) {
		struct store_op *failed = NULL;
		int rc = save_begin(save, is_durable(ops));
		if (rc != SQLITE_OK) {
			int result = db_fail(db, rc, "beginning a transaction", err);
			save_rollback(save);
			return result;
		}
		rc = run_all(save, ops, one_by_one, &failed);
		note_contents(absent, ops);
		if (rc == SQLITE_OK)
			rc = save_commit(save);
		if (rc == SQLITE_OK)
			return 0;
		int result = db_fail(db, rc, "writing", err);
		save_rollback(save);
		undo_all(ops, failed);
		if (!failed || !is_refusal(rc))
			return result;
		if (one_by_one)
			failed->result = STORE_REFUSED;
		one_by_one = true;
	}
}
