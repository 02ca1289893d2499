/* One file, many names: links and renames while it is dealt with. On the real daemon. */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
#define A    "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"
#define B    "HTTP-Fbbbbbbbbbbbbbbbbb.text.plain.txt"

Test(samefile, a_hard_link_is_seen_without_any_close)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char a[512], b[512];
	daemon_path(&d, A, a);
	daemon_path(&d, B, b);
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT state FROM file", "done");
	cr_assert_eq(link(a, b), 0);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached", "1");
	daemon_finish(&d);
}

Test(samefile, a_file_renamed_before_it_could_be_opened_is_scanned_once_under_its_new_name)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_halt(&d);
	char a[512], b[512];
	daemon_path(&d, A, a);
	daemon_path(&d, B, b);
	daemon_put(&d, A, "x");
	cr_assert_eq(rename(a, b), 0);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, "SELECT group_concat(state || ' ' || name) FROM file", "done " B);
	daemon_finish(&d);
}

Test(samefile, a_storm_of_links_is_one_scan_and_many_sightings)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char a[512], b[512], name[64];
	daemon_path(&d, A, a);
	daemon_put(&d, A, "x");
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "HTTP-Flink%u.text.plain.txt", i);
		daemon_path(&d, name, b);
		cr_assert_eq(link(a, b), 0);
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2001");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE NOT cached", "1");
	daemon_finish(&d);
}

/* Fails as long as "mended" is not there; then it waits for "go", and finds what is evil. */
#define FLAKY                                                                                      \
	"workers: 1\ndetectors:\n"                                                                 \
	" - { type: command, name: flaky, retries: 100, retry_pause: 20ms, run: [ /bin/sh, -c, "   \
	"'d=${1%/root/*}; test -e $d/mended || exit 9; until test -e $d/go; do sleep 0.02; done; " \
	"head -c 9 $1 | grep -q evil && exit 1; exit 0', sh, '{path}' ] }\n"

/* A file waits for another try; while the daemon is down it is renamed, and another comes to its
 * old name. */
Test(samefile, a_row_of_a_file_that_was_renamed_between_two_tries_is_not_shared)
{
	struct daemon d;
	daemon_begin(&d, FLAKY);
	char a[512], b[512];
	daemon_path(&d, A, a);
	daemon_path(&d, B, b);
	daemon_put(&d, A, "evil");
	/* hashing it takes longer than the other's commit, whose answers it must not take for its
	 * own */
	cr_assert_eq(truncate(a, 64 << 20), 0);
	daemon_expect(&d, "SELECT wait FROM file", "retry");
	kill(d.pid, SIGKILL);
	(void)daemon_wait_exit(&d);
	cr_assert_eq(rename(a, b), 0);
	daemon_put(&d, A, "harmless");
	daemon_flag(&d, "mended");
	daemon_start(&d);
	daemon_wait_ready(
		&d); /* the row is at work with what lies at its old name; both were met */
	daemon_flag(&d, "go");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	daemon_expect(&d, "SELECT verdict FROM file WHERE name = '" B "' AND state = 'done'",
		      "malicious");
	daemon_expect(&d, "SELECT verdict FROM file WHERE name = '" A "' AND state = 'done'",
		      "clean");
	daemon_expect(&d,
		      "SELECT count(*) FROM file f WHERE state = 'done' AND NOT EXISTS (SELECT 1 "
		      "FROM scan s WHERE s.file_id = f.id AND outcome <> 'error')",
		      "0");
	daemon_finish(&d);
}

/* Clean or not, it takes its time, but for the first file; and finds nothing at a path that has
 * gone. */
#define SLOW                                                                                      \
	"workers: 1\ndetectors:\n"                                                                \
	" - { type: command, name: slow, run: [ /bin/sh, -c, "                                    \
	"'d=${1%/root/*}; test -e $d/slow && sleep 0.5; grep -q evil $1 && exit 1; exit 0', sh, " \
	"'{path}' ] }\n"

/* While what was written into a file is looked at, the file gets the times that it had before, and
 * another name: the answer of that time is not its answer. */
Test(samefile, what_is_being_looked_at_is_no_sighting_of_what_was_there_before)
{
	struct daemon d;
	daemon_begin(&d, SLOW);
	const struct timespec past[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char a[512], b[512];
	daemon_path(&d, A, a);
	daemon_path(&d, B, b);
	daemon_put(&d, A, "good");
	cr_assert_eq(utimensat(AT_FDCWD, a, past, 0), 0);
	daemon_expect(&d, "SELECT verdict || mtime_ns FROM file", "clean1000000000000");
	daemon_flag(&d, "slow");
	daemon_put(&d, A, "evil");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'queued'", "1"); /* at work */
	cr_assert_eq(utimensat(AT_FDCWD, a, past, 0), 0);
	cr_assert_eq(rename(a, b), 0);
	daemon_expect(&d, "SELECT verdict FROM file WHERE name = '" B "' AND state = 'done'",
		      "malicious");
	daemon_finish(&d);
}
