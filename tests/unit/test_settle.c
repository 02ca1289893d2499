/* What waits for time: files with a writer, slow detectors whose files want a row. On the real
 * daemon. */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
#define A    "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"

Test(settle, a_file_found_by_the_walk_with_a_writer_waits_for_its_close)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	char a[512];
	snprintf(a, sizeof a, "%s/%s", d.root, A);
	int fd = open(a, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_eq(write(fd, "half", 4), 4);
	daemon_start(&d);
	daemon_wait_ready(&d);
	/* it is told as waiting for its writer */
	daemon_expect(&d, "SELECT state || ' ' || wait FROM file", "queued writer");
	cr_assert_eq(write(fd, "whole", 5), 5);
	close(fd);
	daemon_expect(&d, "SELECT state || ' ' || size FROM file", "done 9");
	daemon_expect(&d, "SELECT count(*) FROM file", "1");
	daemon_finish(&d);
}

Test(settle, a_file_that_takes_long_is_queued_in_the_history_meanwhile)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: command, timeout: 60s, run: [ /bin/sh, -c, "
			 "'tail -f /dev/null', sh, '{path}' ] } ]\nstop_grace: 1s\n");
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT state FROM file", "queued");
	/* what was running when the grace was over stays queued */
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_expect(&d, "SELECT state FROM file", "queued");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	daemon_done(&d);
}

Test(settle, two_writers_the_last_version_has_all_bytes)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char a[512];
	snprintf(a, sizeof a, "%s/%s", d.root, A);
	int one = open(a, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	int two = open(a, O_WRONLY | O_APPEND | O_CLOEXEC);
	cr_assert_eq(write(one, "1", 1), 1);
	close(one); /* a close, but not the last writer's */
	cr_assert_eq(write(two, "2", 1), 1);
	close(two);
	daemon_expect(&d, "SELECT size FROM file WHERE state = 'done' ORDER BY id DESC", "2");
	daemon_finish(&d);
}

Test(settle, a_file_that_grows_while_it_waits_leaves_no_row_queued)
{
	struct daemon d;
	daemon_init(
		&d,
		"workers: 1\ndetectors: [ { type: command, run: [ /bin/sh, -c, 'sleep 0.3', sh, "
		"'{path}' ] } ]\n");
	daemon_start(&d);
	daemon_wait_ready(&d);
	char name[64];
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "HTTP-Fgrow%u.text.plain.txt", i);
		daemon_put(&d, name, name);
	}
	daemon_expect(&d,
		      "SELECT count(*) FROM file WHERE state = 'queued' AND name LIKE '%grow3%'",
		      "1");
	daemon_put(&d, name, "longer than it was before, by far and large");
	daemon_expect(&d, "SELECT size FROM file WHERE state = 'done' AND name LIKE '%grow3%'",
		      "43");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_finish(&d);
}

Test(settle, files_that_are_held_open_do_not_keep_others_out)
{
	enum {
		HELD = 600
	};

	static int held[HELD];
	struct daemon d;
	daemon_begin(&d, NOOP);
	char path[512];
	for (unsigned i = 0; i < HELD; i++) {
		snprintf(path, sizeof path, "%s/HTTP-Fheld%u.text.plain.txt", d.root, i);
		held[i] = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		cr_assert(held[i] >= 0);
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE wait = 'writer'", "600");
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	for (unsigned i = 0; i < HELD; i++)
		close(held[i]);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "601");
	daemon_finish(&d);
}

/* A directory is a link for a moment, and is back before the watcher could see that it was gone. */
Test(settle, a_link_in_the_way_counts_once_all_events_are_in)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	char dir[512], away[512];
	daemon_path(&d, "d", dir);
	daemon_path(&d, "away", away);
	cr_assert_eq(mkdir(dir, 0755), 0);
	daemon_put(&d, "d/HTTP-Fone.text.plain.txt", "x");
	daemon_expect(&d, "SELECT state FROM file", "done");
	daemon_halt(&d);
	daemon_put(&d, "d/HTTP-Ftwo.text.plain.txt", "y");
	cr_assert_eq(rename(dir, away), 0);
	cr_assert_eq(symlink("/etc", dir), 0);
	kill(d.pid, SIGCONT);
	/* what lies at the link's end is not told of as ours */
	daemon_expect(&d, "SELECT count(*) FROM file WHERE path LIKE '%/away/%' AND state = 'done'",
		      "2");
	cr_assert_eq(unlink(dir), 0);
	cr_assert_eq(rename(away, dir), 0);
	daemon_expect(
		&d,
		"SELECT count(DISTINCT path) FROM file WHERE path LIKE '%/d/%' AND state = 'done'",
		"2");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_finish(&d);
}
