/* Gaps: recorded with their cause and closed by the walk. On the real daemon. */
#include <sqlite3.h>

#include "daemon_harness.h"

Test(gaps, an_overflow_is_recorded_and_made_up_for)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	unsigned queue = 0;
	cr_assert(limit && fscanf(limit, "%u", &queue) == 1);
	fclose(limit);
	if (queue > 100000)
		cr_skip_test("the kernel's queue is too long to fill in a test");
	daemon_halt(&d);
	/* the reader cannot read: each file is three events, so half as many files overflow the
	 * queue */
	unsigned count = queue / 2 + 1000;
	for (unsigned i = 0; i < count; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Fover%u.text.plain.txt", i);
		daemon_put(&d, name, name);
	}
	kill(d.pid, SIGCONT);
	char wanted[32];
	snprintf(wanted, sizeof wanted, "%u", count);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", wanted);
	daemon_expect(
		&d,
		"SELECT count(*) > 0 FROM gap WHERE cause = 'overflow' AND closed_ns >= opened_ns",
		"1");
	daemon_expect(&d, "SELECT sum(found) > 0 FROM gap WHERE cause = 'overflow'", "1");
	daemon_expect(&d, "SELECT count(*) FROM scan", wanted);
	daemon_finish(&d);
}

Test(gaps, a_gap_that_a_killed_daemon_left_open_is_closed_by_the_next)
{
	struct daemon d;
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	cr_assert_eq(rmdir(d.root), 0); /* a missing root is a gap */
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT cause FROM gap WHERE closed_ns IS NULL", "root");
	kill(d.pid, SIGKILL);
	(void)daemon_wait_exit(&d);
	cr_assert_eq(mkdir(d.root, 0755), 0);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	daemon_expect(&d, "SELECT count(*) FROM gap WHERE closed_ns IS NULL", "0");
	daemon_finish(&d);
}

Test(gaps, a_downtime_does_not_end_before_it_began_when_the_clock_was_set_back)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	cr_assert_eq(daemon_stop(&d), 0);
	sqlite3 *raw = NULL;
	cr_assert_eq(sqlite3_open(d.history, &raw), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(raw,
			     "UPDATE meta SET value = value + 3600000000000 WHERE key = 'alive'",
			     NULL, NULL, NULL),
		SQLITE_OK);
	cr_assert_eq(sqlite3_changes(raw), 1);
	sqlite3_close(raw);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d,
		      "SELECT count(*) FROM gap WHERE cause = 'down' AND closed_ns >= opened_ns",
		      "1");
	daemon_finish(&d);
}
