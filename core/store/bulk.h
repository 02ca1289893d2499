/*
 * bulk: many new versions by one statement. Private to this room.
 *
 * A statement for each row opens and closes the cursors of the table and of all its indexes, which
 * costs a third of an insert. Here the versions are the rows of a virtual table
 * (https://www.sqlite.org/vtab.html), so that one INSERT ... SELECT writes all of them, and another
 * one all of their findings.
 *
 * One writing connection's, inside its transactions. Functions return SQLite's code.
 */
#ifndef CARVED_CORE_STORE_BULK_H
#define CARVED_CORE_STORE_BULK_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct bulk;
struct db;
struct error;
struct keys;
struct list;
struct tally;

/** The virtual tables and the statements, on a connection that outlives them. keys and tally are
 * borrowed. */
int bulk_new(struct bulk **out, const struct db *db, struct keys *keys, struct tally *tally,
	     struct error *err);
void bulk_free(struct bulk *bulk);
AUTO_DEFINE(bulk);

/** How many operations from first on, before end (a link, or the list's head), only have to be
 * inserted. */
size_t bulk_length(struct list *first, const struct list *end);
/**
 * Inserts the versions of the first length operations, gives them ids from *next_id on, and counts
 * them. Where a version's key is in the history already nothing is inserted: its id is 0 again and
 * its result STORE_KNOWN, and it is still to be done for itself. After a failure the transaction
 * must be rolled back: any part may have been written.
 */
int bulk_insert(struct bulk *bulk, struct list *first, size_t length, int64_t *next_id);

#endif
