/* The queue of rescans as the daemon works it off. On the real daemon; scenario 25 tells more. */
#include <sqlite3.h>

#include "core/app/control_client.h"
#include "core/base/str.h"
#include "core/store/rescan.h"
#include "daemon_harness.h"

/* A detector that finds everything clean until there is a file "bad" beside the root; "held" keeps
 * it. The word n makes the rules others. */
static void configure(const struct daemon *d, unsigned n, const char *more)
{
	char yaml[1024];
	snprintf(
		yaml, sizeof yaml,
		"roots: [ { path: %s } ]\nhistory: %s\nrescan_interval: 1s\nstop_grace: 0s\n%s"
		"detectors: [ { type: command, run: [ /bin/sh, -c, 'd=${1%%/root/*}; "
		"while test -e $d/held; do sleep 0.01; done; test ! -e $d/bad', sh, '{path}', '%u' "
		"] } ]\n",
		d->root, d->history, more, n);
	daemon_configure(d, yaml);
}

static void ask(const struct daemon *d)
{
	struct store_rescan_options options = { .until_ns = INT64_MAX };
	struct store_rescan_asked asked = { 0 };
	struct error err = { 0 };
	AUTO_STR answer = STR_INIT;
	cr_assert_eq(store_rescan_ask(d->history, &options, &asked, &err), 0, "%s", err.text);
	if (d->pid > 0)
		cr_assert_eq(control_request(d->history, "poke", &answer, &err), 0, "%s", err.text);
}

static void begin(struct daemon *d, unsigned files)
{
	daemon_init(d, "");
	configure(d, 0, "");
	daemon_start(d);
	daemon_wait_ready(d);
	char wanted[16];
	for (unsigned i = 0; i < files; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Fold%u.text.plain.txt", i);
		daemon_put(d, name, name);
	}
	snprintf(wanted, sizeof wanted, "%u", files);
	daemon_expect(d, "SELECT count(*) FROM file WHERE state = 'done'", wanted);
}

static void restart(struct daemon *d, unsigned rules)
{
	cr_assert_eq(daemon_stop(d), 0);
	configure(d, rules, "");
	daemon_flag(d, "bad");
	ask(d);
}

Test(app_rescan, what_was_asked_for_while_it_was_down_is_done_at_the_start)
{
	struct daemon d;
	begin(&d, 5);
	restart(&d, 1);
	daemon_start(&d);
	daemon_expect(&d, "SELECT group_concat(verdict, ' ') FROM file",
		      "malicious malicious malicious malicious malicious");
	daemon_expect(&d, "SELECT count(*) FROM rescan", "0");
	daemon_finish(&d);
}

Test(app_rescan, a_root_that_cannot_be_opened_ends_it_with_the_reason)
{
	struct daemon d;
	char away[128];
	begin(&d, 1);
	restart(&d, 1);
	snprintf(away, sizeof away, "%s/away", d.dir);
	cr_assert_eq(rename(d.root, away), 0);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT state || ' ' || note FROM rescan",
		      "gone No such file or directory");
	daemon_expect(&d, "SELECT state || ' ' || verdict FROM file", "done clean");
	daemon_finish(&d);
}

Test(app_rescan, answers_that_the_history_refuses_end_it)
{
	struct daemon d;
	begin(&d, 1);
	restart(&d, 1);
	sqlite3 *db = NULL;
	cr_assert_eq(sqlite3_open(d.history, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "UPDATE result SET nr = 65535", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	daemon_start(&d);
	daemon_expect(&d, "SELECT state || ': ' || note FROM rescan",
		      "failed: the history refused its answers");
	daemon_expect(&d, "SELECT verdict FROM file", "clean");
	daemon_finish(&d);
}

Test(app_rescan, a_stop_leaves_what_is_under_way)
{
	struct daemon d;
	begin(&d, 3);
	restart(&d, 1);
	daemon_flag(&d, "held");
	daemon_start(&d);
	daemon_wait_ready(&d);
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	while (!strstr(str_text(&text), "\"rescan\":{\"running\":1")) {
		str_reset(&text);
		cr_assert_eq(control_request(d.history, "status", &text, &err), 0, "%s", err.text);
	}
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM rescan WHERE state = 'waiting'", "3");
	daemon_expect(&d, "SELECT count(*) FROM scan", "3");
	daemon_done(&d);
}

Test(app_rescan, an_event_at_its_path_is_looked_at_when_it_is_back)
{
	struct daemon d;
	begin(&d, 1);
	restart(&d, 1);
	daemon_flag(&d, "held");
	daemon_start(&d);
	daemon_wait_ready(&d);
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	while (!strstr(str_text(&text), "\"rescan\":{\"running\":1")) {
		str_reset(&text);
		cr_assert_eq(control_request(d.history, "status", &text, &err), 0, "%s", err.text);
	}
	daemon_put(&d, "HTTP-Fold0.text.plain.txt", "another content");
	char held[128];
	snprintf(held, sizeof held, "%s/held", d.dir);
	cr_assert_eq(unlink(held), 0);
	daemon_expect(&d, "SELECT group_concat(state || verdict, ' ') FROM file",
		      "doneclean donemalicious");
	daemon_expect(&d, "SELECT state FROM rescan", "replaced");
	daemon_finish(&d);
}

Test(app_rescan, links_of_one_file_are_looked_at_one_after_the_other)
{
	struct daemon d;
	char old[512], new[512];
	begin(&d, 1);
	daemon_path(&d, "HTTP-Fold0.text.plain.txt", old);
	for (unsigned i = 0; i < 20; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Flink%u.text.plain.txt", i);
		daemon_path(&d, name, new);
		cr_assert_eq(link(old, new), 0);
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "21");
	restart(&d, 1);
	daemon_start(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE verdict = 'malicious'", "21");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached = 0 AND outcome = 'malicious'",
		      "1");
	daemon_finish(&d);
}
