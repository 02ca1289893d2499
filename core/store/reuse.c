/*
 * reuse: see reuse.h.
 *
 * The index on sha256 is led by the day, so each day is asked on its own, newest first. Which days
 * there are is remembered: a new one begins once a day. (One statement with the days as a subquery
 * costs two temporary tables, which is more than the look-ups.) A day that was missed costs a scan,
 * no more.
 *
 * On one day a content may be met a million times, and a detector may have an answer for none of
 * them. So the newest copies stand for the day: where there is an answer they have it, as each copy
 * gets a row of what it took over.
 */
#include "core/store/reuse.h"

#include "core/base/outcome.h"
#include "core/store/db.h"
#include "core/store/row.h"
#include "core/store/tally.h"

static const char newest_sql[] = "SELECT max(first_seen_ns) FROM version WHERE first_seen_ns < ?1";
static const char on_day_sql[] =
	"SELECT ?4, ?5," ROW_FINDING_REST
	"FROM (SELECT id FROM version WHERE sha256 = ?1 AND day = ?2 ORDER BY id DESC LIMIT ?7) v"
	" CROSS JOIN result r ON r.version_id = v.id"
	" WHERE r.key = ?3 AND r.finished_ns >= ?6"
	" AND r.detector_id = (SELECT id FROM detector WHERE name = ?4 AND digest = ?5)"
	" AND r.outcome <> 'error' AND r.outcome <> 'timeout' AND r.outcome <> 'skipped'"
	/* the newest: one that was taken over has the time of the answer itself, and content that
	 * is met often has many that have grown too old */
	" ORDER BY v.id DESC LIMIT 1";

int reuse_init(struct reuse *reuse, const struct db *db, struct error *err)
{
	int result = db_prepare(db, &reuse->newest, newest_sql, err);
	return result < 0 ? result : db_prepare(db, &reuse->on_day, on_day_sql, err);
}

void reuse_done(struct reuse *reuse)
{
	sqlite3_finalize(reuse->newest);
	sqlite3_finalize(reuse->on_day);
	*reuse = (struct reuse){ 0 };
}

/* The newest day before a moment; INT64_MIN when there is none. */
static int day_before(struct reuse *reuse, int64_t before_ns, int64_t *out)
{
	*out = INT64_MIN;
	db_bind(reuse->newest, 1, before_ns);
	if (sqlite3_step(reuse->newest) == SQLITE_ROW &&
	    sqlite3_column_type(reuse->newest, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(reuse->newest, 0) / TALLY_NS_PER_DAY;
	return sqlite3_reset(reuse->newest);
}

static int read_days(struct reuse *reuse, int64_t newest, int64_t since_day)
{
	int64_t day = newest;
	reuse->day_count = 0;
	reuse->since_day = since_day;
	while (day >= since_day && reuse->day_count < REUSE_DAYS_MAX) {
		reuse->days[reuse->day_count++] = day;
		int rc = day_before(reuse, day * TALLY_NS_PER_DAY, &day);
		if (rc != SQLITE_OK) {
			reuse->day_count = 0;
			return rc;
		}
	}
	return SQLITE_OK;
}

static int refresh_days(struct reuse *reuse, int64_t since_day)
{
	int64_t newest;
	int rc = day_before(reuse, INT64_MAX, &newest);
	if (rc != SQLITE_OK || newest == INT64_MIN)
		return rc;
	if (reuse->day_count && reuse->days[0] == newest && reuse->since_day <= since_day)
		return rc;
	return read_days(reuse, newest, since_day);
}

static int look_on(struct reuse *reuse, int64_t day, struct finding *out, bool *found)
{
	db_bind(reuse->on_day, 2, day);
	*found = sqlite3_step(reuse->on_day) == SQLITE_ROW;
	if (*found)
		*out = row_read_finding(reuse->on_day, 0);
	return sqlite3_reset(reuse->on_day);
}

int reuse_find(struct reuse *reuse, const struct reuse_question *question, struct finding *out,
	       bool *found)
{
	const struct finding *wanted = question->wanted;
	int64_t seen_ns =
		question->seen_ns < question->since_ns ? question->seen_ns : question->since_ns;
	int64_t since_day = seen_ns / TALLY_NS_PER_DAY;
	int rc = refresh_days(reuse, since_day);
	*found = false;
	db_bind_bytes(reuse->on_day, 1, question->sha256, 64);
	(void)sqlite3_bind_blob(reuse->on_day, 3, wanted->key, sizeof wanted->key, SQLITE_STATIC);
	db_bind_text(reuse->on_day, 4, wanted->detector);
	db_bind_text(reuse->on_day, 5, wanted->digest);
	db_bind(reuse->on_day, 6, question->since_ns);
	db_bind(reuse->on_day, 7, REUSE_COPIES_MAX);
	for (size_t i = 0; rc == SQLITE_OK && i < reuse->day_count && !*found; i++) {
		if (reuse->days[i] >= since_day)
			rc = look_on(reuse, reuse->days[i], out, found);
	}
	(void)sqlite3_clear_bindings(reuse->on_day); /* they are borrowed for this call */
	return rc;
}
