/* figures: what is counted of some days, from a history that a store made. */
#include <errno.h>

#include "core/cli/figures.c"
#include "store_fixture.h"

static struct world w;
static struct figures *figures;
static struct error err;

static void setup(void)
{
	world_dir(&w);
	world_open(&w);
}

static void teardown(void)
{
	figures_free(figures);
	world_done(&w);
}

TestSuite(figures, .init = setup, .fini = teardown);

static void read_since(int64_t day)
{
	figures_free(TAKE(figures));
	cr_assert_eq(figures_read(&figures, w.db, day, &err), 0, "%s", err.text);
}

Test(figures, of_an_empty_history)
{
	read_since(0);
	cr_expect(figures->day_count == 0 && figures->detector_count == 0);
	cr_expect(figures->verdicts.count == 0 && figures->queued.count == 0);
	cr_expect_eq(figures->rescans, 0);
}

static void put_found(unsigned n, enum outcome outcome)
{
	char path[16];
	snprintf(path, sizeof path, "/r/%u", n);
	struct version *v = world_version(path, n);
	world_finish(v, outcome);
	world_put(&w, v);
}

Test(figures, the_worst_verdict_and_the_slowest_detector_come_first)
{
	put_found(1, OUTCOME_CLEAN);
	put_found(2, OUTCOME_CLEAN);
	put_found(3, OUTCOME_MALICIOUS);
	put_found(4, OUTCOME_SUSPICIOUS);
	struct version *v = world_version("/r/5", 5);
	struct finding slow = world_finding("slow", OUTCOME_ERROR);
	slow.finished_ns = slow.started_ns + 2000000;
	world_fail(v, REASON_FAILED);
	version_add_finding(v, &slow);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	const int64_t day = v->first_seen_ns / FIGURES_NS_PER_DAY;
	version_free(v);

	read_since(0);
	cr_assert_eq(figures->day_count, 1);
	cr_expect_eq(figures->days[0].day, day);
	cr_expect_eq(figures->days[0].files, 5);
	cr_expect_eq(figures->days[0].alarms, 2);
	cr_assert_eq(figures->verdicts.count, 3);
	cr_expect_str_eq(figures->verdicts.at[0].name, "malicious");
	cr_expect_str_eq(figures->verdicts.at[1].name, "suspicious");
	cr_expect_str_eq(figures->verdicts.at[2].name, "clean");
	cr_expect_eq(figures->verdicts.at[2].count, 2);
	cr_assert_eq(figures->unscanned.count, 1);
	cr_expect_str_eq(figures->unscanned.at[0].name, "failed");
	cr_assert_eq(figures->detector_count, 2);
	cr_expect_str_eq(figures->detectors[0].name, "slow");
	cr_expect_eq(figures->detectors[0].failures, 1);
	cr_expect_float_eq(figures->detectors[0].mean_ms, 2.0, 1e-9);
	cr_expect_float_eq(figures->detectors[0].max_ms, 2.0, 1e-9);
	cr_expect_str_eq(figures->detectors[1].name, "noop");
	cr_expect_eq(figures->detectors[1].answers, 4);

	read_since(day + 1);
	cr_expect(figures->day_count == 0 && figures->verdicts.count == 0);
	cr_expect_eq(figures->detector_count, 0);
}

Test(figures, what_waits_counts_whenever_it_came)
{
	struct version *v = world_version("/r/1", 1);
	v->wait = WAIT_WRITER;
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	version_free(v);
	v = world_version("/r/2", 2);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	version_free(v);
	read_since(INT64_MAX);
	cr_assert_eq(figures->queued.count, 2);
	cr_expect_str_eq(figures->queued.at[0].name, "worker");
	cr_expect_str_eq(figures->queued.at[1].name, "writer");
	cr_expect_eq(figures->queued.at[1].count, 1);
}

Test(figures, a_history_that_is_not_there)
{
	cr_expect_eq(figures_read(&figures, "/nonexistent/history.db", 0, &err), -ENOENT);
	cr_expect(strstr(err.text, "/nonexistent/history.db"), "%s", err.text);
}
