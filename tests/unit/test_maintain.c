/* maintain: retry and prune, beside a running store. */
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

static bool keep_b(void *context, const char *path)
{
	++*(int *)context;
	return strcmp(path, "/r/b") == 0;
}

Test(maintain, prune_deletes_what_is_old_terminal_and_gone)
{
	static const char *const paths[] = { "/r/a", "/r/b", "/r/c", "/r/d" };
	for (unsigned i = 0; i < 4; i++) {
		struct version *v = world_version(paths[i], i);
		if (i < 3)
			world_finish(v, OUTCOME_CLEAN);
		if (i == 2)
			v->finished_ns = T0 + 1000; /* not old */
		world_put(&w, v);
	}
	put_failed(9, REASON_VANISHED);
	struct store_gap gap = { .cause = "down", .opened_ns = 1 };
	struct store_op op = { .verb = STORE_GAP_OPEN, .gap = &gap };
	for (int i = 0; i < 3; i++) {
		op.verb = STORE_GAP_OPEN;
		list_init(&op.link);
		store_submit(w.store, &op);
		world_wait(&w, 1);
		if (i == 2)
			continue; /* stays open */
		gap.closed_ns = T0 + i * 1000;
		op.verb = STORE_GAP_CLOSE;
		store_submit(w.store, &op);
		world_wait(&w, 1);
	}
	int64_t count = 0;
	int asked = 0;
	struct store_prune_options options = {
		.before_ns = T0 + 500,
		.dry_run = true,
		.keep = keep_b,
		.context = &asked,
	};
	cr_assert(store_prune(w.db, &options, &count, &err) == 0, "%s", err.text);
	cr_expect(count == 2 && asked == 3);
	EXPECT_SQL(&w, "SELECT (SELECT count(*) FROM file), (SELECT count(*) FROM gap)", "5|3");
	options.dry_run = false;
	cr_assert(store_prune(w.db, &options, &count, &err) == 0, "%s", err.text);
	cr_expect(count == 2);
	EXPECT_SQL(&w, "SELECT path FROM file ORDER BY id", "/r/b\n/r/c\n/r/d");
	EXPECT_SQL(&w, "SELECT file_id FROM scan ORDER BY 1", "2\n3");
	EXPECT_SQL(&w, "SELECT closed_ns FROM gap ORDER BY id", "1764000000000001000\n");
	/* the daemon goes on beside it */
	world_put(&w, world_version("/r/a", 0));
	world_tally_is_right(&w);
}

Test(maintain, a_history_that_is_not_there_is_not_made)
{
	int64_t count = 0;
	struct store_prune_options options = { 0 };
	cr_expect(store_retry("/nowhere/x.db", NULL, 0, &count, &err) == -ENOENT);
	cr_expect(store_prune("/nowhere/x.db", &options, &count, &err) == -ENOENT);
}
