/*
 * batch: many operations in one transaction, all or none. Private to this room.
 */
#ifndef CARVED_CORE_STORE_BATCH_H
#define CARVED_CORE_STORE_BATCH_H

struct absent;
struct db;
struct error;
struct list;
struct save;

/**
 * Runs the operations (struct store_op) of the list in order, in one transaction, and commits. An
 * operation whose row the database refuses (a constraint, a size limit) does not hold the others
 * up: its result is STORE_REFUSED and the rest is done without it. On failure, -errno with err,
 * nothing has changed, in the database or in memory, and the same list can be run again.
 */
int batch_write(const struct db *db, struct save *save, struct absent *absent, struct list *ops,
		struct error *err);

#endif
