/*
 * save: what one operation does to the database, inside a transaction. Private to this room.
 *
 * One writing connection's, and of the thread that has it. Functions return SQLite's code: the
 * caller knows the words.
 */
#ifndef CARVED_CORE_STORE_SAVE_H
#define CARVED_CORE_STORE_SAVE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"

struct db;
struct error;
struct list;
struct save;
struct store_op;

/** The statements, on a connection that outlives them. */
int save_new(struct save **out, const struct db *db, struct error *err);
void save_free(struct save *save);
AUTO_DEFINE(save);

/** durable: when the commit is done it is on the disk, with all commits before it. */
int save_begin(struct save *save, bool durable);
/** Does op and sets its result and, when it was 0, version->id (or gap->id). */
int save_op(struct save *save, struct store_op *op);
/** Does the length operations from first on, which only have to be inserted (bulk_length()). */
int save_run(struct save *save, struct list *first, size_t length);
/** Writes the counts and commits; after a failure save_rollback() must follow. */
int save_commit(struct save *save);
void save_rollback(struct save *save);

#endif
