/*
 * tally: counts of terminal versions by day and kind, gathered in memory during a transaction and
 * written at its end. Private to this room; one writing connection's.
 */
#ifndef CARVED_CORE_STORE_TALLY_H
#define CARVED_CORE_STORE_TALLY_H

#include <stdint.h>

#include "core/base/mem.h"

struct db;
struct error;
struct sqlite3_stmt;
struct tally;
struct timing;
struct version;

#define TALLY_NS_PER_DAY INT64_C(86400000000000)

/* Strings are borrowed for the call; NULL counts as "". */
struct tally_kind {
	int64_t first_seen_ns;
	const char *mime;
	const char *state;
	const char *reason;
	const char *verdict;
};

int tally_new(struct tally **out, const struct db *db, struct error *err);
void tally_free(struct tally *tally);
AUTO_DEFINE(tally);

/** The kind of the row at which the statement stands, whose first columns are first_seen_ns, mime,
 * state, reason, verdict; borrowed from it. */
struct tally_kind tally_kind_at(struct sqlite3_stmt *row);
/** Counts one more (+1) or one less (-1) of this kind. */
void tally_add(struct tally *tally, const struct tally_kind *kind, int delta);
/** Counts a version that has its end; a queued one is not counted. */
void tally_version(struct tally *tally, const struct version *version, int64_t first_seen_ns);
/** The counts of answers, which are written and cleared with these; borrowed. */
struct timing *tally_timing(struct tally *tally);
/** Writes what was gathered into the open transaction: SQLITE_OK or the failure's code. Keeps it
 * until tally_clear(), which follows the commit or the rollback. */
int tally_write(struct tally *tally);
void tally_clear(struct tally *tally);

#endif
