/*
 * inplace: whether the files that a connection writes to are still those that everybody else finds
 * under their names. Private to this room.
 */
#ifndef CARVED_CORE_STORE_INPLACE_H
#define CARVED_CORE_STORE_INPLACE_H

#include <sys/stat.h>

#include <stdbool.h>

struct db;
struct error;

/* The log and its index as they were when the history was opened. */
struct inplace {
	dev_t device;
	ino_t wal, shm;
};

/** Once db has read: then both are there. 0, or as inplace_check(). */
int inplace_note(struct inplace *out, const struct db *db, struct error *err);
/** 0, or -ESTALE: the history, its -wal or its -shm was moved, removed or replaced; err says which.
 * Another failure: that cannot be told, as a directory may not be searched, say. When the log alone
 * is gone, what it held is brought into the history before. The thread of db. */
int inplace_check(const struct inplace *inplace, const struct db *db, struct error *err);

/** Whether the log that db has open holds what the index says; not, when it was cut short, or when
 * somebody has written to another log by the same index. Writing then destroys the history. */
bool inplace_log_fits(const struct db *db);

#endif
