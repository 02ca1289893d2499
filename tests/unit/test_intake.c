/* From paths to jobs: special files, sidecars, names without a scheme, what vanishes. On the real
 * daemon. */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
#define A    "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"
#define B    "HTTP-Fbbbbbbbbbbbbbbbbb.text.plain.txt"

Test(intake, special_files_are_not_regular_and_never_opened)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char a[512], b[512];
	daemon_path(&d, A, a);
	daemon_path(&d, B, b);
	cr_assert_eq(mkfifo(a, 0644), 0);
	cr_assert_eq(symlink("/etc/passwd", b), 0);
	daemon_expect(
		&d,
		"SELECT count(*) FROM file WHERE state = 'unscanned' AND reason = 'not-regular'",
		"2");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	daemon_finish(&d);
}

Test(intake, sidecars_and_work_files_are_no_files_of_their_own)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char path[512];
	daemon_path(&d, "ab", path);
	mkdir(path, 0755);
	daemon_path(&d, "tmp", path);
	mkdir(path, 0755);
	static const char sha[] =
		"abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";
	char name[160], side[160];
	snprintf(name, sizeof name, "ab/%s", sha);
	snprintf(side, sizeof side, "ab/%s.1525123869.1.json", sha);
	daemon_put(&d, "tmp/file.7", "part");
	daemon_put(&d, side, "{}");
	daemon_put(&d, name, "x");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	daemon_expect(&d, "SELECT count(*) FROM file", "2");
	daemon_finish(&d);
}

Test(intake, a_name_without_a_scheme_is_recorded_and_not_opened)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_put(&d, "mail", "x");
	daemon_expect(&d, "SELECT state || ' ' || reason || ' ' || size FROM file",
		      "unscanned unmatched 1");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	daemon_finish(&d);
}

Test(intake, a_file_that_is_gone_before_it_could_be_opened_vanished)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	daemon_halt(&d);
	char a[512];
	daemon_path(&d, A, a);
	daemon_put(&d, A, "x");
	unlink(a);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, "SELECT state || ' ' || reason FROM file", "unscanned vanished");
	daemon_finish(&d);
}
