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
	kill(d.pid, SIGSTOP);
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
