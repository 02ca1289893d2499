/*
 * inplace: whether the files that a connection writes to are still those that everybody else finds
 * under their names. Private to this room.
 */
#ifndef CARVED_CORE_STORE_INPLACE_H
#define CARVED_CORE_STORE_INPLACE_H

#include <sys/stat.h>

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

#endif
