/* removals: what is intended is written once for each version, with its cursor. */
#include "store_fixture.h"

static struct world w;
static const char *const sinks[] = { "dispose", NULL };

static void setup(void)
{
	world_dir(&w);
	w.sinks = sinks;
	world_open(&w);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(removals, .init = setup, .fini = teardown);

static int64_t put_done(unsigned n)
{
	char path[32];
	snprintf(path, sizeof path, "/r/%u", n);
	struct version *version = world_version(path, n);
	world_finish(version, OUTCOME_MALICIOUS);
	return world_put(&w, version);
}

static void run(enum store_verb verb, struct store_removals *removals, struct store_told *told)
{
	struct store_op op = { .verb = verb, .removals = removals, .told = told };
	list_init(&op.link);
	store_submit(w.store, &op);
	world_wait(&w, 1);
	cr_assert(op.result == STORE_WRITTEN);
}

static int64_t intend(int64_t version_id)
{
	struct store_removals removals = { 0 };
	struct removal removal = { .version_id = version_id,
				   .action = REMOVAL_QUARANTINE,
				   .intended_ns = 5 };
	removals_add(&removals.list, &removal);
	run(STORE_INTEND, &removals, NULL);
	int64_t id = removals.list.items[0].id;
	removals_done(&removals.list);
	return id;
}

static void end(int64_t id, enum removal_state state)
{
	struct store_removals removals = { 0 };
	struct removal removal = { .id = id, .state = state, .ended_ns = 9, .tries = 2 };
	if (state == REMOVAL_INTENDED)
		removal.due_ns = 77;
	if (state == REMOVAL_QUARANTINED)
		removal.place = xstrdup("/q/1");
	removals_add(&removals.list, &removal);
	run(STORE_REMOVED, &removals, NULL);
	removals_done(&removals.list);
}

Test(removals, an_intent_and_its_cursor_are_one_transaction)
{
	int64_t version = put_done(1);
	struct store_removals removals = { .note_key = xstrdup("floor"), .note = 42 };
	struct store_told told = { .sink = "dispose", .seq = 1 };
	struct removal removal = { .version_id = version, .intended_ns = 5 };
	removals_add(&removals.list, &removal);
	run(STORE_INTEND, &removals, &told);
	cr_expect(removals.list.items[0].id == 1);
	store_removals_done(&removals);
	cr_expect(removals.list.count == 0 && !removals.note_key);
	EXPECT_SQL(&w,
		   "SELECT id, version_id, action, cause, state, due_ns, intended_ns, ended_ns"
		   " FROM removal",
		   "1|1|delete|rule|intended|0|5|");
	EXPECT_SQL(&w, "SELECT seq FROM sink", "1");
	EXPECT_SQL(&w, "SELECT count(*) FROM event", "0");
	EXPECT_SQL(&w, "SELECT value FROM meta WHERE key = 'floor'", "42");
}

Test(removals, a_version_has_one_removal_under_way_or_done)
{
	int64_t version = put_done(1);
	int64_t id = intend(version);
	cr_expect(id > 0);
	cr_expect(intend(version) == 0);
	end(id, REMOVAL_REMOVED);
	cr_expect(intend(version) == 0);
	int64_t other = intend(put_done(2));
	end(other, REMOVAL_GONE);
	cr_expect(intend(2) > other); /* it may be there again */
	end(intend(put_done(3)), REMOVAL_QUARANTINED);
	cr_expect(intend(3) == 0);
}

Test(removals, what_failed_stays_and_what_ended_is_not_ended_again)
{
	int64_t id = intend(put_done(1));
	end(id, REMOVAL_INTENDED);
	EXPECT_SQL(&w, "SELECT state, tries, due_ns, ended_ns FROM removal", "intended|2|77|");
	struct store_removals afresh = { .afresh = true };
	run(STORE_INTEND, &afresh, NULL);
	EXPECT_SQL(&w, "SELECT state, tries, due_ns FROM removal", "intended|0|0");
	end(id, REMOVAL_QUARANTINED);
	end(id, REMOVAL_GONE);
	EXPECT_SQL(&w, "SELECT state, ended_ns, place FROM removal", "quarantined|9|/q/1");
	EXPECT_SQL(&w, "SELECT path, verdict, place FROM quarantine", "/r/1|malicious|/q/1");
}

Test(removals, forgetting_a_version_keeps_what_is_not_over)
{
	end(intend(put_done(1)), REMOVAL_REMOVED);
	end(intend(put_done(2)), REMOVAL_QUARANTINED);
	intend(put_done(3));
	world_change(&w, "DELETE FROM version");
	EXPECT_SQL(&w, "SELECT version_id, state FROM removal ORDER BY id",
		   "2|quarantined\n3|intended");
}
