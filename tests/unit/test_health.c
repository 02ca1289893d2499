/* Who has work and does not get on, on a clock of the test's own; the rest on the real daemon. */
#include "core/app/control_client.h"
#include "core/app/health.h"
#include "core/base/str.h"
#include "daemon_harness.h"

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ 1 + ms * CLOCK_NS_PER_MS };
}

Test(health, only_who_has_work_and_does_nothing_stalls)
{
	struct progress progress = { 0 };
	/* idle for an hour, then work: it has not stalled for an hour */
	progress_note(&progress, false, 0, at_ms(0));
	progress_note(&progress, true, 0, at_ms(3600000));
	cr_assert_eq(progress_stalled_ms(&progress, at_ms(3600005)), 5);
	progress_note(&progress, true, 0, at_ms(3600100));
	cr_assert_eq(progress_stalled_ms(&progress, at_ms(3600200)), 200);
	/* something was done, and there is more */
	progress_note(&progress, true, 1, at_ms(3600300));
	cr_assert_eq(progress_stalled_ms(&progress, at_ms(3600300)), 0);
	cr_assert_eq(progress_stalled_ms(&progress, at_ms(3600400)), 100);
	progress_note(&progress, false, 1, at_ms(3600500));
	cr_assert_eq(progress_stalled_ms(&progress, at_ms(9900000)), 0);
}

static enum control_end ask(const struct daemon *d, struct str *words)
{
	struct error err = { 0 };
	enum control_end end;
	str_reset(words);
	cr_assert_eq(control_order(d->history, "health", &end, words, &err), 0, "%s", err.text);
	return end;
}

/* Waits until it is healthy, or not and says word. */
static void expect(const struct daemon *d, enum control_end wanted, const char *word)
{
	AUTO_STR words = STR_INIT;
	struct mono limit = mono_add_ms(mono_now(), DAEMON_PATIENCE_MS);
	while (ask(d, &words) != wanted || !strstr(str_text(&words), word)) {
		cr_assert(!mono_passed(limit), "%s", str_text(&words));
		poll(NULL, 0, 5);
	}
}

Test(health, a_root_that_is_missing)
{
	struct daemon d;
	char away[128];
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	expect(&d, CONTROL_OK, "healthy");
	snprintf(away, sizeof away, "%s/away", d.dir);
	cr_assert_eq(rename(d.root, away), 0);
	expect(&d, CONTROL_FAILED, d.root);
	cr_assert_eq(rename(away, d.root), 0);
	expect(&d, CONTROL_OK, "healthy");
	daemon_finish(&d);
}

Test(health, a_detector_that_is_away_and_required)
{
	struct daemon d;
	daemon_begin(&d,
		     "detectors:\n - { type: clamd, name: theirs, socket: /nonexistent, required: "
		     "false }\n - { type: clamd, name: needed, socket: /nonexistent }\n");
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	expect(&d, CONTROL_FAILED, "detector needed is away");
	AUTO_STR words = STR_INIT;
	(void)ask(&d, &words);
	cr_assert(!strstr(str_text(&words), "theirs"), "%s", str_text(&words));
	daemon_finish(&d);
}

Test(health, a_history_that_cannot_be_written)
{
	struct daemon d;
	char moved[128], yaml[512];
	daemon_init(&d, "");
	/* it is not to end while we look */
	snprintf(
		yaml, sizeof yaml,
		"roots: [ { path: %s } ]\nhistory: %s\nrescan_interval: 1h\ndetectors: [ { type: noop } ]\n",
		d.root, d.history);
	daemon_configure(&d, yaml);
	daemon_start(&d);
	daemon_wait_ready(&d);
	snprintf(moved, sizeof moved, "%s/elsewhere.db", d.dir);
	cr_assert_eq(rename(d.history, moved), 0);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	expect(&d, CONTROL_FAILED, "the history cannot be written");
	cr_assert_eq(rename(moved, d.history), 0);
	expect(&d, CONTROL_OK, "healthy");
	daemon_finish(&d);
}

Test(health, a_pause_is_no_illness)
{
	struct daemon d;
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum control_end end;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	cr_assert_eq(control_order(d.history, "pause", &end, &words, &err), 0);
	expect(&d, CONTROL_OK, "healthy, paused");
	daemon_finish(&d);
}
