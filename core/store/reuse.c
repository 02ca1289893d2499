/*
 * reuse: see reuse.h.
 *
 * The index on sha256 is led by the segment, so each segment that may have the content is asked on
 * its own, newest first. Where they begin is remembered: it changes once a day. A segment that was
 * missed costs a scan, no more.
 *
 * In one segment a content may be met ten thousand times, and a detector may have an answer for
 * none of them. So the newest copies stand for all: where there is an answer they have it, as each
 * copy gets a row of what it took over.
 */
#include "core/store/reuse.h"

#include "core/base/outcome.h"
#include "core/store/absent.h"
#include "core/store/db.h"
#include "core/store/row.h"
#include "core/store/tally.h"

static const char newest_sql[] = "SELECT coalesce(max(id), 0) FROM version";
static const char since_sql[] = "SELECT id, first_seen_ns FROM version WHERE first_seen_ns >= ?1"
				" ORDER BY first_seen_ns LIMIT 1";
static const char below_sql[] = "SELECT coalesce(max(id), -1) FROM version WHERE id < ?1";
static const char on_segment_sql[] =
	"SELECT ?4, ?5," ROW_FINDING_REST
	"FROM (SELECT id FROM version WHERE sha256 = ?1 AND segment = ?2 ORDER BY id DESC LIMIT ?7)"
	" v CROSS JOIN result r ON r.version_id = v.id"
	" WHERE r.key = ?3 AND r.finished_ns >= ?6"
	" AND r.detector_id = (SELECT id FROM detector WHERE name = ?4 AND digest = ?5)"
	" AND r.outcome <> 'error' AND r.outcome <> 'timeout' AND r.outcome <> 'skipped'"
	/* the newest: one that was taken over has the time of the answer itself, and content that
	 * is met often has many that have grown too old */
	" ORDER BY v.id DESC LIMIT 1";

int reuse_init(struct reuse *reuse, const struct db *db, struct error *err)
{
	reuse->first = -1;
	int result = db_prepare(db, &reuse->newest, newest_sql, err);
	if (result == 0)
		result = db_prepare(db, &reuse->since, since_sql, err);
	if (result == 0)
		result = db_prepare(db, &reuse->below, below_sql, err);
	if (result == 0)
		result = db_prepare(db, &reuse->on_segment, on_segment_sql, err);
	if (result == 0)
		result = absent_prepare(db, &reuse->lesson, err);
	return result;
}

void reuse_done(struct reuse *reuse)
{
	sqlite3_finalize(reuse->newest);
	sqlite3_finalize(reuse->since);
	sqlite3_finalize(reuse->below);
	sqlite3_finalize(reuse->on_segment);
	sqlite3_finalize(reuse->lesson);
	*reuse = (struct reuse){ 0 };
}

static int newest_id(struct reuse *reuse, int64_t *out)
{
	*out = 0;
	if (sqlite3_step(reuse->newest) == SQLITE_ROW)
		*out = sqlite3_column_int64(reuse->newest, 0);
	return sqlite3_reset(reuse->newest);
}

/* The first row that was seen on this day or later. */
static int first_since(struct reuse *reuse, int64_t day, int64_t *id, int64_t *on_day, bool *found)
{
	db_bind(reuse->since, 1, day * TALLY_NS_PER_DAY);
	*found = sqlite3_step(reuse->since) == SQLITE_ROW;
	if (*found) {
		*id = sqlite3_column_int64(reuse->since, 0);
		*on_day = sqlite3_column_int64(reuse->since, 1) / TALLY_NS_PER_DAY;
	}
	return sqlite3_reset(reuse->since);
}

/* Where rows of this day and later begin. Ids follow the days but where rows were imported, which
 * were seen long before: so the first of each day is looked at. */
static int read_first(struct reuse *reuse, int64_t since_day)
{
	int64_t least = 0;
	int64_t id = 0;
	int64_t day = since_day;
	bool found = true;
	int rc = newest_id(reuse, &least);
	for (int i = 0; rc == SQLITE_OK && found && i < REUSE_DAYS_MAX; i++) {
		int64_t on_day = day;
		rc = first_since(reuse, day, &id, &on_day, &found);
		if (found && id < least)
			least = id;
		found = found && on_day < INT64_MAX / TALLY_NS_PER_DAY - 1;
		day = on_day + 1;
	}
	if (rc != SQLITE_OK)
		return rc;
	reuse->since_day = since_day;
	reuse->first = least >> SEGMENT_ROWS_LOG2;
	return rc;
}

static int64_t since_day_of(const struct reuse_question *question)
{
	int64_t seen_ns =
		question->seen_ns < question->since_ns ? question->seen_ns : question->since_ns;
	return seen_ns / TALLY_NS_PER_DAY;
}

static bool knows_first(const struct reuse *reuse, int64_t since_day)
{
	return reuse->first >= 0 && reuse->since_day == since_day;
}

/* Segments of this group, from the first one on, that may have the content. */
static uint64_t candidates(const struct reuse *reuse, const uint8_t *sha256, int64_t group)
{
	int64_t before = reuse->first - group * SEGMENTS_OF_A_GROUP;
	if (before >= SEGMENTS_OF_A_GROUP)
		return 0;
	uint64_t range = before > 0 ? ~UINT64_C(0) << before : ~UINT64_C(0);
	return range &
	       (reuse->absent ? absent_candidates(reuse->absent, sha256, group) : ~UINT64_C(0));
}

static int64_t group_of(int64_t segment)
{
	return segment / SEGMENTS_OF_A_GROUP;
}

bool reuse_is_absent(const struct reuse *reuse, const struct reuse_question *question)
{
	if (!reuse->absent || !knows_first(reuse, since_day_of(question)))
		return false;
	uint64_t newest = (uint64_t)absent_newest(reuse->absent);
	/* what is not there yet is not known either */
	uint64_t there = ~UINT64_C(0) >> (SEGMENTS_OF_A_GROUP - 1 - newest % SEGMENTS_OF_A_GROUP);
	for (int64_t group = group_of((int64_t)newest); group >= group_of(reuse->first); group--) {
		if (candidates(reuse, question->sha256, group) & there)
			return false;
		there = ~UINT64_C(0);
	}
	return true;
}

static int look_on(struct reuse *reuse, int64_t segment, struct finding *out, bool *found)
{
	db_bind(reuse->on_segment, 2, segment);
	*found = sqlite3_step(reuse->on_segment) == SQLITE_ROW;
	if (*found)
		*out = row_read_finding(reuse->on_segment, 0);
	return sqlite3_reset(reuse->on_segment);
}

/* On to the segment of the next row below: who wrote to the history by hand may have left a row far
 * above all others, and what lies between is not to be asked one by one. */
static int skip_empty(struct reuse *reuse, int64_t *at)
{
	db_bind(reuse->below, 1, (*at + 1) << SEGMENT_ROWS_LOG2);
	*at = -1;
	if (sqlite3_step(reuse->below) == SQLITE_ROW)
		*at = sqlite3_column_int64(reuse->below, 0) >> SEGMENT_ROWS_LOG2;
	return sqlite3_reset(reuse->below);
}

static int look_back(struct reuse *reuse, const uint8_t *sha256, int64_t newest,
		     struct finding *out, bool *found)
{
	int rc = SQLITE_OK;
	uint64_t have = candidates(reuse, sha256, group_of(newest));
	for (int64_t at = newest; rc == SQLITE_OK && !*found && at >= reuse->first;) {
		if (have >> ((uint64_t)at % SEGMENTS_OF_A_GROUP) & 1)
			rc = look_on(reuse, at, out, found);
		if (at-- % SEGMENTS_OF_A_GROUP != 0)
			continue;
		have = candidates(reuse, sha256, group_of(at + 1) - 1);
		if (rc != SQLITE_OK || have != ~UINT64_C(0))
			continue;
		rc = skip_empty(reuse, &at); /* nothing is known of any of them */
		if (at >= 0)
			have = candidates(reuse, sha256, group_of(at));
	}
	return rc;
}

/* What others than the writer inserted, as an import does, has no answer under a key of ours. */
static int newest_segment(struct reuse *reuse, int64_t *out)
{
	if (reuse->absent) {
		*out = absent_newest(reuse->absent);
		return SQLITE_OK;
	}
	int rc = newest_id(reuse, out);
	*out >>= SEGMENT_ROWS_LOG2;
	return rc;
}

/* Where to begin and to end, and what is not known yet. */
static int prepare(struct reuse *reuse, const struct reuse_question *question, int64_t *newest)
{
	int rc = newest_segment(reuse, newest);
	if (rc == SQLITE_OK && !knows_first(reuse, since_day_of(question)))
		rc = read_first(reuse, since_day_of(question));
	if (rc == SQLITE_OK && reuse->absent && question->seen_ns >= question->since_ns)
		rc = absent_learn(reuse->absent, reuse->lesson, reuse->first);
	return rc;
}

int reuse_find(struct reuse *reuse, const struct reuse_question *question, struct finding *out,
	       bool *found)
{
	const struct finding *wanted = question->wanted;
	char hex[64];
	int64_t newest = 0;
	int rc = prepare(reuse, question, &newest);
	*found = false;
	if (rc != SQLITE_OK)
		return rc;
	row_hex(question->sha256, hex);
	db_bind_bytes(reuse->on_segment, 1, hex, sizeof hex);
	(void)sqlite3_bind_blob(reuse->on_segment, 3, wanted->key, sizeof wanted->key,
				SQLITE_STATIC);
	db_bind_text(reuse->on_segment, 4, wanted->detector);
	db_bind_text(reuse->on_segment, 5, wanted->digest);
	db_bind(reuse->on_segment, 6, question->since_ns);
	db_bind(reuse->on_segment, 7, REUSE_COPIES_MAX);
	rc = look_back(reuse, question->sha256, newest, out, found);
	(void)sqlite3_clear_bindings(reuse->on_segment); /* they are borrowed for this call */
	return rc;
}
