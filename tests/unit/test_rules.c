/* The digests in force, as the daemon notes them in the history. On the real daemon. */
#include "daemon_harness.h"

static void configure(const struct daemon *d, const char *detectors)
{
	char yaml[512];
	snprintf(yaml, sizeof yaml,
		 "roots: [ { path: %s } ]\nhistory: %s\nrescan: auto\ndetectors: [ %s ]\n", d->root,
		 d->history, detectors);
	daemon_configure(d, yaml);
}

#define NAMES "SELECT group_concat(detector, ' ') FROM (SELECT detector FROM rules ORDER BY 1)"

Test(rules, those_of_each_configured_detector_are_noted_at_the_start_and_by_a_reload)
{
	struct daemon d;
	daemon_init(&d, "");
	configure(&d, "{ type: noop, name: a }, { type: noop, name: b }");
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, NAMES, "a b");
	configure(&d, "{ type: noop, name: b }, { type: noop, name: c }");
	kill(d.pid, SIGHUP);
	daemon_expect(&d, NAMES, "b c");
	daemon_finish(&d);
}

Test(rules, many_reloads_at_once_end_with_the_last_ones)
{
	struct daemon d;
	daemon_init(&d, "");
	configure(&d, "{ type: noop, name: n0 }");
	daemon_start(&d);
	daemon_wait_ready(&d);
	for (unsigned i = 1; i <= 20; i++) {
		char detector[64];
		snprintf(detector, sizeof detector, "{ type: noop, name: n%u }", i);
		configure(&d, detector);
		kill(d.pid, SIGHUP);
	}
	daemon_expect(&d, NAMES, "n20");
	daemon_finish(&d);
}

Test(rules, a_run_with_once_notes_them_and_asks_for_nothing)
{
	struct daemon d;
	daemon_init(&d, "");
	configure(&d, "{ type: command, run: [ /bin/sh, -c, 'exit 0', sh, '{path}' ] }");
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	d.once = true;
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	configure(&d, "{ type: command, run: [ /bin/sh, -c, 'exit 1', sh, '{path}' ] }");
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM stale", "1");
	daemon_expect(&d, "SELECT count(*) FROM rescan", "0");
	/* the daemon catches up */
	d.once = false;
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT verdict FROM file", "malicious");
	daemon_expect(&d, "SELECT count(*) FROM stale", "0");
	daemon_finish(&d);
}
