/*
 * renew: what the writer does about rescans, inside its transactions. Private to this room.
 *
 * One writing connection's. Functions return SQLite's code.
 */
#ifndef CARVED_CORE_STORE_RENEW_H
#define CARVED_CORE_STORE_RENEW_H

#include <sqlite3.h>

#include "core/base/mem.h"

struct answers;
struct db;
struct error;
struct renew;
struct store_op;
struct store_rescan_totals;
struct store_rules;
struct tally;

/** The statements; answers and tally outlive them. */
int renew_new(struct renew **out, const struct db *db, struct answers *answers, struct tally *tally,
	      struct error *err);
void renew_free(struct renew *renew);
AUTO_DEFINE(renew);

/** STORE_RESCAN, and op->result with it. */
int renew_version(struct renew *renew, struct store_op *op);
/** STORE_RULES. */
int renew_rules(struct renew *renew, struct store_rules *rules);

/* Asks for a rescan of version ?1, by detector ?2 (NULL: each), at ?3; more conditions on v, and
 * then RESCAN_AGAIN, follow. */
#define RESCAN_ASK                                                  \
	"INSERT INTO rescan_queue (version_id, detector, asked_ns)" \
	" SELECT v.id, ?2, ?3 FROM version v WHERE v.id = ?1 AND v.state = 'done'"
/* One that waits for two questions answers each. */
#define RESCAN_AGAIN                                                                                                   \
	" ON CONFLICT DO UPDATE SET detector = CASE WHEN state <> 'waiting' OR detector IS"                            \
	" excluded.detector THEN excluded.detector END, state = 'waiting',"                                            \
	" asked_ns = max(asked_ns + 1, excluded.asked_ns), due_ns = 0, tries = 0, away_since_ns = 0, ended_ns = NULL," \
	" note = NULL"

/* Result r is of a detector that was spared by a list of known good files: its rules had no part in
 * it. */
#define RESCAN_SPARED "r.outcome = 'skipped' AND r.key = zeroblob(16)"

#define RESCAN_TOTALS "SELECT state, count(*) FROM rescan_queue GROUP BY state"
/** Takes one row of RESCAN_TOTALS. */
void rescan_read_total(sqlite3_stmt *row, struct store_rescan_totals *totals);

#endif
