/* renew: what the writer does about rescans, by the operations that the daemon gives it. */
#include "core/store/rescan.h"
#include "store_fixture.h"

static struct world w;

static void setup(void)
{
	world_init(&w);
}

static void teardown(void)
{
	world_tally_is_right(&w);
	world_done(&w);
}

TestSuite(renew, .init = setup, .fini = teardown);

static void submit(struct store_op *op)
{
	list_init(&op->link);
	store_submit(w.store, op);
	world_wait(&w, 1);
}

static int64_t put_done(unsigned n, enum outcome verdict)
{
	struct version *v = world_version("/r/a", n);
	v->attempt = 1;
	world_finish(v, verdict);
	return world_put(&w, v);
}

static void ask(const char *detector)
{
	struct store_rescan_options options = { .detector = detector, .until_ns = INT64_MAX };
	struct store_rescan_asked asked = { 0 };
	struct error err = { 0 };
	cr_assert(store_rescan_ask(w.db, &options, &asked, &err) == 0, "%s", err.text);
}

struct taken {
	struct version *version;
	struct store_rescan *rescan;
};

static bool take_first(void *context, struct version *version, struct store_rescan *rescan)
{
	*(struct taken *)context = (struct taken){ version, rescan };
	return false;
}

/* The first that is due, as the daemon has it. */
static struct taken take(void)
{
	struct taken taken = { 0 };
	struct error err = { 0 };
	cr_assert(store_rescans(w.reader, INT64_MAX, take_first, &taken, &err) == 0, "%s",
		  err.text);
	cr_assert(taken.version);
	return taken;
}

static void answer(struct taken *taken, const char *detector, enum outcome outcome)
{
	struct finding finding = world_finding(detector, outcome);
	memset(finding.digest, 'e', 64);
	taken->version->attempt = 2;
	taken->version->verdict = outcome;
	taken->version->finished_ns = T0 + 99;
	taken->version->checked_ns = T0 + 98;
	finding.attempt = 2;
	version_add_finding(taken->version, &finding);
}

static enum store_result give(struct taken *taken, enum rescan_end end)
{
	taken->rescan->end = end;
	struct store_op op = { .verb = STORE_RESCAN,
			       .version = taken->version,
			       .rescan = taken->rescan };
	submit(&op);
	return op.result;
}

static void drop(struct taken *taken)
{
	version_free(taken->version);
	store_rescan_free(taken->rescan);
}

Test(renew, a_new_answer_changes_the_verdict_and_leaves_the_old_evidence)
{
	put_done(1, OUTCOME_CLEAN);
	ask(NULL);
	struct taken taken = take();
	answer(&taken, "noop", OUTCOME_MALICIOUS);
	cr_expect(give(&taken, RESCAN_ANSWERED) == STORE_WRITTEN);
	cr_expect(taken.rescan->was == OUTCOME_CLEAN);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT state, verdict, attempt, finished_ns - first_seen_ns FROM file",
		   "done|malicious|2|98");
	EXPECT_SQL(&w, "SELECT attempt, outcome, substr(detector_digest, 1, 1) FROM scan",
		   "1|clean|d\n2|malicious|e");
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan", "0");
}

Test(renew, one_that_has_nothing_new_leaves_the_queue_alone)
{
	put_done(1, OUTCOME_CLEAN);
	ask(NULL);
	struct taken taken = take();
	taken.version->verdict = OUTCOME_MALICIOUS; /* no finding, so it counts for nothing */
	cr_expect(give(&taken, RESCAN_ANSWERED) == STORE_WRITTEN);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT verdict, attempt FROM file", "clean|1");
	EXPECT_SQL(&w, "SELECT count(*) FROM scan", "1");
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan", "0");
}

Test(renew, what_was_asked_again_meanwhile_stays_in_the_queue)
{
	put_done(1, OUTCOME_CLEAN);
	ask("noop");
	struct taken taken = take();
	ask("noop");
	answer(&taken, "noop", OUTCOME_CLEAN);
	cr_expect(give(&taken, RESCAN_ANSWERED) == STORE_WRITTEN);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT state, detector FROM rescan", "waiting|noop");
	EXPECT_SQL(&w, "SELECT attempt FROM file", "2");
}

Test(renew, an_attempt_that_failed_is_recorded_and_waits)
{
	put_done(1, OUTCOME_CLEAN);
	ask(NULL);
	struct taken taken = take();
	answer(&taken, "noop", OUTCOME_ERROR);
	taken.version->verdict = OUTCOME_CLEAN; /* what the older rules said stands */
	taken.rescan->tries = 1;
	taken.rescan->due_ns = T0 * 2;
	cr_expect(give(&taken, RESCAN_WAITING) == STORE_WRITTEN);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT state, verdict FROM file", "done|clean");
	EXPECT_SQL(&w, "SELECT attempt, outcome FROM scan", "1|clean\n2|error");
	EXPECT_SQL(&w, "SELECT state, tries FROM rescan", "waiting|1");
	struct error err = { 0 };
	int64_t due_ns = 0;
	cr_expect(store_next_rescan(w.reader, T0, &due_ns, &err) == 0);
	cr_expect(due_ns == T0 * 2);
	cr_expect(store_next_rescan(w.reader, T0 * 2, &due_ns, &err) == 0);
	cr_expect(due_ns == INT64_MAX);
	taken = (struct taken){ 0 };
	cr_expect(store_rescans(w.reader, T0, take_first, &taken, &err) == 0);
	cr_expect_null(taken.version, "not before it is due");
}

Test(renew, what_is_gone_says_so_until_it_is_asked_for_again)
{
	static const char *const words[] = {
		[RESCAN_GONE] = "gone", [RESCAN_REPLACED] = "replaced", [RESCAN_FAILED] = "failed"
	};
	put_done(1, OUTCOME_SUSPICIOUS);
	for (enum rescan_end end = RESCAN_GONE; end <= RESCAN_FAILED; end++) {
		ask(NULL);
		EXPECT_SQL(&w, "SELECT state, tries, note, ended_ns FROM rescan", "waiting|0||");
		struct taken taken = take();
		taken.rescan->note = xstrdup("words");
		taken.version->checked_ns = T0 + 5;
		cr_expect(give(&taken, end) == STORE_WRITTEN);
		drop(&taken);
		struct store_rescan_totals totals = { 0 };
		struct error err = { 0 };
		cr_expect(store_rescan_totals(w.reader, &totals, &err) == 0);
		cr_expect(totals.by_end[end] == 1 && totals.by_end[RESCAN_WAITING] == 0);
		EXPECT_SQL(&w, "SELECT note, verdict FROM rescan WHERE ended_ns > 0",
			   "words|suspicious");
		char sql[128];
		snprintf(sql, sizeof sql, "SELECT count(*) FROM rescan WHERE state = '%s'",
			 words[end]);
		EXPECT_SQL(&w, sql, "1");
	}
	EXPECT_SQL(&w, "SELECT state, verdict FROM file", "done|suspicious");
}

Test(renew, a_version_that_was_deleted_takes_its_place_with_it)
{
	put_done(1, OUTCOME_CLEAN);
	ask(NULL);
	struct taken taken = take();
	sqlite3 *db = NULL;
	cr_assert(sqlite3_open(w.db, &db) == SQLITE_OK);
	cr_assert(sqlite3_exec(db, "DELETE FROM version; DELETE FROM result; DELETE FROM tally",
			       NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan_queue", "0");
	answer(&taken, "noop", OUTCOME_MALICIOUS);
	cr_expect(give(&taken, RESCAN_ANSWERED) == STORE_KNOWN);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT count(*) FROM scan", "0");
}

/* ---- the digests in force ---- */

static struct store_rule rule(const char *detector, char digest)
{
	struct store_rule rule = { .detector = detector };
	memset(rule.digest, digest, 64);
	return rule;
}

/* How many operations it took. */
static int put_rules(struct store_rule *rules, size_t count, bool ask, int64_t *asked)
{
	struct store_rules all = {
		.rules = rules, .count = count, .ask = ask, .now_ns = T0 + 50, .since_ns = T0
	};
	int times = 0;
	*asked = 0;
	do {
		struct store_op op = { .verb = STORE_RULES, .rules = &all };
		submit(&op);
		all.from = all.next;
		*asked += all.asked;
		times++;
	} while (all.more);
	return times;
}

Test(renew, a_changed_digest_asks_for_what_the_old_one_answered)
{
	int64_t asked = 0;
	int64_t id = put_done(1, OUTCOME_CLEAN);
	put_done(2, OUTCOME_CLEAN);
	struct version *v = world_version("/r/a", 3); /* another detector's */
	struct finding finding = world_finding("other", OUTCOME_CLEAN);
	version_add_finding(v, &finding);
	v->state = VERSION_DONE;
	v->verdict = OUTCOME_CLEAN;
	world_put(&w, v);
	v = world_version("/r/old", 4); /* before since_ns */
	v->first_seen_ns = T0 - 1;
	world_finish(v, OUTCOME_CLEAN);
	world_put(&w, v);
	world_put(&w, world_version("/r/q", 5)); /* queued: it will be asked by the new rules */

	put_rules(&(struct store_rule){ 0 }, 0, true, &asked);
	struct store_rule noop = rule("noop", 'd');
	put_rules(&noop, 1, true, &asked);
	cr_expect(asked == 0, "a detector that is new asks for nothing");
	EXPECT_SQL(&w, "SELECT count(*) FROM stale", "0");
	noop = rule("noop", 'e');
	put_rules(&noop, 1, true, &asked);
	cr_expect(asked == 2, "%lld", (long long)asked);
	EXPECT_SQL(&w, "SELECT count(*), min(detector) FROM rescan WHERE state = 'waiting'",
		   "2|noop");
	EXPECT_SQL(&w, "SELECT count(*) FROM stale", "3"); /* the old one, too */
	put_rules(&noop, 1, true, &asked);
	cr_expect(asked == 0, "nothing has changed since");

	struct taken taken = take();
	cr_expect(taken.version->id > id, "the newest comes first");
	answer(&taken, "noop", OUTCOME_CLEAN);
	give(&taken, RESCAN_ANSWERED);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT count(*) FROM stale", "2");
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan", "1");
}

Test(renew, without_ask_it_notes_the_digest_and_a_later_one_with_ask_catches_up)
{
	int64_t asked = 0;
	put_done(1, OUTCOME_CLEAN);
	struct store_rule noop = rule("noop", 'd');
	put_rules(&noop, 1, false, &asked);
	noop = rule("noop", 'e');
	put_rules(&noop, 1, false, &asked);
	cr_expect(asked == 0);
	EXPECT_SQL(&w, "SELECT count(*) FROM stale", "1");
	put_rules(&noop, 1, true, &asked);
	cr_expect(asked == 1);
}

Test(renew, rules_that_came_back_count_as_changed_since_the_newest_answer)
{
	int64_t asked = 0;
	put_done(1, OUTCOME_CLEAN);
	struct store_rule noop = rule("noop", 'd');
	put_rules(&noop, 1, true, &asked);
	noop = rule("noop", 'e');
	put_rules(&noop, 1, true, &asked);
	struct taken taken = take();
	answer(&taken, "noop", OUTCOME_MALICIOUS); /* by digest e */
	give(&taken, RESCAN_ANSWERED);
	drop(&taken);
	noop = rule("noop", 'd');
	put_rules(&noop, 1, true, &asked);
	cr_expect(asked == 1);
}

Test(renew, a_detector_that_is_configured_no_more_has_no_rules)
{
	int64_t asked = 0;
	struct store_rule rules[] = { rule("a", 'a'), rule("b", 'b'), rule("c", 'c') };
	put_rules(rules, 3, true, &asked);
	put_rules(&rules[1], 1, true, &asked);
	EXPECT_SQL(&w, "SELECT detector FROM rules", "b");
	put_rules(rules, 0, true, &asked);
	EXPECT_SQL(&w, "SELECT count(*) FROM rules", "0");
}

Test(renew, a_digest_that_is_not_known_now_leaves_what_was_noted)
{
	int64_t asked = 0;
	put_done(1, OUTCOME_CLEAN);
	struct store_rule noop = rule("noop", 'd');
	put_rules(&noop, 1, true, &asked);
	*noop.digest = '\0';
	put_rules(&noop, 1, true, &asked);
	EXPECT_SQL(&w, "SELECT substr(digest, 1, 1), asked = digest FROM rules", "d|1");
	noop = rule("noop", 'e');
	put_rules(&noop, 1, true, &asked);
	cr_expect(asked == 1);
}

Test(renew, many_versions_are_asked_for_some_at_a_time)
{
	enum {
		MANY = 4100
	};
	static struct store_op ops[MANY];
	for (unsigned i = 0; i < MANY; i++) {
		struct version *v = world_version("/r/a", i);
		v->first_seen_ns = T0 + i / 3000; /* many of the same moment */
		world_finish(v, OUTCOME_CLEAN);
		ops[i] = (struct store_op){ .verb = STORE_SAVE, .version = v };
		list_init(&ops[i].link);
		store_submit(w.store, &ops[i]);
	}
	world_wait(&w, MANY);
	for (unsigned i = 0; i < MANY; i++)
		version_free(ops[i].version);
	int64_t asked = 0;
	struct store_rule noop = rule("noop", 'd');
	put_rules(&noop, 1, true, &asked);
	noop = rule("noop", 'e');
	/* killed after the first operation, and started anew */
	struct store_rules first = { .rules = &noop, .count = 1, .ask = true, .since_ns = T0 };
	struct store_op op = { .verb = STORE_RULES, .rules = &first };
	submit(&op);
	cr_expect(first.more && first.asked == 2000);
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan_queue", "2000");
	cr_expect(put_rules(&noop, 1, true, &asked) == 3);
	EXPECT_SQL(&w, "SELECT count(*) FROM rescan_queue", "4100");
	EXPECT_SQL(&w, "SELECT count(*) FROM rules WHERE asked = digest", "1");
}

Test(renew, the_queue_and_the_look_through_sort_nothing)
{
	EXPECT_SQL(&w,
		   "EXPLAIN QUERY PLAN SELECT version_id FROM rescan_queue WHERE state = 'waiting'"
		   " AND due_ns <= 5 ORDER BY due_ns, version_id DESC",
		   "4|0|0|SEARCH rescan_queue USING INDEX rescan_due (due_ns<?)");
	EXPECT_SQL(&w,
		   "EXPLAIN QUERY PLAN SELECT first_seen_ns, id FROM version"
		   " WHERE (first_seen_ns, id) > (1, 2) ORDER BY first_seen_ns, id LIMIT 3",
		   "4|0|0|SEARCH version USING COVERING INDEX version_seen (first_seen_ns>?)");
}

Test(renew, another_verdict_is_an_event_and_the_same_one_is_none)
{
	static const char *const sinks[] = { "one", NULL };
	world_close(&w);
	w.sinks = sinks;
	world_open(&w);
	put_done(1, OUTCOME_CLEAN);
	ask(NULL);
	struct taken taken = take();
	answer(&taken, "noop", OUTCOME_CLEAN);
	cr_expect(give(&taken, RESCAN_ANSWERED) == STORE_WRITTEN);
	drop(&taken);
	ask(NULL);
	taken = take();
	answer(&taken, "noop", OUTCOME_MALICIOUS);
	taken.version->findings[0].attempt = taken.version->attempt = 3;
	cr_expect(give(&taken, RESCAN_ANSWERED) == STORE_WRITTEN);
	drop(&taken);
	EXPECT_SQL(&w, "SELECT seq, version_id, kind, was FROM event",
		   "1|1|end|\n2|1|rescan|clean");
}
