/*
 * migrate: from whatever lies at the path to a history of our version. Private to this room.
 */
#ifndef CARVED_CORE_STORE_MIGRATE_H
#define CARVED_CORE_STORE_MIGRATE_H

#include <stdbool.h>

struct db;
struct error;

/** Looks at the file's first bytes, without SQLite, so that what is not ours is not touched at all.
 * With create a missing or empty file is fine (a missing one is made, empty). -EINVAL: not ours, or
 * newer. */
int migrate_inspect(const char *path, bool create, struct error *err);
/** Brings the history up to date, one transaction a step, and turns WAL on. Checks again what the
 * file is, as SQLite sees it, before anything is written. */
int migrate_run(const struct db *db, bool create, struct error *err);

#endif
