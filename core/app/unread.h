/*
 * unread: says that the history cannot be read. Everybody who asked it tries again within a second
 * or so, thousands of files at a time, and a history that is corrupt stays so: the log would fill
 * the disk. So it is said every ten seconds at most, and how often it was true meanwhile. Any
 * thread.
 */
#ifndef CARVED_CORE_APP_UNREAD_H
#define CARVED_CORE_APP_UNREAD_H

#include "core/base/clock.h"
#include "core/base/lock.h"

struct app;
struct error;

struct unread {
	struct lock lock;
	/* guarded by lock */
	struct mono told; /* ns 0: never */
	unsigned long long untold;
};

void unread_init(struct unread *unread);
void unread_done(struct unread *unread);
void unread_tell(struct app *app, const struct error *err);

#endif
