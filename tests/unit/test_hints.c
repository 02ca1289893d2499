/* What the watcher tells, to jobs: directories and names that change places. On the real daemon. */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
#define A    "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"

Test(hints, a_directory_moved_before_its_files_could_be_opened_loses_none)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	char one[512], two[512], name[128];
	daemon_path(&d, "one", one);
	daemon_path(&d, "two", two);
	mkdir(one, 0755);
	daemon_put(&d, "one/" A, "x");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	daemon_halt(&d);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "one/HTTP-Fmove%u.text.plain.txt", i);
		daemon_put(&d, name, name);
	}
	cr_assert_eq(rename(one, two), 0);
	kill(d.pid, SIGCONT);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done' AND path LIKE '%/two/%'",
		      "21");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state != 'done'", "0");
	daemon_finish(&d);
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
		daemon_path(d, names[i], path);
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

Test(hints, two_directories_that_swap_their_names_lose_nothing)
{
	static const char *const names[] = {
		"x/1", "x/2", "x/3", "x/4", "y/1", "y/2", "y/3", "y/4"
	};
	struct daemon d;
	daemon_init(&d, SLOW);
	char x[512], y[512], t[512];
	daemon_path(&d, "x", x);
	daemon_path(&d, "y", y);
	daemon_path(&d, "t", t);
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
	daemon_finish(&d);
}

Test(hints, names_that_are_exchanged_while_their_files_wait_are_both_looked_at)
{
	static const char *const names[] = { "one", "two", "three" };
	struct daemon d;
	daemon_begin(&d, SLOW);
	char one[512], two[512];
	daemon_path(&d, "one", one);
	daemon_path(&d, "two", two);
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
	daemon_finish(&d);
}
