/*
 * mark: sets incomplete on rows that are there. Private to this room.
 *
 * Of the rows at the version's path these are meant: those of its file (inode, birth time), and,
 * where the name is a SHA-256, those of that content, whatever became of the file.
 */
#ifndef CARVED_CORE_STORE_MARK_H
#define CARVED_CORE_STORE_MARK_H

#include <stdint.h>

#include "core/base/mem.h"
#include "core/store/store.h"

struct db;
struct error;
struct mark;

int mark_new(struct mark **out, const struct db *db, struct error *err);
void mark_free(struct mark *mark);
AUTO_DEFINE(mark);

/** See STORE_MARK; out gets what that says. SQLITE_OK, or the failure's code. */
int mark_rows(struct mark *mark, const struct version *version, int64_t dir_id,
	      enum store_result *out);

#endif
