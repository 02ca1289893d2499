/* The queue in the history: more files than memory holds, retries that are due, pokes. On the real
 * daemon. */
#include <sqlite3.h>

#include "core/app/control_client.h"
#include "core/base/str.h"
#include "core/store/maintain.h"
#include "daemon_harness.h"

static void put_many(const struct daemon *d, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Fmany%u.text.plain.txt", i);
		daemon_put(d, name, name);
	}
}

Test(backlog, more_files_than_the_window_holds_are_all_done_once)
{
	struct daemon d;
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	put_many(&d, 6000);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "6000");
	daemon_expect(&d, "SELECT count(*) FROM scan", "6000");
	daemon_finish(&d);
}

Test(backlog, behind_a_slow_detector_files_wait_in_the_history)
{
	struct daemon d;
	daemon_begin(&d, "workers: 1\nstop_grace: 0s\ndetectors: [ { type: command, timeout: 60s, "
			 "run: [ tail, -f, /dev/null, '{path}' ] } ]\n");
	put_many(&d, 5000);
	daemon_expect(&d, "SELECT count(*) FROM pending", "5000");
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'queued'", "5000");
	daemon_done(&d);
}

Test(backlog, a_failed_file_comes_back_by_retry_and_a_poke)
{
	struct daemon d;
	daemon_init(
		&d,
		"detectors: [ { type: command, retries: 2, retry_pause: 1s, run: [ /bin/sh, -c, "
		"'test -e ${1%/root/*}/mended || exit 9', sh, '{path}' ] } ]\n");
	daemon_start(&d);
	daemon_wait_ready(&d);
	put_many(&d, 1);
	daemon_expect(&d, "SELECT state || ' ' || reason FROM file", "unscanned failed");
	daemon_expect(&d, "SELECT group_concat(attempt || outcome, ' ') FROM scan",
		      "1error 2error");
	char mended[128];
	snprintf(mended, sizeof mended, "%s/mended", d.dir);
	close(open(mended, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	int64_t count = 0;
	struct error err = { 0 };
	AUTO_STR answer = STR_INIT;
	cr_assert_eq(store_retry(d.history, NULL, 0, &count, &err), 0, "%s", err.text);
	cr_assert_eq(count, 1);
	cr_assert_eq(control_request(d.history, "poke", &answer, &err), 0, "%s", err.text);
	daemon_expect(&d, "SELECT state || ' ' || verdict FROM file", "done clean");
	/* each attempt has a number of its own */
	daemon_expect(&d, "SELECT group_concat(attempt || outcome, ' ') FROM scan",
		      "1error 2error 3clean");
	daemon_finish(&d);
}

Test(backlog, retry_counts_anew_for_the_detector_that_failed_and_asks_no_other)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: command, name: one, run: [ /bin/true, '{path}' ] }, "
			 "{ type: command, name: two, retries: 2, retry_pause: 100ms, "
			 "run: [ /bin/sh, -c, 'exit 9', sh, '{path}' ] } ]\n");
	put_many(&d, 1);
	for (unsigned times = 1; times <= 3; times++) {
		char wanted[128] = "one1clean";
		for (unsigned i = 1; i <= 2 * times; i++)
			snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted),
				 " two%uerror", i);
		daemon_expect(&d, "SELECT coalesce(reason, state) FROM file", "failed");
		daemon_expect(&d,
			      "SELECT group_concat(detector || attempt || outcome, ' ') FROM scan",
			      wanted);
		int64_t count = 0;
		struct error err = { 0 };
		AUTO_STR answer = STR_INIT;
		cr_assert_eq(store_retry(d.history, NULL, 0, &count, &err), 0, "%s", err.text);
		cr_assert_eq(count, 1);
		cr_assert_eq(control_request(d.history, "poke", &answer, &err), 0, "%s", err.text);
	}
	daemon_finish(&d);
}

/* A second row of a path, say of the content that it has by now, becomes due while a job is at that
 * path; and another file is always being scanned. */
Test(backlog, a_row_that_a_job_at_its_path_hid_is_seen_when_that_is_through)
{
	struct daemon d;
	daemon_begin(
		&d,
		"workers: 3\nstop_grace: 0s\ndetectors: [ { type: command, timeout: 10m, run: [ /bin/sh, "
		"-c, 'until test -e ${1%/root/*}/go-${1##*/}; do sleep 0.02; done', sh, "
		"'{path}' ] } ]\n");
	daemon_put(&d, "HTTP-Flong.text.plain.txt", "long");
	daemon_put(&d, "HTTP-Fshort.text.plain.txt", "short");
	daemon_expect(&d, "SELECT count(*) FROM pending", "2");
	sqlite3 *raw = NULL;
	cr_assert_eq(sqlite3_open(d.history, &raw), SQLITE_OK);
	sqlite3_busy_timeout(raw, 60000);
	cr_assert_eq(
		sqlite3_exec(raw,
			     "INSERT INTO version (dir_id, name, inode, btime_ns, size, mtime_ns,"
			     " state, first_seen_ns) SELECT dir_id, name, inode, btime_ns, 99, 9,"
			     " 'queued', first_seen_ns FROM version WHERE name LIKE '%short%'",
			     NULL, NULL, NULL),
		SQLITE_OK, "%s", sqlite3_errmsg(raw));
	sqlite3_close(raw);
	AUTO_STR answer = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d.history, "poke", &answer, &err), 0, "%s", err.text);
	daemon_flag(&d, "go-HTTP-Fshort.text.plain.txt");
	daemon_expect(&d, "SELECT count(*) FROM pending", "1");
	daemon_flag(&d, "go-HTTP-Flong.text.plain.txt");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_finish(&d);
}
