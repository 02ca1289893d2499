/* Stop, join, once; and what is left for the next start. On the real daemon. */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"

static void put_many(const struct daemon *d, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Fmany%u.text.plain.txt", i);
		daemon_put(d, name, name);
	}
}

Test(ends, once_deals_with_what_is_there_and_ends)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	d.once = true;
	put_many(&d, 0, 300);
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "300");
	/* again: nothing is scanned twice */
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM file", "300");
	daemon_expect(&d, "SELECT count(*) FROM scan", "300");
	daemon_done(&d);
}

Test(ends, join_finishes_what_is_queued_and_leaves_new_files_alone)
{
	struct daemon d;
	daemon_init(&d,
		    "workers: 1\ndetectors: [ { type: command, run: [ /bin/sh, -c, "
		    "'tail -f /dev/null & wait', sh, '{path}' ], timeout: 1s, retries: 1 } ]\n");
	daemon_start(&d);
	daemon_wait_ready(&d);
	put_many(&d, 0, 3);
	daemon_expect(&d, "SELECT count(*) FROM file", "3");
	kill(d.pid, SIGUSR1);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE reason = 'failed'", "3");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE outcome = 'timeout'", "3");
	daemon_done(&d);
}

Test(ends, a_killed_daemon_scans_the_rest_at_its_next_start_and_nothing_twice)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	put_many(&d, 0, 500);
	char count[256];
	do
		daemon_sql(&d, "SELECT count(*) > 50 FROM file", count);
	while (strcmp(count, "1") != 0);
	kill(d.pid, SIGKILL);
	cr_assert_eq(daemon_wait_exit(&d), -SIGKILL);
	put_many(&d, 500, 1000); /* while nobody looks */
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1000");
	daemon_expect(&d, "SELECT count(*) FROM file", "1000");
	daemon_expect(&d, "SELECT count(DISTINCT name) FROM file", "1000");
	daemon_expect(&d, "SELECT count(*) FROM scan", "1000");
	daemon_expect(&d, "SELECT group_concat(cause) FROM gap WHERE closed_ns IS NOT NULL",
		      "down");
	daemon_finish(&d);
}

Test(ends, term_ends_it_although_the_history_cannot_be_written)
{
	struct daemon d;
	daemon_begin(&d, "stop_grace: 100ms\n" NOOP);
	char moved[128];
	snprintf(moved, sizeof moved, "%s/elsewhere.db", d.dir);
	cr_assert_eq(rename(d.history, moved), 0); /* writing on would write to nowhere */
	put_many(&d, 0, 20);
	cr_assert_eq(daemon_stop(&d), 0);
	cr_assert_eq(rename(moved, d.history), 0);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "20");
	daemon_finish(&d);
}

Test(ends, once_gives_a_row_to_a_file_that_is_still_written)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	d.once = true;
	put_many(&d, 0, 1);
	char path[512];
	daemon_path(&d, "HTTP-Fopen.text.plain.txt", path);
	FILE *open_file = fopen(path, "w");
	cr_assert(open_file);
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(
		&d,
		"SELECT group_concat(state || coalesce(wait, ''), ' ') FROM (SELECT * FROM file "
		"ORDER BY state)",
		"done queuedwriter");
	fclose(open_file);
	daemon_done(&d);
}

/* It would be for as long as the command may take; and what waits behind it is nobody's. */
Test(ends, a_history_that_was_taken_away_is_no_reason_to_wait_for_detectors)
{
	struct daemon d;
	daemon_begin(&d,
		     "workers: 1\ndetectors: [ { type: command, timeout: 5m, run: [ /bin/sh, -c, "
		     "'test -e ${1%/root/*}/go || sleep 300', sh, '{path}' ] } ]\n");
	put_many(&d, 0, 3);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'queued'", "3");
	char index[128];
	snprintf(index, sizeof index, "%s-shm", d.history);
	cr_assert_eq(unlink(index), 0);
	put_many(&d, 3, 4); /* something to write */
	cr_assert_eq(daemon_wait_exit(&d), 3);
	daemon_flag(&d, "go");
	daemon_start(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "4");
	daemon_finish(&d);
}
