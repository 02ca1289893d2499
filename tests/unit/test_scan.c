/* The life of one file on a worker: what is not scanned, and why. On the real daemon. */
#include "daemon_harness.h"

#define A "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"
#define B "HTTP-Fbbbbbbbbbbbbbbbbb.application.pdf.pdf"

Test(scan, what_is_too_large_is_not_read)
{
	struct daemon d;
	daemon_begin(&d, "max_file_size: 1K\ndetectors: [ { type: noop } ]\n");
	char big[2048];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	daemon_put(&d, A, big);
	daemon_expect(&d, "SELECT state || ' ' || reason || ' ' || (sha256 IS NULL) FROM file",
		      "unscanned oversize 1");
	daemon_finish(&d);
}

Test(scan, without_a_detector_for_its_type_a_file_says_so)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop, mime: [ 'image/*' ] } ]\n");
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT state || ' ' || reason FROM file", "unscanned no-detector");
	daemon_finish(&d);
}

Test(scan, the_hash_is_of_the_content)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	daemon_put(&d, A, "abc"); /* FIPS 180-4's example */
	daemon_expect(&d, "SELECT sha256 FROM file",
		      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	daemon_finish(&d);
}

Test(scan, a_file_that_changes_while_it_is_scanned_is_scanned_again)
{
	/* the detector waits at a FIFO until the change is made, once */
	struct daemon d;
	char path[512];
	daemon_init(&d, "detectors: [ { type: command, read: go-on, run: [ /bin/sh, -c, "
			"'cd ${1%/root/*}; test -e did || cat go-on', sh, '{path}' ] } ]\n");
	snprintf(path, sizeof path, "%s/go-on", d.dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_put(&d, A, "x");
	int held = daemon_hold(&d, "go-on");
	daemon_path(&d, A, path);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	cr_assert_eq(write(fd, "more\n", 5), 5);
	close(fd);
	daemon_flag(&d, "did");
	close(held);
	daemon_expect(&d, "SELECT state || ' ' || size FROM file ORDER BY id DESC", "done 6");
	daemon_expect(
		&d, "SELECT count(*) FROM scan s JOIN file f ON f.id = s.file_id WHERE f.size = 1",
		"0");
	daemon_finish(&d);
}

/* Its writer may not be counted yet; when it is, that is waited for. */
Test(scan, an_empty_file_that_a_walk_meets_is_not_new_when_it_is_looked_at)
{
	struct daemon d;
	char from[512], to[512], path[640];
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	snprintf(from, sizeof from, "%s/made-elsewhere", d.dir);
	snprintf(to, sizeof to, "%s/made-elsewhere", d.root);
	snprintf(path, sizeof path, "%s/" A, from);
	cr_assert_eq(mkdir(from, 0755), 0);
	cr_assert_eq(mknod(path, S_IFREG | 0644, 0), 0);
	cr_assert_eq(rename(from, to), 0); /* so a walk meets it at once */
	daemon_expect(&d,
		      "SELECT s.started_ns - f.mtime_ns >= 100000000 FROM scan s"
		      " JOIN file f ON f.id = s.file_id",
		      "1");
	daemon_finish(&d);
}

Test(scan, an_unreadable_file_says_why_and_comes_back_when_it_is_readable)
{
	if (geteuid() != 0)
		cr_skip_test("needs root, to become somebody who may not read");
	struct daemon d;
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	cr_assert_eq(chmod(d.dir, 0777), 0);
	cr_assert_eq(chmod(d.root, 0777), 0);
	daemon_put(&d, A, "x");
	char path[512];
	snprintf(path, sizeof path, "%s/%s", d.root, A);
	cr_assert_eq(chmod(path, 0600), 0);
	fflush(NULL);
	/* twice: a reader must not meet the history while another user's daemon is making it */
	for (unsigned round = 0; round < 2; round++) {
		d.once = round == 0;
		d.pid = fork();
		if (d.pid == 0) {
			if (setgid(65534) || setuid(65534))
				_exit(9);
			daemon_child(&d);
		}
		if (d.once)
			cr_assert_eq(daemon_wait_exit(&d), 0);
	}
	daemon_expect(&d, "SELECT state || ' ' || reason || ' ' || note FROM file",
		      "unscanned unreadable Permission denied");
	cr_assert_eq(chmod(path, 0644), 0);
	daemon_expect(&d, "SELECT state || ' ' || verdict FROM file", "done clean");
	daemon_finish(&d);
}

Test(scan, bad_and_good_together)
{
	struct daemon d;
	daemon_init(&d, "");
	char list[128], yaml[512];
	snprintf(list, sizeof list, "%s/list", d.dir);
	FILE *file = fopen(list, "w");
	fputs("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 Listed\n", file);
	fclose(file);
	snprintf(
		yaml, sizeof yaml,
		"roots: [ { path: %s } ]\nhistory: %s\ndetectors: [ { type: hashlist, file: list }, "
		"{ type: command, retries: 1, run: [ /bin/false, '{path}' ], mime: [ 'application/pdf' ] } ]\n",
		d.root, d.history);
	daemon_configure(&d, yaml);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT verdict FROM file WHERE mime = 'text/plain'", "malicious");
	daemon_put(&d, B, "y"); /* false exits with 1: malicious, says the contract of commands */
	daemon_expect(&d, "SELECT verdict FROM file WHERE mime = 'application/pdf'", "malicious");
	daemon_expect(&d, "SELECT count(*) FROM scan", "3");
	daemon_expect(&d, "SELECT count(*) FROM detections", "2");
	daemon_finish(&d);
}

/* Keeps the only worker, while "go" is not there, at every file with "slow" in its name. */
#define ONE_WORKER                                                                        \
	"workers: 1\ndetectors: [ { type: command, run: [ /bin/sh, -c, "                  \
	"'case $1 in *slow*) until test -e ${1%/root/*}/go; do sleep 0.02; done;; esac; " \
	"grep -q evil $1 && exit 1; exit 0', sh, '{path}' ] } ]\n"

/* A file that is done is renamed while the worker is busy; its new path. */
static void rename_before_a_worker_has_time(const struct daemon *d, char renamed[512])
{
	char a[512];
	daemon_path(d, A, a);
	daemon_path(d, "HTTP-Fcccccccccccccccccc.text.plain.txt", renamed);
	daemon_put(d, A, "harmless");
	daemon_expect(d, "SELECT state FROM file", "done");
	daemon_put(d, "HTTP-Fslow.text.plain.txt", "blocks the worker");
	daemon_expect(d, "SELECT count(*) FROM pending", "1");
	cr_assert_eq(rename(a, renamed), 0);
	daemon_expect(d, "SELECT count(*) FROM pending", "2");
}

Test(scan, what_was_known_of_a_file_does_not_hold_once_it_has_changed)
{
	struct daemon d;
	daemon_begin(&d, ONE_WORKER);
	char renamed[512];
	rename_before_a_worker_has_time(&d, renamed);
	int fd = open(renamed, O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_assert_eq(write(fd, "evil", 4), 4);
	close(fd);
	daemon_flag(&d, "go");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_expect(&d,
		      "SELECT group_concat(verdict) FROM file WHERE name LIKE '%ccc%' AND size = 4",
		      "malicious");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE verdict = 'clean' AND size = 4", "0");
	daemon_finish(&d);
}

Test(scan, nor_once_it_may_have_changed_under_its_old_time)
{
	struct daemon d;
	daemon_begin(&d, ONE_WORKER);
	char renamed[512];
	rename_before_a_worker_has_time(&d, renamed);
	daemon_forge(renamed, "evil");
	/* longer ago than the doubt about changes within a tick reaches back */
	struct stat st;
	cr_assert_eq(stat(renamed, &st), 0);
	int64_t changed_ns = st.st_ctim.tv_sec * CLOCK_NS_PER_S + st.st_ctim.tv_nsec;
	while (clock_wall_ns() < changed_ns + 100 * CLOCK_NS_PER_MS)
		(void)poll(NULL, 0, 10);
	daemon_flag(&d, "go");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_expect(&d,
		      "SELECT count(*) FROM file WHERE name LIKE '%ccc%' AND verdict = 'malicious'",
		      "1");
	daemon_finish(&d);
}
