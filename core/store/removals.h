/*
 * removals: how removals are written, inside a transaction. Private to this room; see STORE_INTEND
 * and STORE_REMOVED.
 */
#ifndef CARVED_CORE_STORE_REMOVALS_H
#define CARVED_CORE_STORE_REMOVALS_H

#include "core/base/mem.h"

struct db;
struct error;
struct removal_writer;
struct store_removals;

/** The statements, on a connection that outlives them. */
int removal_writer_new(struct removal_writer **out, const struct db *db, struct error *err);
void removal_writer_free(struct removal_writer *writer);
AUTO_DEFINE(removal_writer);

/** SQLITE_OK, or the failure's code. */
int removal_writer_intend(struct removal_writer *writer, const struct store_removals *removals);
int removal_writer_end(struct removal_writer *writer, const struct store_removals *removals);

#endif
