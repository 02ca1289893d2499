/* rules: what the configuration names is chosen, from its cursor on, and nothing else. */
#include "core/dispose/rules.h"
#include "dispose_fixture.h"

static struct yard y;
static struct error err;
static struct disposal_rules *rules;
static struct choice choice;
static const char *const sinks[] = { RULES_SINK, NULL };
static struct config_disposal_rule said[] = {
	{ OUTCOME_MALICIOUS, (char *)"*", CONFIG_QUARANTINE },
	{ OUTCOME_CLEAN, (char *)"image/*", CONFIG_DELETE },
};

static size_t choose(void)
{
	const struct chooser chooser = disposal_rules_chooser(rules);
	store_removals_done(&choice.intents);
	choice = (struct choice){ 0 };
	cr_assert(chooser.choose(chooser.context, &y.config, &choice, &err) == 0, "%s", err.text);
	return choice.intents.list.count;
}

static void setup(void)
{
	yard_init(&y);
	y.w.sinks = sinks;
	world_open(&y.w);
	y.config.disposal = said;
	y.config.disposal_count = 2;
	cr_assert(disposal_rules_new(&rules, y.w.db, &err) == 0, "%s", err.text);
	disposal_rules_add_roots(rules, &y.config);
	cr_assert(choose() == 0 && choice.more); /* its root is noted */
}

static void teardown(void)
{
	disposal_rules_free(rules);
	store_removals_done(&choice.intents);
	yard_done(&y);
}

TestSuite(dispose_rules, .init = setup, .fini = teardown);

static int64_t put(unsigned n, enum outcome verdict, const char *real_mime)
{
	char name[16];
	snprintf(name, sizeof name, "%u", n);
	struct version *version = world_version(yard_path(&y, name), n);
	world_finish(version, verdict);
	version->real_mime = xstrdup(real_mime);
	return world_put(&y.w, version);
}

Test(dispose_rules, chooses_by_verdict_and_type)
{
	int64_t bad = put(1, OUTCOME_MALICIOUS, NULL);
	put(2, OUTCOME_CLEAN, "text/plain");
	int64_t image = put(3, OUTCOME_CLEAN, "image/png");
	put(4, OUTCOME_SUSPICIOUS, NULL);
	cr_assert(choose() == 2);
	const struct removal *items = choice.intents.list.items;
	cr_expect(items[0].version_id == bad && items[0].action == REMOVAL_QUARANTINE);
	cr_expect(items[1].version_id == image && items[1].action == REMOVAL_DELETE);
	cr_expect(items[0].cause == CAUSE_RULE && items[0].intended_ns > 0);
	cr_expect(choice.told.seq == 4 && strcmp(choice.told.sink, RULES_SINK) == 0);
	cr_expect(!choice.more);
	cr_expect(choose() == 0 && choice.told.sink == NULL, "each event once");
}

Test(dispose_rules, the_type_that_the_content_is_goes_before_the_one_in_its_name)
{
	struct version *version = world_version(yard_path(&y, "x"), 1);
	world_finish(version, OUTCOME_CLEAN);
	snprintf(version->entry.mime, sizeof version->entry.mime, "image/png");
	version->real_mime = xstrdup("application/x-dosexec");
	world_put(&y.w, version);
	cr_expect(choose() == 0);
}

Test(dispose_rules, leaves_what_has_no_verdict_or_lies_elsewhere)
{
	struct version *version = world_version(yard_path(&y, "x"), 1);
	world_fail(version, REASON_FAILED);
	world_put(&y.w, version);
	version = world_version("/elsewhere/y", 2);
	world_finish(version, OUTCOME_MALICIOUS);
	world_put(&y.w, version);
	version = world_version(yard_path(&y, "z"), 3); /* imported: the file is not known */
	version->identity.inode = 0;
	world_finish(version, OUTCOME_MALICIOUS);
	world_put(&y.w, version);
	cr_expect(choose() == 0);
	cr_expect(choice.told.seq == 3, "and goes on behind them");
}

Test(dispose_rules, a_root_that_was_ours_may_be_back)
{
	struct config_root rows[] = { { .path = (char *)"/other" }, { .path = y.root } };
	struct config other = y.config;
	other.roots = rows;
	other.root_count = 2;
	disposal_rules_add_roots(rules, &other);
	y.config.root_count = 0;
	put(1, OUTCOME_MALICIOUS, NULL);
	struct version *version = world_version("/other/y", 2);
	world_finish(version, OUTCOME_MALICIOUS);
	world_put(&y.w, version);
	cr_expect(choose() == 2 && choice.more);
	cr_expect(choose() == 0 && !choice.more);
}

Test(dispose_rules, also_after_a_restart)
{
	cr_assert(choose() == 0 && !choice.intents.note_key);
	world_change(&y.w, "INSERT INTO meta VALUES ('disposal_rootless', 1),"
			   " ('disposal_root_' || CAST(x'2f6f746865722fff' AS TEXT), 2)");
	disposal_rules_free(rules);
	cr_assert(disposal_rules_new(&rules, y.w.db, &err) == 0, "%s", err.text);
	struct version *version = world_version("/other/\xff/y", 2);
	world_finish(version, OUTCOME_MALICIOUS);
	world_put(&y.w, version);
	put(1, OUTCOME_MALICIOUS, NULL);
	cr_expect(choose() == 1 && !choice.intents.note_key);
	disposal_rules_add_roots(rules, &y.config);
	cr_assert(choose() == 0 && choice.intents.note_key);
	cr_expect_str_eq(choice.intents.note_key + strlen("disposal_root_"), y.root);
}

Test(dispose_rules, a_rescan_that_finds_more_is_an_event)
{
	put(1, OUTCOME_CLEAN, "text/plain");
	cr_expect(choose() == 0);
	world_change(&y.w,
		     "UPDATE version SET verdict = 'malicious';"
		     "INSERT INTO event (version_id, kind, was) VALUES (1, 'rescan', 'clean')");
	cr_expect(choose() == 1);
}

Test(dispose_rules, what_was_restored_stays)
{
	int64_t id = put(1, OUTCOME_MALICIOUS, NULL);
	char sql[256];
	snprintf(sql, sizeof sql,
		 "INSERT INTO removal (version_id, action, cause, state, intended_ns, ended_ns)"
		 " VALUES (%lld, 'quarantine', 'rule', 'restored', 1, 2)",
		 (long long)id);
	world_change(&y.w, sql);
	cr_expect(choose() == 0);
}

Test(dispose_rules, takes_a_portion_at_a_time)
{
	for (unsigned n = 1; n <= CHOOSE_AT_ONCE + 1; n++)
		put(n, OUTCOME_MALICIOUS, NULL);
	cr_expect(choose() == CHOOSE_AT_ONCE && choice.more);
	cr_expect(choose() == 1 && !choice.more);
}

Test(dispose_rules, what_cannot_be_read_is_told_and_chosen_when_it_can)
{
	const struct chooser chooser = disposal_rules_chooser(rules);
	struct disposal_rules *none = NULL;
	cr_expect(disposal_rules_new(&none, "/nowhere/x.db", &err) == -ENOENT && !none);
	put(1, OUTCOME_MALICIOUS, NULL);
	world_change(&y.w, "ALTER TABLE removal RENAME TO other");
	cr_expect(chooser.choose(chooser.context, &y.config, &choice, &err) < 0);
	cr_expect(strstr(err.text, "no such table: removal"), "%s", err.text);
	world_change(&y.w, "ALTER TABLE other RENAME TO removal");
	cr_expect(choose() == 1);
}
