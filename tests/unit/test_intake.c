/* From hints to jobs: renames, links, special files, sidecars, what vanishes. On the real daemon.
 */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
#define A    "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"
#define B    "HTTP-Fbbbbbbbbbbbbbbbbb.text.plain.txt"

static void path_in(const struct daemon *d, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", d->root, name);
}

static void start(struct daemon *d, const char *yaml)
{
	daemon_init(d, yaml);
	daemon_start(d);
	daemon_wait_ready(d);
}

static void finish(struct daemon *d)
{
	cr_assert_eq(daemon_stop(d), 0);
	daemon_done(d);
}

Test(intake, a_hard_link_is_seen_without_any_close)
{
	struct daemon d;
	start(&d, NOOP);
	char a[512], b[512];
	path_in(&d, A, a);
	path_in(&d, B, b);
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT state FROM file", "done");
	cr_assert_eq(link(a, b), 0);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached", "1");
	finish(&d);
}

Test(intake, special_files_are_not_regular_and_never_opened)
{
	struct daemon d;
	start(&d, NOOP);
	char a[512], b[512];
	path_in(&d, A, a);
	path_in(&d, B, b);
	cr_assert_eq(mkfifo(a, 0644), 0);
	cr_assert_eq(symlink("/etc/passwd", b), 0);
	daemon_expect(
		&d,
		"SELECT count(*) FROM file WHERE state = 'unscanned' AND reason = 'not-regular'",
		"2");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	finish(&d);
}

Test(intake, sidecars_and_work_files_are_no_files_of_their_own)
{
	struct daemon d;
	start(&d, NOOP);
	char path[512];
	path_in(&d, "ab", path);
	mkdir(path, 0755);
	path_in(&d, "tmp", path);
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
	finish(&d);
}

Test(intake, a_name_without_a_scheme_is_recorded_and_not_opened)
{
	struct daemon d;
	start(&d, NOOP);
	daemon_put(&d, "mail", "x");
	daemon_expect(&d, "SELECT state || ' ' || reason || ' ' || size FROM file",
		      "unscanned unmatched 1");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	finish(&d);
}

Test(intake, a_file_that_is_gone_before_it_could_be_opened_vanished)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	daemon_start(&d);
	daemon_wait_ready(&d);
	kill(d.pid, SIGSTOP);
	char a[512];
	path_in(&d, A, a);
	daemon_put(&d, A, "x");
	unlink(a);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, "SELECT state || ' ' || reason FROM file", "unscanned vanished");
	finish(&d);
}

Test(intake, a_file_renamed_before_it_could_be_opened_is_scanned_once_under_its_new_name)
{
	struct daemon d;
	start(&d, NOOP);
	kill(d.pid, SIGSTOP);
	char a[512], b[512];
	path_in(&d, A, a);
	path_in(&d, B, b);
	daemon_put(&d, A, "x");
	cr_assert_eq(rename(a, b), 0);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, "SELECT group_concat(state || ' ' || name) FROM file", "done " B);
	finish(&d);
}

Test(intake, a_directory_moved_before_its_files_could_be_opened_loses_none)
{
	struct daemon d;
	start(&d, NOOP);
	char one[512], two[512], name[128];
	path_in(&d, "one", one);
	path_in(&d, "two", two);
	mkdir(one, 0755);
	daemon_put(&d, "one/" A, "x");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	kill(d.pid, SIGSTOP);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "one/HTTP-Fmove%u.text.plain.txt", i);
		daemon_put(&d, name, name);
	}
	cr_assert_eq(rename(one, two), 0);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done' AND path LIKE '%/two/%'",
		      "21");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state != 'done'", "0");
	finish(&d);
}

#define SLOW                                                                                          \
	"workers: 1\nunmatched: scan\ndetectors: [ { type: command, name: slow, run: [ /bin/sh, -c, " \
	"'sleep 0.1', sh, '{path}' ] } ]\n"

/* Each path that is there has a row of its file that is done, and nothing is left queued. */
static void expect_all_done(const struct daemon *d, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char path[512], sql[700];
		struct stat st;
		path_in(d, names[i], path);
		cr_assert_eq(stat(path, &st), 0);
		snprintf(
			sql, sizeof sql,
			"SELECT count(*) FROM file WHERE path = '%s' AND inode = %llu AND mtime_ns = %lld AND "
			"state = 'done'",
			path, (unsigned long long)st.st_ino,
			(long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
		daemon_expect(d, sql, "1");
	}
	daemon_expect(d, "SELECT count(*) FROM pending", "0");
}

Test(intake, two_directories_that_swap_their_names_lose_nothing)
{
	static const char *const names[] = {
		"x/1", "x/2", "x/3", "x/4", "y/1", "y/2", "y/3", "y/4"
	};
	struct daemon d;
	daemon_init(&d, SLOW);
	char x[512], y[512], t[512];
	path_in(&d, "x", x);
	path_in(&d, "y", y);
	path_in(&d, "t", t);
	mkdir(x, 0755);
	mkdir(y, 0755);
	daemon_start(&d);
	daemon_wait_ready(&d);
	for (size_t i = 0; i < 8; i++)
		daemon_put(&d, names[i], names[i]);
	daemon_expect(&d, "SELECT count(*) > 0 FROM file WHERE state = 'done'", "1");
	cr_assert_eq(rename(x, t), 0);
	cr_assert_eq(rename(y, x), 0);
	cr_assert_eq(rename(t, y), 0);
	expect_all_done(&d, names, 8);
	finish(&d);
}

Test(intake, names_that_are_exchanged_while_their_files_wait_are_both_looked_at)
{
	static const char *const names[] = { "one", "two", "three" };
	struct daemon d;
	start(&d, SLOW);
	char one[512], two[512];
	path_in(&d, "one", one);
	path_in(&d, "two", two);
	for (unsigned round = 0; round < 5; round++) {
		for (size_t i = 0; i < 3; i++) {
			char text[32];
			snprintf(text, sizeof text, "%s %u", names[i], round);
			daemon_put(&d, names[i], text);
		}
		cr_assert_eq(renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE), 0);
		cr_assert_eq(renameat2(AT_FDCWD, two, AT_FDCWD, one, RENAME_EXCHANGE), 0);
		cr_assert_eq(renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE), 0);
		expect_all_done(&d, names, 3);
	}
	finish(&d);
}

Test(intake, a_storm_of_links_is_one_scan_and_many_sightings)
{
	struct daemon d;
	start(&d, NOOP);
	char a[512], b[512], name[64];
	path_in(&d, A, a);
	daemon_put(&d, A, "x");
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "HTTP-Flink%u.text.plain.txt", i);
		path_in(&d, name, b);
		cr_assert_eq(link(a, b), 0);
	}
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2001");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE NOT cached", "1");
	finish(&d);
}
