/* disposer: what is chosen is intended, done and told, whenever it is begun or cut short. */
#include "core/base/lock.h"
#include "core/dispose/disposer.h"
#include "core/dispose/rules.h"
#include "dispose_fixture.h"

static struct yard y;
static struct error err;
static struct disposer *disposer;
static const char *const sinks[] = { RULES_SINK, NULL };
static struct config_disposal_rule said[] = {
	{ OUTCOME_MALICIOUS, (char *)"*", CONFIG_DELETE },
};

static struct lock lock;
static pthread_cond_t changed;
static struct str ends;	    /* a state and a blank for each */
static struct str troubles; /* + when there is none any more */

static void ended(void *context, const struct removal *removal, const struct version *version)
{
	(void)context;
	(void)version;
	lock_take(&lock);
	str_printf(&ends, "%s ", removal_state_name(removal->state));
	(void)pthread_cond_broadcast(&changed);
	lock_drop(&lock);
}

static void fails(void *context, const struct error *why)
{
	(void)context;
	lock_take(&lock);
	str_printf(&troubles, "%s\n", why ? why->text : "+");
	(void)pthread_cond_broadcast(&changed);
	lock_drop(&lock);
}

static void idle(void *context)
{
	(void)context;
	lock_take(&lock);
	(void)pthread_cond_broadcast(&changed);
	lock_drop(&lock);
}

static struct disposer_options options = {
	.has_writer = yard_has_writer, .ended = ended, .fails = fails, .idle = idle
};

static void setup(void)
{
	lock_init(&lock);
	lock_condition_init(&changed);
	yard_init(&y);
	y.w.sinks = sinks;
	world_open(&y.w);
	y.config.disposal = said;
	y.config.disposal_count = 1;
}

static void start(void)
{
	options.store = y.w.store;
	cr_assert(disposer_new(&disposer, &options, &y.config, &err) == 0, "%s", err.text);
}

/* As the daemon ends. */
static void stop(void)
{
	disposer_stop(disposer);
	world_close(&y.w);
	disposer_free(disposer);
	disposer = NULL;
}

static void teardown(void)
{
	yard_done(&y);
	str_done(&ends);
	str_done(&troubles);
}

TestSuite(disposer, .init = setup, .fini = teardown);

/* What the loop does with what was committed; true: that operation is among it. */
static bool fetch(const struct store_op *awaited)
{
	struct list out;
	bool back = false;
	list_init(&out);
	store_committed(y.w.store, &out);
	for (struct list *link; (link = list_shift(&out));) {
		struct store_op *op = LIST_OF(link, struct store_op, link);
		back = back || op == awaited;
		if (op->removals)
			disposer_committed(op->owner);
	}
	return back;
}

/* What the loop does, until the words stand there. */
static void serve(const struct str *words, const char *wanted)
{
	struct mono end = mono_add_ms(mono_now(), 240000);
	for (bool there = false; !there;) {
		struct pollfd ready = { .fd = store_fd(y.w.store), .events = POLLIN };
		(void)poll(&ready, 1, 5);
		(void)fetch(NULL);
		lock_take(&lock);
		there = strstr(str_text(words), wanted) != NULL;
		lock_drop(&lock);
		cr_assert(!mono_passed(end), "\"%s\" never came, but %s %s", wanted,
			  str_text(&ends), str_text(&troubles));
	}
}

static void judge(const char *name, enum outcome verdict)
{
	yard_file(&y, name, name);
	struct version *version = yard_version(&y, name, verdict);
	struct store_op op = { .verb = STORE_SAVE, .version = version };
	list_init(&op.link);
	store_submit(y.w.store, &op);
	for (bool back = false; !back; back = fetch(&op)) {
		struct pollfd ready = { .fd = store_fd(y.w.store), .events = POLLIN };
		cr_assert(poll(&ready, 1, 240000) == 1);
	}
	version_free(version);
	disposer_wake(disposer);
}

Test(disposer, removes_what_is_named_and_leaves_the_rest)
{
	start();
	judge("a", OUTCOME_MALICIOUS);
	judge("b", OUTCOME_CLEAN);
	judge("c", OUTCOME_MALICIOUS);
	serve(&ends, "removed removed ");
	cr_expect(!yard_there(&y, "a") && yard_there(&y, "b") && !yard_there(&y, "c"));
	struct disposer_status status = { 0 };
	disposer_status(disposer, &status);
	cr_expect(status.ended[REMOVAL_REMOVED] == 2);
	stop();
	world_open(&y.w);
	EXPECT_SQL(&y.w, "SELECT state, count(*) FROM removal GROUP BY 1", "removed|2");
	EXPECT_SQL(&y.w, "SELECT count(*) FROM event", "0");
}

static int64_t intended_then;

static void ask_intended(int nth)
{
	struct disposer_status status = { 0 };
	if (nth != 1)
		return;
	disposer_status(disposer, &status);
	intended_then = status.intended;
}

Test(disposer, tells_what_is_intended_while_it_is_at_it)
{
	judge("a", OUTCOME_MALICIOUS);
	judge("b", OUTCOME_MALICIOUS);
	yard_deed = ask_intended;
	start();
	serve(&ends, "removed removed ");
	cr_expect(intended_then == 2, "%lld", (long long)intended_then);
	struct disposer_status status = { 0 };
	disposer_status(disposer, &status);
	cr_expect(status.intended == 0);
	stop();
}

static int64_t silent_then;

/* As a disk that does not answer. */
static void stand_still(int nth)
{
	struct disposer_status status = { .silent_ms = -1 };
	struct mono end = mono_add_ms(mono_now(), 240000);
	while (nth == 1 && status.silent_ms < 30 && !mono_passed(end))
		disposer_status(disposer, &status);
	if (nth == 1)
		silent_then = status.silent_ms;
}

Test(disposer, tells_how_long_it_has_not_got_on)
{
	struct disposer_status status = { 0 };
	judge("a", OUTCOME_MALICIOUS);
	yard_deed = stand_still;
	start();
	serve(&ends, "removed ");
	cr_expect_geq(silent_then, 30);
	while (disposer_busy(disposer))
		serve(&ends, "");
	disposer_status(disposer, &status);
	cr_expect_eq(status.silent_ms, -1, "%lld", (long long)status.silent_ms);
	stop();
}

Test(disposer, takes_up_what_was_intended)
{
	judge("a", OUTCOME_CLEAN);
	world_change(&y.w, "INSERT INTO removal (version_id, action, cause, due_ns, intended_ns)"
			   " VALUES (1, 'delete', 'age', 9000000000000000000, 1)");
	start();
	serve(&ends, "removed ");
	cr_expect(!yard_there(&y, "a"));
	stop();
}

Test(disposer, tells_trouble_and_tries_again)
{
	cr_assert(chmod(y.quarantine, 0755) == 0);
	start();
	judge("a", OUTCOME_MALICIOUS);
	serve(&troubles, "0700");
	cr_expect(yard_there(&y, "a"));
	cr_assert(chmod(y.quarantine, 0700) == 0);
	disposer_wake(disposer);
	serve(&ends, "removed ");
	serve(&troubles, "+");
	stop();
}

/* While the quarantine cannot be had nothing is done of what is due. */
Test(disposer, does_not_try_again_at_once)
{
	size_t tries = 0;
	cr_assert(chmod(y.quarantine, 0755) == 0);
	judge("a", OUTCOME_CLEAN);
	world_change(&y.w, "INSERT INTO removal (version_id, action, cause, intended_ns)"
			   " VALUES (1, 'delete', 'age', 1)");
	start();
	serve(&troubles, "0700");
	for (int i = 0; i < 40 || disposer_busy(disposer); i++)
		serve(&ends, "");
	lock_take(&lock);
	for (const char *at = str_text(&troubles); (at = strchr(at, '\n')); at++)
		tries++;
	lock_drop(&lock);
	cr_expect_lt(tries, 20, "%zu", tries);
	stop();
}

Test(disposer, goes_by_other_rules_when_it_is_told)
{
	start();
	struct config other = y.config;
	other.disposal_count = 0;
	disposer_configure(disposer, &other);
	judge("a", OUTCOME_MALICIOUS);
	while (disposer_busy(disposer))
		serve(&ends, "");
	disposer_configure(disposer, &y.config);
	judge("b", OUTCOME_MALICIOUS);
	serve(&ends, "removed ");
	cr_expect(!yard_there(&y, "b"));
	cr_expect(yard_there(&y, "a"));
	stop();
}

/* Also one that came and went before anybody looked at the configuration that had it. */
Test(disposer, what_is_judged_while_its_root_is_out_goes_when_it_is_back)
{
	struct config other = y.config;
	struct disposer_status status = { 0 };
	other.root_count = 0;
	options.store = y.w.store;
	cr_assert(disposer_new(&disposer, &options, &other, &err) == 0, "%s", err.text);
	disposer_configure(disposer, &y.config);
	disposer_configure(disposer, &other);
	judge("a", OUTCOME_MALICIOUS);
	while (disposer_busy(disposer))
		serve(&ends, "");
	disposer_status(disposer, &status);
	cr_expect(status.intended == 1 && yard_there(&y, "a"));
	world_change(&y.w, "UPDATE removal SET due_ns = 9000000000000000000");
	disposer_configure(disposer, &y.config);
	serve(&ends, "removed ");
	cr_expect(!yard_there(&y, "a"));
	stop();
}

/* The verdict turned, and so did what is said of such, before it could be done. */
Test(disposer, goes_by_the_verdict_of_the_time_when_it_is_done)
{
	struct config_disposal_rule rules[] = {
		{ OUTCOME_CLEAN, (char *)"*", CONFIG_DELETE },
		{ OUTCOME_MALICIOUS, (char *)"*", CONFIG_QUARANTINE },
	};
	y.config.disposal = rules;
	y.config.disposal_count = 2;
	judge("a", OUTCOME_MALICIOUS);
	judge("b", OUTCOME_UNKNOWN);
	judge("c", OUTCOME_CLEAN);
	world_change(&y.w, "DELETE FROM event");
	world_change(&y.w, "INSERT INTO removal (version_id, action, cause, intended_ns)"
			   " VALUES (1, 'delete', 'rule', 1), (2, 'delete', 'rule', 1),"
			   " (3, 'quarantine', 'rule', 1)");
	start();
	serve(&ends, "quarantined left quarantined ");
	cr_expect(!yard_there(&y, "a") && yard_there(&y, "b") && !yard_there(&y, "c"));
	stop();
	world_open(&y.w);
	EXPECT_SQL(&y.w, "SELECT action, state FROM removal ORDER BY id",
		   "quarantine|quarantined\ndelete|left\nquarantine|quarantined");
}

Test(disposer, what_was_taken_and_is_kept_by_now_goes_back)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-1.taken", y.quarantine);
	judge("a", OUTCOME_CLEAN);
	world_change(&y.w, "INSERT INTO removal (version_id, action, cause, intended_ns)"
			   " VALUES (1, 'delete', 'rule', 1)");
	cr_assert(rename(yard_path(&y, "a"), taken) == 0);
	start();
	serve(&ends, "left ");
	cr_expect(yard_there(&y, "a"));
	stop();
	cr_expect(yard_count(y.quarantine) == 0);
}

Test(disposer, a_history_that_is_not_there_is_told)
{
	struct config other = y.config;
	options.store = y.w.store;
	other.history = (char *)"/nowhere/x.db";
	cr_expect(disposer_new(&disposer, &options, &other, &err) == -ENOENT && !disposer);
	cr_expect(strstr(err.text, "/nowhere/x.db"), "%s", err.text);
}

Test(disposer, is_stopped_while_it_waits_for_the_history)
{
	judge("a", OUTCOME_MALICIOUS);
	start(); /* nobody fetches what was committed */
	stop();
	cr_expect(yard_there(&y, "a"));
	world_open(&y.w);
	start();
	serve(&ends, "removed ");
	cr_expect(!yard_there(&y, "a"));
	stop();
}

Test(disposer, rests_when_there_is_nothing_to_do)
{
	start();
	while (disposer_busy(disposer))
		serve(&ends, "");
	judge("a", OUTCOME_CLEAN);
	while (disposer_busy(disposer))
		serve(&ends, "");
	cr_expect(yard_there(&y, "a"));
	stop();
	disposer_wake(NULL);
	disposer_stop(NULL);
	disposer_free(NULL);
	cr_expect(!disposer_busy(NULL));
}
