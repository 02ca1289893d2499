/* maintain: retry, beside a running store. */
#include <errno.h>

#include "core/store/maintain.h"
#include "store_fixture.h"

static struct world w;
static struct error err;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(maintain, .init = setup, .fini = teardown);

static int64_t put_failed(unsigned n, enum version_reason reason)
{
	struct version *v = world_version("/r/a", n);
	v->attempt = 3;
	v->tries = 2;
	v->note = xstrdup("words");
	v->due_ns = 9;
	world_fail(v, reason);
	return world_put(&w, v);
}

Test(maintain, retry_queues_what_failed_or_was_unreadable)
{
	for (unsigned i = REASON_VANISHED; i < REASONS; i++)
		put_failed(i, i);
	int64_t count = 0;
	cr_assert(store_retry(w.db, NULL, 0, &count, &err) == 0, "%s", err.text);
	cr_expect(count == 2);
	EXPECT_SQL(&w,
		   "SELECT state, attempt, tries, due_ns, note, reason, finished_ns FROM version"
		   " WHERE state = 'queued'",
		   "queued|3|0|0|||\nqueued|3|0|0|||");
	EXPECT_SQL(&w, "SELECT count(*) FROM unscanned WHERE reason IN ('failed', 'unreadable')",
		   "0");
	world_tally_is_right(&w);
}

Test(maintain, retry_goes_through_many_in_batches)
{
	static struct store_op ops[1203];
	for (unsigned i = 0; i < 1203; i++) {
		struct version *v = world_version("/r/a", i);
		v->first_seen_ns = T0 + i / 400; /* many of the same moment */
		world_fail(v, i % 4 ? REASON_FAILED : REASON_UNMATCHED);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = v };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	world_wait(&w, 1203);
	for (unsigned i = 0; i < 1203; i++)
		version_free(ops[i].version);
	int64_t count = 0;
	cr_assert(store_retry(w.db, NULL, 0, &count, &err) == 0, "%s", err.text);
	cr_expect(count == 902, "%lld", (long long)count);
	EXPECT_SQL(&w, "SELECT count(*) FROM pending", "902");
	world_tally_is_right(&w);
}

Test(maintain, retry_of_ids_takes_any_reason_but_not_regular)
{
	int64_t vanished = put_failed(1, REASON_VANISHED);
	int64_t special = put_failed(2, REASON_NOT_REGULAR);
	struct version *v = world_version("/r/a", 3);
	world_finish(v, OUTCOME_CLEAN);
	int64_t done = world_put(&w, v);
	int64_t queued = world_put(&w, world_version("/r/a", 4));
	int64_t count = 0;
	cr_expect(store_retry(w.db, (int64_t[]){ vanished, 999 }, 2, &count, &err) == -ENOENT);
	cr_expect(strstr(err.text, "999"), "%s", err.text);
	cr_expect(store_retry(w.db, (int64_t[]){ vanished, done }, 2, &count, &err) == -EINVAL);
	cr_expect(strstr(err.text, "done"), "%s", err.text);
	cr_expect(store_retry(w.db, (int64_t[]){ special }, 1, &count, &err) == -EINVAL);
	EXPECT_SQL(&w, "SELECT count(*) FROM pending", "1"); /* all or none */
	cr_expect(store_retry(w.db, (int64_t[]){ vanished, queued, vanished }, 3, &count, &err) ==
		  0);
	cr_expect(count == 1, "%lld", (long long)count);
	EXPECT_SQL(&w, "SELECT count(*) FROM pending", "2");
	world_tally_is_right(&w);
}

Test(maintain, a_history_that_is_not_there_is_not_made)
{
	int64_t count = 0;
	cr_expect(store_retry("/nowhere/x.db", NULL, 0, &count, &err) == -ENOENT);
}
