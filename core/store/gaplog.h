/*
 * gaplog: the rows of gap: from when to when events of a root may have been lost, and what was
 * found afterwards. Private to this room.
 */
#ifndef CARVED_CORE_STORE_GAPLOG_H
#define CARVED_CORE_STORE_GAPLOG_H

#include "core/base/mem.h"

struct db;
struct error;
struct gaplog;
struct store_gap;
struct store_op;

int gaplog_new(struct gaplog **out, const struct db *db, struct error *err);
void gaplog_free(struct gaplog *gaplog);
AUTO_DEFINE(gaplog);

/** See STORE_GAP_OPEN, STORE_GAP_CLOSE, STORE_GAP_CLOSE_OLD. SQLITE_OK, or the failure's code. */
int gaplog_open(struct gaplog *gaplog, struct store_gap *gap);
int gaplog_close(struct gaplog *gaplog, const struct store_gap *gap);
int gaplog_close_old(struct gaplog *gaplog, const struct store_gap *gap);
/** See STORE_DUE_BY, which may be STORE_KNOWN, and STORE_ALIVE. */
int gaplog_due_by(struct gaplog *gaplog, struct store_op *op);
int gaplog_alive(struct gaplog *gaplog, const struct store_gap *gap);

#endif
