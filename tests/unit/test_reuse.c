/* reuse: what was said of the same content before. */
#include <limits.h>

#include "core/store/absent.h"
#include "core/store/db.h"
#include "core/store/reuse.h"
#include "store_fixture.h"

static struct world w;
static struct error err;
static unsigned number;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(reuse, .init = setup, .fini = teardown);

/* A done version with content c, seen and scanned so many days after T0. */
static void put(uint8_t c, int day, const char *detector, enum outcome outcome)
{
	struct version *v = world_version("/r/a", ++number);
	v->first_seen_ns += day * DAY;
	v->has_sha256 = true;
	memset(v->sha256, c, 32);
	struct finding finding = world_finding(detector, outcome);
	finding.finished_ns += day * DAY;
	version_add_finding(v, &finding);
	if (outcome_is_definite(outcome)) {
		v->state = VERSION_DONE;
		v->verdict = outcome;
	} else {
		world_fail(v, REASON_FAILED);
	}
	world_put(&w, v);
}

static enum outcome reused_since(uint8_t c, const char *detector, int since_day, int seen_day)
{
	uint8_t sha256[32];
	struct finding wanted = world_finding(detector, OUTCOMES);
	struct finding got = { .outcome = OUTCOMES };
	bool found = false;
	memset(sha256, c, 32);
	struct store_reuse_question question = { sha256, &wanted, T0 + since_day * DAY,
						 seen_day == INT_MAX ? INT64_MAX
								     : T0 + seen_day * DAY };
	cr_assert(store_reuse(w.reader, &question, &got, &found, &err) == 0, "%s", err.text);
	enum outcome outcome = got.outcome;
	cr_expect(found == (outcome != OUTCOMES));
	if (found)
		cr_expect(strcmp(got.detector, detector) == 0 && strlen(got.digest) == 64 &&
			  got.key[0] == 'k' && got.attempt == 1);
	finding_done(&got);
	finding_done(&wanted);
	return outcome;
}

static enum outcome reused(uint8_t c, const char *detector, int since_day)
{
	return reused_since(c, detector, since_day, INT_MAX);
}

Test(reuse, an_empty_history_has_nothing)
{
	cr_expect(reused(1, "noop", -30) == OUTCOMES);
}

Test(reuse, a_definite_finding_on_the_same_content_is_found)
{
	put(1, 0, "noop", OUTCOME_MALICIOUS);
	cr_expect(reused(1, "noop", -30) == OUTCOME_MALICIOUS);
	cr_expect(reused(2, "noop", -30) == OUTCOMES, "other content");
	cr_expect(reused(1, "other", -30) == OUTCOMES, "another detector");
}

Test(reuse, errors_are_not_reused)
{
	put(1, 0, "noop", OUTCOME_ERROR);
	put(1, 0, "noop", OUTCOME_TIMEOUT);
	cr_expect(reused(1, "noop", -30) == OUTCOMES);
	put(1, 0, "noop", OUTCOME_UNKNOWN);
	cr_expect(reused(1, "noop", -30) == OUTCOME_UNKNOWN);
}

Test(reuse, another_key_or_digest_is_another_question)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	uint8_t sha256[32];
	memset(sha256, 1, 32);
	for (int i = 0; i < 2; i++) {
		struct finding wanted = world_finding("noop", OUTCOMES);
		struct finding got;
		bool found = true;
		if (i == 0)
			wanted.key[15] ^= 1;
		else
			wanted.digest[0] = 'e';
		struct store_reuse_question question = { sha256, &wanted, T0 - DAY, INT64_MAX };
		cr_assert(store_reuse(w.reader, &question, &got, &found, &err) == 0);
		cr_expect(!found);
		finding_done(&wanted);
	}
}

/* Steps of SQLite's machine in one look-up: they repeat exactly where times do not. */
static int steps(uint8_t c, int since_day, bool *found)
{
	AUTO(db) struct db *db = NULL;
	struct reuse reuse = { 0 };
	cr_assert(db_open_history(&db, w.db, DB_READ, &err) == 0, "%s", err.text);
	cr_assert(reuse_init(&reuse, db, &err) == 0, "%s", err.text);
	struct finding wanted = world_finding("noop", OUTCOMES);
	struct finding got = { .outcome = OUTCOMES };
	uint8_t sha256[32];
	memset(sha256, c, 32);
	struct reuse_question question = { sha256, &wanted, T0 + since_day * DAY, INT64_MAX };
	cr_assert(reuse_find(&reuse, &question, &got, found) == SQLITE_OK);
	int count = sqlite3_stmt_status(reuse.newest, SQLITE_STMTSTATUS_VM_STEP, 0) +
		    sqlite3_stmt_status(reuse.since, SQLITE_STMTSTATUS_VM_STEP, 0) +
		    sqlite3_stmt_status(reuse.on_segment, SQLITE_STMTSTATUS_VM_STEP, 0);
	finding_done(&wanted);
	finding_done(&got);
	reuse_done(&reuse);
	return count;
}

Test(reuse, a_look_up_costs_the_same_however_large_the_history_is)
{
	bool found = false;
	put(3, 0, "noop", OUTCOME_CLEAN);
	put(1, 100, "noop", OUTCOME_CLEAN);
	put(2, 100, "noop", OUTCOME_ERROR);
	for (int i = 0; i < REUSE_COPIES_MAX; i++)
		put(2, 100, "noop", OUTCOME_ERROR);
	int hit = steps(1, 90, &found);
	cr_expect(found);
	int miss = steps(2, 90, &found);
	cr_expect(!found);
	/* a year of other days, other contents, and many more copies without an answer */
	for (int i = 0; i < 300; i++) {
		put(3, i / 4, "noop", OUTCOME_CLEAN);
		put((uint8_t)(4 + i % 200), 100, "noop", OUTCOME_CLEAN);
		put(2, 100, "noop", OUTCOME_ERROR);
	}
	cr_expect(steps(1, 90, &found) == hit);
	cr_expect(steps(2, 90, &found) == miss);
}

/* What is put from now on has ids of another segment than what was put before. */
static void next_segment(void)
{
	char sql[96];
	snprintf(sql, sizeof sql,
		 "UPDATE version SET id = id + %d WHERE id = (SELECT max(id) FROM version)",
		 1 << SEGMENT_ROWS_LOG2);
	put(200, 0, "noop", OUTCOME_CLEAN);
	world_change(&w, sql);
}

Test(reuse, old_copies_may_have_new_answers)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	cr_expect(reused_since(1, "noop", 5, 0) == OUTCOMES, "the answer is old");
	struct version *v = world_version("/r/a", ++number); /* seen on day 0, answered on day 9 */
	v->has_sha256 = true;
	memset(v->sha256, 1, 32);
	struct finding finding = world_finding("noop", OUTCOME_MALICIOUS);
	finding.finished_ns += 9 * DAY;
	version_add_finding(v, &finding);
	v->state = VERSION_DONE;
	v->verdict = OUTCOME_MALICIOUS;
	world_put(&w, v);
	next_segment();
	put(2, 6, "noop", OUTCOME_CLEAN);
	cr_expect(reused(1, "noop", 5) == OUTCOMES);
	cr_expect(reused_since(1, "noop", 5, 1) == OUTCOMES);
	cr_expect(reused_since(1, "noop", 5, 0) == OUTCOME_MALICIOUS);
}

Test(reuse, the_newest_copies_stand_for_a_segment)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	for (int i = 1; i < REUSE_COPIES_MAX; i++)
		put(1, 0, "noop", OUTCOME_ERROR);
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
	put(1, 0, "noop", OUTCOME_ERROR);
	cr_expect(reused(1, "noop", -1) == OUTCOMES);
}

Test(reuse, days_are_looked_at_back_to_the_limit)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	put(2, 3, "noop", OUTCOME_MALICIOUS);
	put(3, 9, "noop", OUTCOME_CLEAN);
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
	cr_expect(reused(2, "noop", 2) == OUTCOME_MALICIOUS);
	cr_expect(reused(1, "noop", 1) == OUTCOMES, "too old");
	cr_expect(reused(2, "noop", 4) == OUTCOMES, "too old");
	cr_expect(reused(1, "noop", -400) == OUTCOME_CLEAN, "further back than before");
	put(4, 20, "noop", OUTCOME_SUSPICIOUS);
	cr_expect(reused(4, "noop", 4) == OUTCOME_SUSPICIOUS, "a day that has just begun");
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
}

Test(reuse, segments_are_as_the_schema_says)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	next_segment();
	char sql[96];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM version WHERE segment <> id >> %d",
		 SEGMENT_ROWS_LOG2);
	EXPECT_SQL(&w, sql, "0");
	EXPECT_SQL(&w, "SELECT segment FROM version ORDER BY id", "0\n1");
}

Test(reuse, whoever_follows_the_store_finds_the_same)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	next_segment();
	put(2, 1, "noop", OUTCOME_MALICIOUS);
	world_close(&w); /* so that nothing is known at first */
	world_open(&w);
	store_reader_follow(w.reader, w.store);
	for (int i = 0; i < 4; i++) {
		cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN, "question %d", i);
		cr_expect(reused(2, "noop", -1) == OUTCOME_MALICIOUS, "question %d", i);
		cr_expect(reused(3, "noop", -1) == OUTCOMES, "question %d", i);
	}
	put(3, 1, "noop", OUTCOME_SUSPICIOUS);
	cr_expect(reused(3, "noop", -1) == OUTCOME_SUSPICIOUS, "saved since");
	next_segment();
	put(4, 1, "noop", OUTCOME_CLEAN);
	cr_expect(reused(4, "noop", -1) == OUTCOME_CLEAN, "in a segment that has just begun");
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
}

Test(reuse, a_content_that_nobody_met_is_not_looked_up)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	store_reader_follow(w.reader, w.store);
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
	/* what the writer did not tell of is not seen: the proof that nobody looks */
	world_change(&w, "UPDATE version SET sha256 = replace(sha256, '01', '07')");
	cr_expect(reused(7, "noop", -1) == OUTCOMES);
	store_reader_free(w.reader);
	cr_assert(store_reader_open(&w.reader, w.db, &err) == 0);
	cr_expect(reused(7, "noop", -1) == OUTCOME_CLEAN, "by a reader that follows nobody");
}

Test(reuse, rows_that_were_imported_late_hide_none)
{
	put(1, 5, "noop", OUTCOME_CLEAN);
	next_segment();
	put(2, 3, "noop", OUTCOME_CLEAN); /* seen before, and inserted later */
	cr_expect(reused(1, "noop", 2) == OUTCOME_CLEAN);
}

Test(reuse, a_row_far_above_all_others_costs_no_look_at_each_segment_between, .timeout = 60)
{
	put(1, 0, "noop", OUTCOME_CLEAN);
	put(2, 1, "noop", OUTCOME_MALICIOUS);
	world_change(&w,
		     "UPDATE version SET id = id + (1 << 50) WHERE id = 2;"
		     "UPDATE result SET version_id = version_id + (1 << 50) WHERE version_id = 2");
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
	cr_expect(reused(2, "noop", -1) == OUTCOME_MALICIOUS);
	cr_expect(reused(3, "noop", -1) == OUTCOMES);
	world_close(&w);
	world_open(&w);
	store_reader_follow(w.reader, w.store);
	cr_expect(reused(1, "noop", -1) == OUTCOME_CLEAN);
	cr_expect(reused(2, "noop", -1) == OUTCOME_MALICIOUS);
	cr_expect(reused(3, "noop", -1) == OUTCOMES);
}
