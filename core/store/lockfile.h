/*
 * lockfile: one daemon per history, by an fcntl lock on "<history>.lock". Private to this room.
 *
 * Any thread.
 */
#ifndef CARVED_CORE_STORE_LOCKFILE_H
#define CARVED_CORE_STORE_LOCKFILE_H

#include <sys/types.h>

#include <stdbool.h>

#include "core/base/mem.h"

struct error;
struct lockfile;

/** -EBUSY when this process holds the lock of history. Opens nothing, so that no lock of ours is
 * lost by closing. */
int lockfile_check(const char *history, struct error *err);
/** Takes the lock that belongs to history (its real name, so that a symlink is no second history).
 * -EBUSY when this or another process holds it; err names the process. The file is made and stays.
 */
int lockfile_take(struct lockfile **out, const char *history, struct error *err);
/** Is it the locked history, or its lock file? */
bool lockfile_is(const struct lockfile *lockfile, dev_t device, ino_t inode);
/** Gives the lock back. NULL is fine. */
void lockfile_free(struct lockfile *lockfile);
AUTO_DEFINE(lockfile);

#endif
