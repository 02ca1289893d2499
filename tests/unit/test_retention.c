/* retention: as a chooser, with what it hears of. */
#include "retention_fixture.h"
#include "used_disk.h"

static struct rounds r; /* its yard, and its peer */
static struct retention *retention;
static struct chooser chooser;
static const char *const sinks[] = { RETENTION_SINK, NULL };

static void start(void)
{
	const struct retention_peer peer = rounds_peer(&r);
	cr_assert(retention_new(&retention, r.y.w.db, &peer, &r.err) == 0, "%s", r.err.text);
	chooser = retention_chooser(retention);
}

static void setup(void)
{
	r = (struct rounds){ 0 };
	yard_init(&r.y);
	r.y.w.sinks = sinks;
	world_open(&r.y.w);
	cr_assert(ages_new(&r.ages, r.y.w.db, &r.err) == 0, "%s", r.err.text);
	start();
}

static void teardown(void)
{
	retention_free(retention);
	ages_free(r.ages);
	str_done(&r.shed);
	yard_done(&r.y);
}

TestSuite(retention, .init = setup, .fini = teardown);

/* Asks it once, as the disposer does; what it chose is committed. Whether there may be more. */
static bool ask(struct str *text)
{
	struct choice choice = { 0 };
	cr_assert(chooser.choose(chooser.context, &r.y.config, &choice, &r.err) == 0, "%s",
		  r.err.text);
	for (size_t i = 0; i < choice.intents.list.count; i++)
		str_printf(text, "%s%lld%s", text->len ? " " : "",
			   (long long)choice.intents.list.items[i].version_id,
			   removal_cause_name(choice.intents.list.items[i].cause));
	struct store_op op = { .verb = STORE_INTEND,
			       .removals = &choice.intents,
			       .told = choice.told.sink ? &choice.told : NULL };
	list_init(&op.link);
	store_submit(r.y.w.store, &op);
	world_wait(&r.y.w, 1);
	store_removals_done(&choice.intents);
	return choice.more;
}

static void expect(const char *wanted)
{
	AUTO_STR text = STR_INIT;
	while (ask(&text))
		;
	cr_expect_str_eq(str_text(&text), wanted);
}

static void put_aged(const char *name, int64_t age_s)
{
	rounds_put(&r, name, clock_wall_ns() - age_s * CLOCK_NS_PER_S);
}

/* A file that is older than all others, for when it has its end at last. Owned by the caller. */
static struct version *waited_long(void)
{
	yard_file(&r.y, "late", "late");
	struct version *late = yard_version(&r.y, "late", OUTCOME_CLEAN);
	late->first_seen_ns = 5;
	return late;
}

Test(retention, by_age_and_when_the_next_one_is_due)
{
	r.y.config.retention.age_ms = 100000;
	put_aged("old", 200);
	const struct mono least = mono_add_ms(mono_now(), 49999);
	put_aged("young", 50);
	expect("1age");
	const struct mono most = mono_add_ms(mono_now(), 50001);
	const struct mono next = chooser.next(chooser.context);
	cr_expect(next.ns >= least.ns && next.ns <= most.ns, "%lld ms from the earliest on",
		  (long long)((next.ns - least.ns) / CLOCK_NS_PER_MS));
	r.y.config.retention.age_ms = 10000; /* a reload */
	expect("2age");
	cr_expect_eq(chooser.next(chooser.context).ns, INT64_MAX);
	put_aged("older", 300);
	expect("3age");
	rounds_put_failed(&r, "failed", 5);
	expect("");
	r.y.config.retention.unscanned = true;
	expect("4age");
}

Test(retention, a_clock_that_is_set_forward_makes_nothing_older)
{
	r.y.config.retention.age_ms = 100000;
	put_aged("old", 200);
	put_aged("young", 50);
	ages_look(r.ages, clock_wall_ns() + INT64_C(31536000000000000), mono_now());
	expect("1age");
}

/* Where files end all the time there is always something to hear. */
Test(retention, chooses_in_the_round_in_which_it_hears)
{
	struct choice choice = { 0 };
	r.y.config.retention.age_ms = 1000;
	put_aged("a", 300);
	cr_assert(chooser.choose(chooser.context, &r.y.config, &choice, &r.err) == 0);
	cr_expect_eq(choice.told.seq, 1);
	cr_expect_eq(choice.intents.list.count, 1);
	store_removals_done(&choice.intents);
}

Test(retention, what_was_given_up_goes_at_once)
{
	r.y.config.retention.disk_high_percent = 101;
	rounds_put_failed(&r, "a", 5);
	rounds_put(&r, "b", 6);
	world_change(&r.y.w, "UPDATE version SET reason = 'shed' WHERE id = 1");
	expect("1shed");
	EXPECT_SQL(&r.y.w, "SELECT seq FROM sink", "2");
	EXPECT_SQL(&r.y.w, "SELECT count(*) FROM event", "0");
}

/* A crash, then; the floor says where it goes on, and nothing below it is lost. */
Test(retention, goes_on_from_its_floor)
{
	r.y.config.retention.age_ms = 1000;
	struct version *late = waited_long();
	put_aged("a", 300);
	put_aged("b", 200);
	expect("1age 2age");
	EXPECT_SQL(&r.y.w,
		   "SELECT value = (SELECT first_seen_ns FROM version WHERE id = 2) FROM meta"
		   " WHERE key LIKE 'retention_floor_%'",
		   "1");
	retention_free(retention);
	start();
	r.y.config.retention.age_ms = INT64_C(1) << 42;
	world_put(&r.y.w, late); /* it waited long */
	expect("");
	EXPECT_SQL(&r.y.w, "SELECT value FROM meta WHERE key LIKE 'retention_floor_%'", "5");
	retention_free(retention);
	start();
	r.y.config.retention.age_ms = 1000;
	expect("3age");
}

/* What ends while no disk is too full is met when one is. */
Test(retention, the_floor_goes_back_while_no_disk_is_over)
{
	need_used_disk(r.y.root);
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	struct version *late = waited_long();
	put_aged("a", 300);
	put_aged("b", 200);
	expect("1disk 2disk");
	retention_free(retention);
	start();
	r.y.config.retention.disk_high_percent = 101;
	r.y.config.retention.disk_low_percent = 100;
	expect("");
	world_put(&r.y.w, late);
	expect("");
	EXPECT_SQL(&r.y.w, "SELECT value FROM meta WHERE key LIKE 'retention_floor_%'", "5");
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	retention_free(retention);
	start();
	expect("3disk");
}

/* While it was switched off for a run it heard of nothing. */
Test(retention, what_it_missed_is_gone_through)
{
	static const char *const others[] = { "events", NULL };
	r.y.config.retention.age_ms = 1000;
	put_aged("a", 300);
	expect("1age");
	EXPECT_SQL(&r.y.w, "SELECT count(*) FROM meta WHERE key LIKE 'retention_floor_%'", "1");
	retention_free(retention);
	world_close(&r.y.w);
	r.y.w.sinks = others;
	world_open(&r.y.w);
	rounds_put(&r, "late", 5);
	world_close(&r.y.w);
	r.y.w.sinks = sinks;
	world_open(&r.y.w);
	start();
	expect("2age");
}

Test(retention, other_roots_are_gone_through_from_the_beginning)
{
	char other[128];
	r.y.config.retention.age_ms = 1000;
	put_aged("a", 300);
	r.y.root_row.path = r.y.quarantine;
	expect("");
	snprintf(other, sizeof other, "%s/", r.y.root);
	other[strlen(other) - 1] = '\0';
	r.y.root_row.path = other;
	expect("1age");
}

Test(retention, a_disk_tells_no_floor_while_a_root_is_missing)
{
	static char nowhere[] = "/nowhere/at/all";
	struct config_root both[2] = { r.y.root_row, { .path = nowhere } };
	need_used_disk(r.y.root);
	r.y.config.roots = both;
	r.y.config.root_count = 2;
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	put_aged("a", 300);
	expect("1disk");
	EXPECT_SQL(&r.y.w, "SELECT value FROM meta WHERE key LIKE 'retention_floor_%'", "0");
}

/* Of another file system, mounted below the root, say: that disk was nobody's concern. */
Test(retention, what_a_disk_passed_over_goes_by_age)
{
	need_used_disk(r.y.root);
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	yard_file(&r.y, "mounted", "mounted");
	struct version *mounted = yard_version(&r.y, "mounted", OUTCOME_CLEAN);
	mounted->first_seen_ns = 5;
	mounted->identity.fsid++;
	world_put(&r.y.w, mounted);
	put_aged("a", 300);
	expect("2disk");
	retention_free(retention);
	start();
	r.y.config.retention = (struct config_retention){ .age_ms = 1000 };
	expect("1age");
}

static char away[128];

/* Its files were passed over while it was away; no event tells of them when it is back. */
Test(retention, files_of_a_root_that_was_away_are_gone_through_when_it_is_back)
{
	(void)snprintf(away, sizeof away, "%s.away", r.y.root);
	r.y.config.retention.age_ms = 1000;
	put_aged("a", 300);
	put_aged("b", 200);
	cr_assert(rename(r.y.root, away) == 0);
	expect("");
	cr_assert(rename(away, r.y.root) == 0);
	expect("1age 2age");
}

static void move_away(void *context, const struct retention_report *report)
{
	(void)context;
	(void)report;
	(void)rename(r.y.root, away);
}

Test(retention, a_root_that_goes_and_comes_within_a_round_is_gone_through_again)
{
	AUTO_STR text = STR_INIT;
	struct retention_peer peer = rounds_peer(&r);
	peer.changed = move_away; /* called before it looks at what is old */
	retention_free(retention);
	cr_assert(retention_new(&retention, r.y.w.db, &peer, &r.err) == 0);
	chooser = retention_chooser(retention);
	(void)snprintf(away, sizeof away, "%s.away", r.y.root);
	r.y.config.retention.age_ms = 1000;
	r.y.config.retention.disk_high_percent = 101;
	r.y.config.retention.disk_low_percent = 100;
	put_aged("a", 300);
	(void)ask(&text);
	cr_expect_eq(text.len, 0);
	cr_assert(rename(away, r.y.root) == 0);
	expect("1age");
}

/* What ended late while there were other roots is below the floor that these had. */
Test(retention, a_floor_of_other_roots_is_forgotten)
{
	struct config_root here = r.y.root_row;
	r.y.config.retention.age_ms = 1000;
	struct version *late = waited_long();
	put_aged("a", 300);
	expect("1age");
	r.y.root_row.path = r.y.quarantine;
	expect("");
	world_put(&r.y.w, late);
	expect("");
	r.y.root_row = here;
	expect("2age");
	EXPECT_SQL(&r.y.w, "SELECT count(*) FROM meta WHERE key LIKE 'retention_floor_%'", "1");
}

Test(retention, switched_off_by_a_reload_it_still_hears)
{
	put_aged("a", 300);
	expect("");
	EXPECT_SQL(&r.y.w, "SELECT seq FROM sink", "1");
	r.y.config.retention.count = 1;
	put_aged("b", 100);
	expect("1count");
}

/* Where there are too many all the time, the disk is looked at all the same. */
Test(retention, a_disk_does_not_wait_for_what_goes_otherwise)
{
	struct choice choice = { 0 };
	need_used_disk(r.y.root);
	r.y.config.retention.count = 1;
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	put_aged("a", 300);
	put_aged("b", 200);
	cr_assert(chooser.choose(chooser.context, &r.y.config, &choice, &r.err) == 0);
	cr_expect_eq(choice.intents.list.count, 2);
	cr_expect(r.report.over);
	store_removals_done(&choice.intents);
}

Test(retention, tells_when_a_disk_is_over)
{
	need_used_disk(r.y.root);
	r.y.config.retention.disk_high_percent = 2;
	r.y.config.retention.disk_low_percent = 1;
	put_aged("a", 300);
	expect("1disk");
	cr_expect(r.report.over);
	cr_expect_gt(r.report.percent, 1);
}

/* What was heard of in the round that failed was not noted anywhere. */
Test(retention, what_cannot_be_read_is_told_and_chosen_when_it_can)
{
	struct choice choice = { 0 };
	struct retention *none = NULL;
	const struct retention_peer peer = rounds_peer(&r);
	cr_expect(retention_new(&none, "/nowhere/x.db", &peer, &r.err) == -ENOENT && !none);
	r.y.config.retention.age_ms = 1000;
	put_aged("a", 300);
	world_change(&r.y.w, "ALTER TABLE removal RENAME TO other");
	cr_expect(chooser.choose(chooser.context, &r.y.config, &choice, &r.err) < 0);
	cr_expect(strstr(r.err.text, "no such table: removal"), "%s", r.err.text);
	store_removals_done(&choice.intents);
	world_change(&r.y.w, "ALTER TABLE other RENAME TO removal");
	expect("1age");
	EXPECT_SQL(&r.y.w, "SELECT seq FROM sink", "1");
}
