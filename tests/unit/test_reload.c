/* SIGHUP: a bad configuration is refused, a good one takes effect. On the real daemon. */
#include "core/app/control_client.h"
#include "core/base/str.h"
#include "daemon_harness.h"

static void write_list(const struct daemon *d, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/list", d->dir);
	FILE *file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

/* SHA-256 of "x" */
#define LISTED "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 Listed\n"

Test(reload, lists_are_read_anew_and_old_answers_are_stale)
{
	struct daemon d;
	daemon_init(&d, "");
	write_list(&d, "# nothing yet\n");
	char yaml[512];
	snprintf(
		yaml, sizeof yaml,
		"roots: [ { path: %s } ]\nhistory: %s\ndetectors: [ { type: hashlist, file: list } ]\n",
		d.root, d.history);
	daemon_configure(&d, yaml);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	daemon_expect(&d, "SELECT verdict FROM file", "clean");
	write_list(&d, LISTED);
	kill(d.pid, SIGHUP);
	/* the signal and the file are handled in any order: names differ until the list is in force
	 */
	for (unsigned i = 0;; i++) {
		char name[64], sql[128], got[256];
		snprintf(name, sizeof name, "HTTP-Ftry%u.text.plain.txt", i);
		daemon_put(&d, name, "x");
		snprintf(sql, sizeof sql, "SELECT state FROM file WHERE name = '%s'", name);
		daemon_expect(&d, sql, "done");
		snprintf(sql, sizeof sql, "SELECT verdict FROM file WHERE name = '%s'", name);
		daemon_sql(&d, sql, got);
		if (strcmp(got, "malicious") == 0)
			break;
		cr_assert(i < 1000);
	}
	daemon_expect(&d, "SELECT signature FROM scan WHERE outcome = 'malicious'", "Listed");
	daemon_finish(&d);
}

Test(reload, a_bad_configuration_is_refused_and_the_old_one_stays)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	daemon_configure(&d, "detectors: [ { type: nonsense } ]\n");
	kill(d.pid, SIGHUP);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	daemon_expect(&d, "SELECT verdict FROM file", "clean");
	daemon_finish(&d);
}

static void expect_reload(const struct daemon *d, enum control_end wanted, const char *word)
{
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum control_end end;
	cr_assert_eq(control_order(d->history, "reload", &end, &words, &err), 0, "%s", err.text);
	cr_assert_eq(end, wanted, "%s", str_text(&words));
	cr_assert(strstr(str_text(&words), word), "%s", str_text(&words));
}

Test(reload, whoever_asks_for_it_hears_how_it_ended)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	daemon_configure(&d, "detectors: [ { type: nonsense } ]\n");
	expect_reload(&d, CONTROL_REFUSED, "nonsense");
	char yaml[512];
	snprintf(yaml, sizeof yaml, "roots: [ { path: %s } ]\nhistory: %s\nevents: events.json\n",
		 d.root, d.history);
	daemon_configure(&d, yaml);
	expect_reload(&d, CONTROL_OK,
		      "\nanother file or format of events takes effect at the next start");
	daemon_finish(&d);
}

/* The configuration with more behind what daemon_init() wrote. */
static void configure(const struct daemon *d, const char *more)
{
	char yaml[512];
	snprintf(yaml, sizeof yaml,
		 "roots: [ { path: %s } ]\nhistory: %s\ndetectors: [ { type: noop } ]\n%s\n",
		 d->root, d->history, more);
	daemon_configure(d, yaml);
}

/* A good reload says that something waits for the next start, or, NULL, that nothing does. */
static void expect_waits(const struct daemon *d, const char *more, const char *what)
{
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum control_end end;
	configure(d, more);
	cr_assert_eq(control_order(d->history, "reload", &end, &words, &err), 0, "%s", err.text);
	cr_assert_eq(end, CONTROL_OK, "%s", str_text(&words));
	bool says = strstr(str_text(&words), "at the next start");
	cr_expect_eq(says, what != NULL, "%s: %s", more, str_text(&words));
	cr_expect(!what || strstr(str_text(&words), what), "%s: %s", more, str_text(&words));
}

Test(reload, what_waits_for_the_next_start_is_said_as_long_as_it_does)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	expect_waits(&d, "events: e.json", "another file or format of events takes effect");
	expect_waits(&d, "events: e.json", "another file or format of events takes effect");
	expect_waits(&d, "", NULL);
	expect_waits(&d, "alert: { run: [ x ] }", "another alert takes effect");
	expect_waits(&d, "alert: { run: [ x ] }\nworkers: 3", "another alert takes effect");
	expect_waits(&d, "retention: { count: 1 }", "retention begins");
	expect_waits(&d, "retention: { count: 1 }", "retention begins");
	expect_waits(&d, "retention: { quarantine: 90d }", "how long files stay in the quarantine");
	expect_waits(&d, "", NULL);
	daemon_finish(&d);
}

Test(reload, retention_that_was_there_ends_and_begins_again_at_once)
{
	struct daemon d;
	daemon_begin(&d, "retention: { count: 9 }\ndetectors: [ { type: noop } ]\n");
	expect_waits(&d, "retention: { count: 8, quarantine: 90d }", NULL);
	configure(&d, "");
	expect_reload(&d, CONTROL_OK, "\nretention has ended, but for what is intended already");
	expect_waits(&d, "retention: { count: 9 }", NULL);
	daemon_finish(&d);
}
