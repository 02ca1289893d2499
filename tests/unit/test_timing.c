/* timing: counting in memory what detectors said and how long they took. */
#include "core/store/db.h"
#include "core/store/prune.h"
#include "core/store/timing.h"
#include "store_fixture.h"

#define MS INT64_C(1000000)

static struct world w;
static struct db *db;
static struct timing *timing;

static void setup(void)
{
	struct error err = { 0 };
	world_init(&w);
	cr_assert(db_open_history(&db, w.db, DB_WRITE, &err) == 0, "%s", err.text);
	cr_assert(timing_new(&timing, db, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	timing_free(timing);
	db_free(db);
	world_done(&w);
}

TestSuite(timing, .init = setup, .fini = teardown);

static struct finding took(int64_t day, int64_t ms, bool cached)
{
	return (struct finding){ .outcome = OUTCOME_CLEAN,
				 .cached = cached,
				 .started_ns = day * DAY,
				 .finished_ns = day * DAY + ms * MS };
}

static void count(int64_t day, int64_t detector, int64_t ms, bool cached)
{
	struct finding finding = took(day, ms, cached);
	timing_add(timing, detector, &finding);
}

static void write_down(void)
{
	cr_assert(timing_write(timing) == SQLITE_OK);
	timing_clear(timing);
}

static const char all[] = "SELECT day, detector_id, outcome, scans, cached, spent_ns / 1000000,"
			  " longest_ns / 1000000 FROM timing";

Test(timing, days_detectors_and_outcomes_are_told_apart_and_added_up)
{
	for (int i = 1; i <= 100; i++) {
		count(5, 1, i, false);
		count(5, 2, 7, i > 60);
		count(i % 50, 3, i, false);
	}
	struct finding bad = took(5, 3, false);
	bad.outcome = OUTCOME_MALICIOUS;
	timing_add(timing, 1, &bad);
	write_down();
	count(5, 1, 50, false);
	write_down();
	EXPECT_SQL(&w, "SELECT count(*), sum(scans) FROM timing WHERE detector_id = 3", "50|100");
	AUTO_STR sql = STR_INIT;
	str_printf(&sql, "%s WHERE detector_id < 3", all);
	EXPECT_SQL(&w, str_text(&sql),
		   "5|1|clean|101|0|5100|100\n5|1|malicious|1|0|3|3\n5|2|clean|100|40|420|7");
}

Test(timing, what_was_taken_over_has_no_part_in_the_times)
{
	count(5, 1, 9, true);
	write_down();
	EXPECT_SQL(&w, all, "5|1|clean|1|1|0|0");
}

Test(timing, what_was_cleared_is_forgotten)
{
	count(5, 1, 9, false);
	timing_clear(timing);
	write_down();
	EXPECT_SQL(&w, "SELECT count(*) FROM timing", "0");
}

static void answer(struct version *v, const char *detector, int64_t day, int64_t ms)
{
	struct finding finding = world_finding(detector, OUTCOME_CLEAN);
	finding.started_ns = T0 + day * DAY;
	finding.finished_ns = finding.started_ns + ms * MS;
	version_add_finding(v, &finding);
}

static int64_t put_done(const char *path, unsigned n, int64_t ms)
{
	struct version *v = world_version(path, n);
	answer(v, "slow", 0, ms);
	answer(v, "quick", 0, 1);
	answer(v, "slow", 1, ms); /* say a rescan's */
	v->state = VERSION_DONE;
	v->verdict = OUTCOME_CLEAN;
	v->finished_ns = T0 + n;
	return world_put(&w, v);
}

Test(timing, the_views_say_what_counting_says)
{
	put_done("/r/a", 1, 100);
	put_done("/r/b", 2, 300);
	world_timing_is_right(&w);
	EXPECT_SQL(&w, "SELECT * FROM detector_stats",
		   "quick|clean|2|0|1|1\nslow|clean|4|0|200|300");
	EXPECT_SQL(&w, "SELECT * FROM detector_days ORDER BY day DESC, detector",
		   "2025-11-25|slow|clean|2|0|200|300\n"
		   "2025-11-24|quick|clean|2|0|1|1\n2025-11-24|slow|clean|2|0|200|300");
	EXPECT_SQL(&w,
		   "SELECT d.name, r.outcome, count(*), sum(r.cached),"
		   " avg(CASE WHEN r.cached = 0 THEN (r.finished_ns - r.started_ns) / 1e6 END),"
		   " max(CASE WHEN r.cached = 0 THEN (r.finished_ns - r.started_ns) / 1e6 END)"
		   " FROM result r JOIN detector d ON d.id = r.detector_id GROUP BY 1, 2",
		   "quick|clean|2|0|1|1\nslow|clean|4|0|200|300");
}

Test(timing, a_detector_that_only_took_over_has_no_times)
{
	struct version *v = world_version("/r/a", 1);
	world_finish(v, OUTCOME_CLEAN);
	v->findings[0].cached = true;
	world_put(&w, v);
	EXPECT_SQL(&w,
		   "SELECT detector, scans, cached, mean_ms IS NULL, max_ms IS NULL"
		   " FROM detector_stats",
		   "noop|1|1|1|1");
}

/* The longest stays while its day has any answer. */
Test(timing, what_is_deleted_is_counted_as_gone)
{
	int64_t id = put_done("/r/a", 1, 300);
	put_done("/r/b", 20, 100);
	sqlite3_exec(db->handle, "BEGIN", NULL, NULL, NULL);
	cr_assert(timing_delete(timing, id) == SQLITE_OK);
	write_down();
	cr_assert(sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	EXPECT_SQL(&w, "SELECT * FROM detector_stats",
		   "quick|clean|1|0|1|1\nslow|clean|2|0|100|300");
	world_timing_is_right(&w);
}

Test(timing, pruning_all_of_a_day_leaves_no_row_of_it)
{
	struct error err = { 0 };
	struct store_prune_options options = { .before_ns = T0 + 10 };
	struct store_pruned pruned = { 0 };
	put_done("/r/a", 1, 300);
	put_done("/r/b", 20, 100);
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0 && pruned.versions == 1, "%s",
		  err.text);
	world_tally_is_right(&w);
	options.before_ns = T0 + 30;
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0 && pruned.versions == 1, "%s",
		  err.text);
	EXPECT_SQL(&w, "SELECT count(*) FROM timing", "0");
	EXPECT_SQL(&w, "SELECT count(*) FROM detector_stats", "0");
}

/* A queued row with answers of an earlier attempt gives way to the row that has its key. */
Test(timing, a_row_that_is_forgotten_takes_its_answers_along)
{
	struct version *v = world_version("/r/a", 1);
	answer(v, "slow", 0, 5);
	int64_t id = world_put(&w, v);
	EXPECT_SQL(&w, "SELECT sum(scans) FROM timing", "1");
	v = world_version("/r/a", 1);
	v->id = id;
	cr_expect(world_do(&w, STORE_FORGET, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, "SELECT count(*) FROM timing", "0");
	world_tally_is_right(&w);
}

Test(timing, a_clock_that_was_set_adds_nothing_to_the_times)
{
	for (int i = 0; i < 12; i++) {
		struct finding finding = took(20000, 0, false);
		finding.started_ns = i % 3 ? 0 : i % 2 ? INT64_MIN : finding.finished_ns + 1;
		timing_add(timing, 1, &finding);
	}
	count(20000, 1, 7, false);
	write_down();
	EXPECT_SQL(&w, all, "20000|1|clean|13|0|7|7");
}
