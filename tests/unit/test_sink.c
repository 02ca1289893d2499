/* sink: everything is told, in order, also by a receiver that fails, and across restarts. */
#include <errno.h>
#include <limits.h>
#include <sched.h>

#include "core/base/clock.h"
#include "core/base/lock.h"
#include "core/sink/sink.h"
#include "core/store/event_reader.h"
#include "store_fixture.h"

static const char *const names[] = { "one", NULL };

static struct world w;
static struct error err;
static struct sink *sink;

/* What the receiver got; its failures are left to be counted down. */
static struct lock lock;
static pthread_cond_t changed;
static struct str got;
static int failures;
static int failed;
static char troubles[16]; /* a - for each beginning, a + for each end */

static void put(struct str *out, const struct store_event *event)
{
	str_printf(out, "%lld ", (long long)event->seq);
}

static int take(void *context, const struct sink_portion *portion, struct error *why)
{
	(void)context;
	lock_take(&lock);
	bool fails = failed < failures;
	if (fails)
		failed++;
	else
		str_append(&got, portion->text, portion->len);
	(void)pthread_cond_broadcast(&changed);
	lock_drop(&lock);
	return fails ? error_set(why, ENOSPC, "no room") : 0;
}

static void fails(void *context, const struct error *why)
{
	(void)context;
	lock_take(&lock);
	strcat(troubles, why ? "-" : "+");
	lock_drop(&lock);
}

static const struct sink_receiver receiver = { .name = "one",
					       .most_events = 256,
					       .most_bytes = 4096,
					       .pause_ms = 1,
					       .pause_max_ms = 5,
					       .put = put,
					       .take = take,
					       .fails = fails };

static void start_as(const struct sink_receiver *as)
{
	cr_assert(sink_new(&sink, w.store, w.db, as, &err) == 0, "%s", err.text);
}

static void start(void)
{
	start_as(&receiver);
}

/* As the daemon ends: what the sink submits last is committed by the store's closing. */
static void stop(void)
{
	sink_stop(sink);
	world_close(&w);
	sink_free(sink);
	sink = NULL;
}

static void setup(void)
{
	lock_init(&lock);
	lock_condition_init(&changed);
	world_dir(&w);
	w.sinks = names;
	world_open(&w);
}

static void teardown(void)
{
	world_done(&w);
	str_done(&got);
}

TestSuite(sink, .init = setup, .fini = teardown);

static enum outcome found = OUTCOME_CLEAN;

/* Waits for what comes back from the store; is op among it? */
static bool hear_back(const struct store_op *op)
{
	struct list out;
	bool back = false;
	list_init(&out);
	struct pollfd ready = { .fd = store_fd(w.store), .events = POLLIN };
	cr_assert(poll(&ready, 1, 240000) == 1);
	store_committed(w.store, &out);
	for (struct list *link; (link = list_shift(&out));) {
		struct store_op *done = LIST_OF(link, struct store_op, link);
		back = back || done == op;
		if (done->told)
			sink_committed(done->owner);
	}
	return back;
}

static void put_done(unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		char path[16];
		snprintf(path, sizeof path, "/r/%u", i);
		struct version *v = world_version(path, i);
		world_finish(v, found);
		struct store_op op = { .verb = STORE_SAVE, .version = v };
		list_init(&op.link);
		store_submit(w.store, &op);
		while (!hear_back(&op)) /* what the sink submits comes back as well */
			;
		version_free(v);
		sink_wake(sink);
	}
}

static void expect_got(const char *wanted)
{
	struct mono end = mono_add_ms(mono_now(), 240000);
	lock_take(&lock);
	while (got.len < strlen(wanted) && lock_wait_until(&lock, &changed, end.ns))
		;
	cr_expect_str_eq(str_text(&got), wanted);
	lock_drop(&lock);
}

Test(sink, tells_what_is_committed_while_it_runs)
{
	start();
	put_done(1, 3);
	expect_got("1 2 3 ");
	stop();
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|3");
	EXPECT_SQL(&w, "SELECT count(*) FROM event", "0");
	start(); /* and not once more */
	put_done(4, 4);
	expect_got("1 2 3 4 ");
	stop();
	world_open(&w);
}

Test(sink, tells_what_waited_for_it)
{
	put_done(1, 3);
	start();
	cr_expect(sink_waited(sink) == 3);
	expect_got("1 2 3 ");
	stop();
	world_open(&w);
}

Test(sink, a_receiver_that_fails_is_asked_again_for_the_same)
{
	failures = 2;
	start();
	put_done(1, 1);
	expect_got("1 ");
	stop();
	cr_expect(failed == 2);
	cr_expect_str_eq(troubles, "-+");
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|1");
}

Test(sink, an_end_does_not_wait_for_a_receiver_that_fails_and_the_rest_waits_for_the_next_start)
{
	failures = INT_MAX;
	start();
	put_done(1, 2);
	lock_take(&lock);
	struct mono end = mono_add_ms(mono_now(), 240000);
	while (!failed && lock_wait_until(&lock, &changed, end.ns))
		;
	lock_drop(&lock);
	struct error why = { 0 };
	while (!sink_trouble(sink, &why) && !mono_passed(end)) /* it is noted behind the call */
		(void)sched_yield();
	cr_expect_str_eq(why.text, "no room");
	stop();
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|0");
	failures = 0;
	start();
	expect_got("1 2 ");
	stop();
	world_open(&w);
}

static void put_found(unsigned n, enum outcome outcome)
{
	found = outcome;
	put_done(n, n);
}

static struct sink_receiver chosen(void)
{
	struct sink_receiver other = receiver;
	other.verdicts = 1U << OUTCOME_MALICIOUS | 1U << OUTCOME_SUSPICIOUS;
	return other;
}

Test(sink, what_is_not_chosen_is_passed_over)
{
	const struct sink_receiver bad = chosen();
	put_found(1, OUTCOME_CLEAN);
	put_found(2, OUTCOME_MALICIOUS);
	start_as(&bad);
	put_found(3, OUTCOME_SUSPICIOUS);
	put_found(4, OUTCOME_UNKNOWN);
	expect_got("2 3 ");
	int64_t told = 0;
	int64_t waiting = 0;
	stop();
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|4");
	EXPECT_SQL(&w, "SELECT count(*) FROM event", "0");
	start_as(&bad);
	sink_counts(sink, &told, &waiting);
	cr_expect(told == 0 && waiting == 0);
	stop();
	world_open(&w);
}

/* What the receiver was told of each portion. */
static struct str portions;

static int take_portion(void *context, const struct sink_portion *portion, struct error *why)
{
	lock_take(&lock);
	str_printf(&portions, "%zu+%lld ", portion->events, (long long)portion->waiting);
	lock_drop(&lock);
	return take(context, portion, why);
}

Test(sink, portions_are_bounded_and_say_what_waits)
{
	struct sink_receiver bad = chosen();
	bad.most_events = 3;
	bad.take = take_portion;
	found = OUTCOME_MALICIOUS;
	put_done(1, 4);
	put_found(5, OUTCOME_CLEAN);
	put_found(6, OUTCOME_MALICIOUS);
	start_as(&bad);
	expect_got("1 2 3 4 6 ");
	stop();
	cr_expect_str_eq(str_text(&portions), "3+2 2+0 ");
	str_done(&portions);
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|6");
	bad.most_events = 256;
	bad.most_bytes = 1;
	put_found(7, OUTCOME_MALICIOUS);
	put_found(8, OUTCOME_MALICIOUS);
	start_as(&bad);
	expect_got("1 2 3 4 6 7 8 ");
	stop();
	cr_expect_str_eq(str_text(&portions), "1+1 1+0 ");
	str_done(&portions);
	world_open(&w);
}

Test(sink, who_is_not_to_be_called_often_gets_it_together_and_at_the_end_at_once)
{
	struct sink_receiver seldom = chosen();
	seldom.every_ms = 86400000;
	seldom.take = take_portion;
	start_as(&seldom);
	put_found(1, OUTCOME_MALICIOUS);
	expect_got("1 ");
	found = OUTCOME_MALICIOUS;
	put_done(2, 5);
	int64_t told = 0;
	int64_t waiting = 0;
	struct mono end = mono_add_ms(mono_now(), 240000);
	while (waiting == 0 && !mono_passed(end)) {
		(void)sched_yield();
		sink_counts(sink, &told, &waiting);
	}
	cr_expect(told == 1 && waiting >= 1, "%lld %lld", (long long)told, (long long)waiting);
	stop();
	cr_expect_str_eq(str_text(&got), "1 2 3 4 5 ");
	cr_expect_str_eq(str_text(&portions), "1+0 4+0 ");
	str_done(&portions);
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|5");
}

static int cancelled(void *context, const struct sink_portion *portion, struct error *why)
{
	(void)context;
	(void)portion;
	return error_set(why, ECANCELED, "the end");
}

Test(sink, a_call_that_the_end_cut_short_is_no_trouble)
{
	struct sink_receiver other = receiver;
	other.take = cancelled;
	put_done(1, 1);
	start_as(&other);
	stop();
	cr_expect_str_eq(troubles, "");
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|0");
}

/* What other sinks told long before it, say, and it was behind by. */
Test(sink, what_all_have_told_is_deleted_though_nothing_more_happens)
{
	struct mono end = mono_add_ms(mono_now(), 240000);
	world_change(&w, "INSERT INTO event (version_id, kind) WITH RECURSIVE n(i) AS (SELECT 1"
			 " UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i, 'end' FROM n;"
			 "UPDATE sink SET seq = 30000");
	start();
	put_done(1, 1);
	expect_got("30001 ");
	while (strcmp(world_sql(&w, "SELECT count(*) FROM event"), "0") != 0) {
		cr_assert(!mono_passed(end));
		(void)hear_back(NULL);
	}
	stop();
	world_open(&w);
	EXPECT_SQL(&w, "SELECT name, seq FROM sink", "one|30001");
}
