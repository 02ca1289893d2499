/* events: what is noted for sinks, and when it goes. */
#include "store_fixture.h"

static struct world w;
static const char *const one[] = { "one", NULL };
static const char *const none[] = { NULL };
static const char *const two[] = { "one", "two", NULL };

static void setup(void)
{
	world_dir(&w);
	w.sinks = one;
	world_open(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(events, .init = setup, .fini = teardown);

static void open_again(const char *const *sinks)
{
	world_close(&w);
	w.sinks = sinks;
	world_open(&w);
}

/* Are there more to be deleted? */
static bool told(const char *sink, int64_t seq)
{
	struct store_told told = { .sink = sink, .seq = seq };
	struct store_op op = { .verb = STORE_TOLD, .told = &told };
	world_submit(&w, &op, 1);
	return told.left;
}

static int64_t put_done(const char *path, unsigned n)
{
	struct version *v = world_version(path, n);
	world_finish(v, OUTCOME_CLEAN);
	return world_put(&w, v);
}

#define EVENTS "SELECT seq, version_id, kind, was FROM event"
#define SINKS  "SELECT name, seq FROM sink"

Test(events, an_end_is_noted_once_and_nothing_before_it)
{
	struct version *v = world_version("/r/a", 1);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, EVENTS, "");
	world_finish(v, OUTCOME_CLEAN);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, EVENTS, "1|1|end|");
	cr_assert(world_do(&w, STORE_REFRESH, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, EVENTS, "1|1|end|");
}

Test(events, rows_that_are_inserted_together_are_noted_in_their_order)
{
	struct store_op ops[20];
	struct version *versions[20];
	for (unsigned i = 0; i < 20; i++) {
		char path[16];
		snprintf(path, sizeof path, "/r/%u", i);
		versions[i] = world_version(path, i);
		world_finish(versions[i], OUTCOME_CLEAN);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = versions[i] };
		list_init(&ops[i].link);
	}
	world_submit(&w, ops, 20);
	for (unsigned i = 0; i < 20; i++)
		version_free(versions[i]);
	EXPECT_SQL(&w, "SELECT count(*), sum(seq = version_id) FROM event", "20|20");
}

Test(events, a_retry_brings_another_end)
{
	struct version *v = world_version("/r/a", 1);
	world_fail(v, REASON_FAILED);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	v->state = VERSION_QUEUED;
	v->reason = REASON_NONE;
	v->finished_ns = 0;
	cr_assert(world_do(&w, STORE_REQUEUE, v) == STORE_WRITTEN);
	EXPECT_SQL(&w, EVENTS, "1|1|end|");
	world_finish(v, OUTCOME_CLEAN);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	version_free(v);
	EXPECT_SQL(&w, EVENTS, "1|1|end|\n2|1|end|");
}

Test(events, a_part_that_lacks_is_noted_behind_an_end_only)
{
	struct version *queued = world_version("/r/q", 2);
	cr_assert(world_do(&w, STORE_SAVE, queued) == STORE_WRITTEN);
	queued->note = xstrdup("cut");
	cr_assert(world_do(&w, STORE_MARK, queued) == STORE_PENDING);
	version_free(queued);
	put_done("/r/a", 1);
	struct version *v = world_version("/r/a", 1);
	v->note = xstrdup("cut");
	cr_assert(world_do(&w, STORE_MARK, v) == STORE_WRITTEN);
	cr_assert(world_do(&w, STORE_MARK, v) == STORE_KNOWN);
	version_free(v);
	EXPECT_SQL(&w, EVENTS, "1|2|end|\n2|2|incomplete|");
}

Test(events, what_all_sinks_have_told_goes)
{
	open_again(two);
	for (unsigned i = 1; i <= 3; i++) {
		char path[16];
		snprintf(path, sizeof path, "/r/%u", i);
		put_done(path, i);
	}
	cr_expect(!told("one", 2));
	EXPECT_SQL(&w, SINKS, "one|2\ntwo|0");
	EXPECT_SQL(&w, "SELECT count(*) FROM event", "3");
	cr_expect(!told("two", 1));
	EXPECT_SQL(&w, "SELECT min(seq) FROM event", "2");
	told("two", 3);
	told("one", 1); /* late: it does not go back */
	EXPECT_SQL(&w, SINKS, "one|2\ntwo|3");
	EXPECT_SQL(&w, "SELECT seq FROM event", "3");
}

/* Of which the writer must not delete all at once. */
static void fill(unsigned count)
{
	char sql[192];
	snprintf(sql, sizeof sql,
		 "INSERT INTO event (version_id, kind) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
		 " SELECT i + 1 FROM n WHERE i < %u) SELECT i, 'end' FROM n",
		 count);
	world_change(&w, sql);
}

Test(events, go_in_slices)
{
	unsigned rounds = 1;
	fill(20000);
	cr_expect(told("one", 15000));
	EXPECT_SQL(&w, "SELECT count(*) > 10000 FROM event", "1");
	while (told("one", 1))
		rounds++;
	cr_expect(rounds > 2 && rounds < 20);
	EXPECT_SQL(&w, "SELECT min(seq), count(*) FROM event", "15001|5000");
	EXPECT_SQL(&w, SINKS, "one|15000");
}

Test(events, go_in_slices_at_a_start_too_and_whole_when_nobody_is_told)
{
	open_again(two);
	fill(20000);
	told("one", 20000);
	open_again(one);
	EXPECT_SQL(&w, "SELECT count(*) BETWEEN 10000 AND 19999 FROM event", "1");
	open_again(none);
	EXPECT_SQL(&w, EVENTS, "");
	open_again(one);
	put_done("/r/a", 1);
	EXPECT_SQL(&w, EVENTS, "20001|1|end|");
}

Test(events, wait_across_a_restart_for_those_that_stay)
{
	put_done("/r/a", 1);
	put_done("/r/b", 2);
	told("one", 1);
	open_again(two);
	EXPECT_SQL(&w, SINKS, "one|1\ntwo|2");
	EXPECT_SQL(&w, "SELECT seq FROM event", "2");
	static const char *const other[] = { "two", NULL };
	open_again(other);
	EXPECT_SQL(&w, SINKS, "two|2");
	EXPECT_SQL(&w, "SELECT seq FROM event", "");
	put_done("/r/c", 3);
	EXPECT_SQL(&w, "SELECT seq FROM event", "3");
}

Test(events, none_are_noted_for_nobody)
{
	put_done("/r/a", 1);
	open_again(none);
	EXPECT_SQL(&w, SINKS, "");
	EXPECT_SQL(&w, EVENTS, "");
	put_done("/r/b", 2);
	EXPECT_SQL(&w, EVENTS, "");
	open_again(one);
	put_done("/r/c", 3);
	EXPECT_SQL(&w, EVENTS, "2|3|end|"); /* a number is never another's */
}

Test(events, who_does_not_tell_them_notes_them_for_those_that_there_are)
{
	put_done("/r/a", 1);
	open_again(NULL);
	put_done("/r/b", 2);
	EXPECT_SQL(&w, SINKS, "one|0");
	EXPECT_SQL(&w, "SELECT seq, version_id FROM event", "1|1\n2|2");
	open_again(none);
	open_again(NULL);
	put_done("/r/c", 3);
	EXPECT_SQL(&w, "SELECT seq FROM event", "");
}
