/*
 * expire: versions that ended long ago leave the history, and the file gives their pages back.
 * Private to this room; one writing connection's, inside its transactions. Functions return
 * SQLite's code.
 */
#ifndef CARVED_CORE_STORE_EXPIRE_H
#define CARVED_CORE_STORE_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"

/* SQL: version v is still waited for by somebody, though it has its end, or its file lies in the
 * quarantine: it stays. */
#define EXPIRE_NOT_YET                                                    \
	"(EXISTS (SELECT 1 FROM rescan_queue q WHERE q.version_id = v.id" \
	" AND q.state = 'waiting') OR EXISTS (SELECT 1 FROM removal r"    \
	" WHERE r.version_id = v.id AND r.state IN ('intended', 'quarantined')))"

struct db;
struct error;
struct expire;
struct store_expire;
struct tally;

/** The statements; db and tally, which counts what goes off, outlive them. */
int expire_new(struct expire **out, const struct db *db, struct tally *tally, struct error *err);
void expire_free(struct expire *expire);
AUTO_DEFINE(expire);

/** Deletes what work names, where it may still go, and tells in work what was done. */
int expire_run(struct expire *expire, struct store_expire *work);

#endif
