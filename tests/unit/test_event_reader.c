/* event_reader: events in their order, with what they are about. */
#include "core/store/event_reader.h"
#include "store_fixture.h"

static struct world w;
static struct event_reader *reader;
static struct error err;
static const char *const sinks[] = { "one", NULL };

static void setup(void)
{
	world_dir(&w);
	w.sinks = sinks;
	world_open(&w);
	cr_assert(event_reader_open(&reader, w.db, &err) == 0, "%s", err.text);
}

static void teardown(void)
{
	event_reader_free(reader);
	world_done(&w);
}

TestSuite(event_reader, .init = setup, .fini = teardown);

struct seen {
	struct str text;
	size_t most;
	size_t count;
};

static bool note(void *context, const struct store_event *event)
{
	struct seen *seen = context;
	str_printf(&seen->text, "%s%lld", seen->count ? " " : "", (long long)event->seq);
	if (event->version)
		str_printf(&seen->text, "=%s", event->version->path);
	if (event->version && event->version->finding_count)
		str_printf(&seen->text, ":%s", event->version->findings[0].detector);
	if (event->kind == EVENT_INCOMPLETE)
		str_puts(&seen->text, "?");
	return ++seen->count < seen->most;
}

static void expect_events(int64_t after, size_t most, const char *wanted)
{
	struct seen seen = { .most = most };
	const struct event_visit each = { .visit = note, .context = &seen };
	cr_assert(event_reader_each(reader, after, &each, NULL, &err) == 0, "%s", err.text);
	cr_expect_str_eq(str_text(&seen.text), wanted);
	str_done(&seen.text);
}

static enum outcome found = OUTCOME_CLEAN;

static void put_done(const char *path, unsigned n)
{
	struct version *v = world_version(path, n);
	world_finish(v, found);
	world_put(&w, v);
}

Test(event_reader, tells_from_a_number_on_as_far_as_is_wanted)
{
	expect_events(0, 10, "");
	put_done("/r/a", 1);
	put_done("/r/b", 2);
	put_done("/r/c", 3);
	expect_events(0, 10, "1=/r/a:noop 2=/r/b:noop 3=/r/c:noop");
	expect_events(1, 1, "2=/r/b:noop");
	expect_events(3, 10, "");
	struct version *v = world_version("/r/c", 3);
	v->note = xstrdup("cut");
	cr_assert(world_do(&w, STORE_MARK, v) == STORE_WRITTEN);
	version_free(v);
	expect_events(3, 10, "4=/r/c:noop?");
}

Test(event_reader, a_row_that_is_gone_or_queued_again_has_nothing_to_tell)
{
	put_done("/r/a", 1);
	struct version *v = world_version("/r/b", 2);
	world_fail(v, REASON_FAILED);
	cr_assert(world_do(&w, STORE_SAVE, v) == STORE_WRITTEN);
	expect_events(0, 10, "1=/r/a:noop 2=/r/b");
	v->state = VERSION_QUEUED;
	v->reason = REASON_NONE;
	v->finished_ns = 0;
	cr_assert(world_do(&w, STORE_REQUEUE, v) == STORE_WRITTEN);
	version_free(v);
	world_change(&w,
		     "DELETE FROM result WHERE version_id = 1; DELETE FROM version WHERE id = 1");
	expect_events(0, 10, "1 2");
}

Test(event_reader, says_how_far_behind_a_sink_is)
{
	int64_t seq = -1;
	int64_t behind = -1;
	put_done("/r/a", 1);
	put_done("/r/b", 2);
	cr_assert(event_reader_sink(reader, "one", &seq, &behind, &err) == 0);
	cr_expect(seq == 0 && behind == 2);
	cr_assert(event_reader_sink(reader, "nobody", &seq, &behind, &err) == 0);
	cr_expect(seq == 0 && behind == 0);
}

#define BAD (1U << OUTCOME_MALICIOUS | 1U << OUTCOME_SUSPICIOUS)

static void expect_bad(int64_t after, size_t most, const char *wanted, int64_t through)
{
	struct seen seen = { .most = most };
	const struct event_visit each = { .visit = note, .context = &seen, .verdicts = BAD };
	int64_t last = -1;
	cr_assert(event_reader_each(reader, after, &each, &last, &err) == 0, "%s", err.text);
	cr_expect_str_eq(str_text(&seen.text), wanted);
	cr_expect_eq(last, through);
	str_done(&seen.text);
}

Test(event_reader, chooses_by_the_verdict_that_is_now)
{
	expect_bad(0, 10, "", 0);
	put_done("/r/a", 1);
	found = OUTCOME_MALICIOUS;
	put_done("/r/b", 2);
	found = OUTCOME_SUSPICIOUS;
	put_done("/r/c", 3);
	found = OUTCOME_UNKNOWN;
	put_done("/r/d", 4);
	expect_bad(0, 10, "2=/r/b:noop 3=/r/c:noop", 4);
	expect_bad(0, 1, "2=/r/b:noop", -1);
	expect_bad(3, 10, "", 4);
	expect_bad(9, 10, "", 9);
	struct version *v = world_version("/r/b", 2);
	v->note = xstrdup("cut");
	cr_assert(world_do(&w, STORE_MARK, v) == STORE_WRITTEN);
	version_free(v);
	expect_bad(3, 10, "", 5); /* that it lacks a part is no alert */
	int64_t count = -1;
	cr_assert(event_reader_count(reader, 0, BAD, &count, &err) == 0);
	cr_expect_eq(count, 2);
	cr_assert(event_reader_count(reader, 0, 1U << OUTCOME_SUSPICIOUS, &count, &err) == 0);
	cr_expect_eq(count, 1);
	cr_assert(event_reader_count(reader, 3, BAD, &count, &err) == 0);
	cr_expect_eq(count, 0);
}

/* So many that they are read in several slices. */
Test(event_reader, goes_through_millions_in_slices)
{
	static const char end[] = " 16385 16386";
	found = OUTCOME_MALICIOUS;
	put_done("/r/a", 1);
	world_change(&w, "INSERT INTO event (version_id, kind) WITH RECURSIVE n(i) AS (SELECT 1"
			 " UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
			 " SELECT iif(i = 40000, 1, 1000 + i), 'rescan' FROM n");
	expect_bad(0, 10, "1=/r/a:noop 40001=/r/a:noop", 40001);
	expect_bad(1, 1, "40001=/r/a:noop", -1);
	expect_bad(40001, 10, "", 40001);
	expect_events(39999, 10, "40000 40001=/r/a:noop");
	int64_t count = -1;
	cr_assert(event_reader_count(reader, 0, BAD, &count, &err) == 0);
	cr_expect_eq(count, 2);
	cr_assert(event_reader_count(reader, 1, BAD, &count, &err) == 0);
	cr_expect_eq(count, 1);
	/* all of them, by one who wants all */
	struct seen seen = { .most = SIZE_MAX };
	const struct event_visit each = { .visit = note, .context = &seen };
	int64_t last = -1;
	cr_assert(event_reader_each(reader, 0, &each, &last, &err) == 0, "%s", err.text);
	cr_expect(seen.count == 40001 && last == 40001);
	cr_expect_not_null(strstr(str_text(&seen.text), end));
	str_done(&seen.text);
}
