/* store/rescan: asking for rescans beside a running store. */
#include <errno.h>

#include "core/store/prune.h"
#include "core/store/rescan.h"
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

TestSuite(store_rescan, .init = setup, .fini = teardown);

static int64_t put(unsigned n, const char *mime)
{
	struct version *v = world_version("/r/a", n);
	snprintf(v->entry.mime, sizeof v->entry.mime, "%s", mime);
	world_finish(v, OUTCOME_CLEAN);
	return world_put(&w, v);
}

static int64_t ask(struct store_rescan_options options)
{
	struct store_rescan_asked asked = { 0 };
	if (options.until_ns == 0)
		options.until_ns = INT64_MAX;
	cr_assert(store_rescan_ask(w.db, &options, &asked, &err) == 0, "%s", err.text);
	return asked.asked;
}

Test(store_rescan, only_what_is_done_is_asked_for)
{
	put(1, "");
	world_put(&w, world_version("/r/a", 2));
	struct version *v = world_version("/r/a", 3);
	world_fail(v, REASON_FAILED);
	world_put(&w, v);
	cr_expect(ask((struct store_rescan_options){ 0 }) == 1);
	EXPECT_SQL(&w, "SELECT path, state, verdict FROM rescan", "/r/a|waiting|clean");
}

Test(store_rescan, time_and_type_bound_it)
{
	put(1, "application/pdf");
	put(2, "application/zip");
	put(3, "text/plain");
	put(4, "");
	cr_expect(ask((struct store_rescan_options){ .mime = "application/*", .dry_run = true }) ==
		  2);
	cr_expect(ask((struct store_rescan_options){ .since_ns = T0 + 2, .dry_run = true }) == 3);
	cr_expect(ask((struct store_rescan_options){ .until_ns = T0 + 2, .dry_run = true }) == 1);
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan", "0");
	cr_expect(ask((struct store_rescan_options){
			  .since_ns = T0 + 2, .until_ns = T0 + 4, .mime = "text/*" }) == 1);
	EXPECT_SQL(&w, "SELECT mime FROM rescan", "text/plain");
}

Test(store_rescan, two_questions_about_one_version_become_one_about_all)
{
	put(1, "");
	struct version *v = world_version("/r/a", 2);
	struct finding finding = world_finding("other", OUTCOME_CLEAN);
	version_add_finding(v, &finding);
	world_put(&w, v);
	cr_expect(ask((struct store_rescan_options){ .detector = "noop" }) == 1);
	EXPECT_SQL(&w, "SELECT detector FROM rescan", "noop");
	cr_expect(ask((struct store_rescan_options){ .detector = "noop" }) == 1);
	EXPECT_SQL(&w, "SELECT detector FROM rescan", "noop");
	cr_expect(ask((struct store_rescan_options){ .detector = "other" }) == 1);
	EXPECT_SQL(&w, "SELECT coalesce(detector, 'each') FROM rescan", "each");
}

Test(store_rescan, an_unknown_detector_is_refused_with_those_that_are_known)
{
	put(1, "");
	struct store_rescan_options options = { .detector = "nope", .until_ns = INT64_MAX };
	struct store_rescan_asked asked = { 0 };
	cr_expect(store_rescan_ask(w.db, &options, &asked, &err) == -ENOENT);
	cr_expect(strstr(err.text, "\"nope\"") && strstr(err.text, "noop"), "%s", err.text);
}

Test(store_rescan, many_are_asked_for_in_batches)
{
	static struct store_op ops[1203];
	for (unsigned i = 0; i < 1203; i++) {
		struct version *v = world_version("/r/a", i);
		v->first_seen_ns = T0 + i / 700; /* many of the same moment */
		world_finish(v, OUTCOME_CLEAN);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = v };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	world_wait(&w, 1203);
	for (unsigned i = 0; i < 1203; i++)
		version_free(ops[i].version);
	cr_expect(ask((struct store_rescan_options){ .dry_run = true }) == 1203);
	cr_expect(ask((struct store_rescan_options){ 0 }) == 1203);
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan_queue", "1203");
}

Test(store_rescan, prune_takes_the_place_in_the_queue_along)
{
	put(1, "");
	ask((struct store_rescan_options){ 0 });
	struct store_prune_options options = { .before_ns = INT64_MAX };
	struct store_pruned pruned = { 0 };
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 0, "it waits for its rescan");
	world_change(&w, "UPDATE rescan_queue SET state = 'gone', ended_ns = 1");
	cr_assert(store_prune(w.db, &options, &pruned, &err) == 0, "%s", err.text);
	cr_expect(pruned.versions == 1);
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan_queue", "0");
}

Test(store_rescan, each_end_but_answered_has_a_word)
{
	cr_expect_null(rescan_end_name(RESCAN_ANSWERED));
	for (enum rescan_end end = RESCAN_WAITING; end < RESCAN_ENDS; end++)
		cr_expect_not_null(rescan_end_name(end));
}
