/*
 * answers: the findings of a version as rows beside it. Private to this room.
 *
 * One writing connection's, inside its transactions. Functions return SQLite's code.
 */
#ifndef CARVED_CORE_STORE_ANSWERS_H
#define CARVED_CORE_STORE_ANSWERS_H

#include "core/base/mem.h"

struct answers;
struct db;
struct error;
struct keys;
struct timing;
struct version;

/** The statements; db, keys and timing, in which they are counted, outlive them. */
int answers_new(struct answers **out, const struct db *db, struct keys *keys, struct timing *timing,
		struct error *err);
void answers_free(struct answers *answers);
AUTO_DEFINE(answers);

/** The findings of a version whose row has none yet. */
int answers_first(struct answers *answers, const struct version *version);
/** Those of a further attempt; SQLITE_TOOBIG when the row would get more than it can number. */
int answers_more(struct answers *answers, const struct version *version);

#endif
