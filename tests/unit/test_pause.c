/* Pause and resume, on the real daemon. */
#include "core/app/control_client.h"
#include "core/base/str.h"
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
/* Waits at a FIFO beside the root, so that a test knows that a worker is at a file. */
#define HELD                                                                                 \
	"workers: 1\ndetectors: [ { type: command, name: held, timeout: 200s, read: go-on, " \
	"run: [ /bin/sh, -c, 'cd ${1%/root/*}; test -e through || exec cat go-on', sh, "     \
	"'{path}' ] } ]\n"
#define QUEUED "SELECT count(*) FROM file WHERE state = 'queued'"
#define DONE   "SELECT count(*) FROM file WHERE state = 'done'"

static void order(const struct daemon *d, const char *what, enum control_end wanted,
		  const char *word)
{
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum control_end end;
	cr_assert_eq(control_order(d->history, what, &end, &words, &err), 0, "%s", err.text);
	cr_assert_eq(end, wanted, "%s", str_text(&words));
	cr_assert(strstr(str_text(&words), word), "%s", str_text(&words));
}

static void expect_status(const struct daemon *d, const char *part)
{
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d->history, "status", &text, &err), 0, "%s", err.text);
	cr_assert(strstr(str_text(&text), part), "%s", str_text(&text));
}

/* Until nothing is with workers. */
static void await_rest(const struct daemon *d)
{
	struct mono limit = mono_add_ms(mono_now(), DAEMON_PATIENCE_MS);
	for (;;) {
		AUTO_STR text = STR_INIT;
		struct error err = { 0 };
		cr_assert_eq(control_request(d->history, "status", &text, &err), 0, "%s", err.text);
		if (strstr(str_text(&text), "\"queue\":{\"running\":0,"))
			return;
		cr_assert(!mono_passed(limit), "%s", str_text(&text));
		poll(NULL, 0, 5);
	}
}

static void put_some(const struct daemon *d, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char name[64];
		snprintf(name, sizeof name, "HTTP-Fsome%u.text.plain.txt", i);
		daemon_put(d, name, name);
	}
}

static void begin_held(struct daemon *d)
{
	char file[512];
	daemon_init(d, HELD);
	snprintf(file, sizeof file, "%s/go-on", d->dir);
	cr_assert_eq(mkfifo(file, 0600), 0);
	daemon_start(d);
	daemon_wait_ready(d);
}

Test(pause, new_files_are_queued_and_looked_at_after_it)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	order(&d, "pause", CONTROL_OK, "paused");
	order(&d, "pause", CONTROL_OK, "already");
	expect_status(&d, "\"state\":\"paused\"");
	put_some(&d, 0, 50);
	daemon_expect(&d, QUEUED, "50");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	order(&d, "resume", CONTROL_OK, "resumed");
	daemon_expect(&d, DONE, "50");
	expect_status(&d, "\"paused\":null");
	order(&d, "resume", CONTROL_OK, "not paused");
	daemon_finish(&d);
}

static struct timespec written_at(const struct daemon *d)
{
	char wal[128];
	struct stat st;
	snprintf(wal, sizeof wal, "%s-wal", d->history);
	cr_assert_eq(stat(wal, &st), 0);
	return st.st_mtim;
}

Test(pause, what_is_queued_is_left_alone)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	order(&d, "pause", CONTROL_OK, "paused");
	put_some(&d, 0, 300);
	daemon_expect(&d, QUEUED, "300");
	await_rest(&d);
	struct timespec before = written_at(&d);
	/* each is a turn of the loop, which would fetch them */
	for (unsigned i = 0; i < 200; i++)
		expect_status(&d, "\"state\":\"paused\"");
	struct timespec after = written_at(&d);
	cr_assert(before.tv_sec == after.tv_sec && before.tv_nsec == after.tv_nsec,
		  "rows are written anew");
	daemon_finish(&d);
}

Test(pause, a_worker_finishes_its_file_and_what_waits_for_it_goes_to_the_history)
{
	struct daemon d;
	begin_held(&d);
	put_some(&d, 0, 1);
	int fd = daemon_hold(&d, "go-on");
	put_some(&d, 1, 40);
	daemon_expect(&d, QUEUED, "40"); /* given to the pool, and slow */
	order(&d, "pause", CONTROL_OK, "finish now: 1");
	daemon_flag(&d, "through");
	close(fd);
	daemon_expect(&d, DONE, "1");
	await_rest(&d);
	char scans[256];
	daemon_sql(&d, "SELECT count(*) FROM scan", scans);
	cr_assert_str_eq(scans, "1");
	put_some(&d, 40, 41);
	daemon_expect(&d, QUEUED, "40");
	order(&d, "resume", CONTROL_OK, "resumed");
	daemon_expect(&d, DONE, "41");
	daemon_finish(&d);
}

Test(pause, what_changes_without_a_sign_is_looked_at_after_it)
{
	struct daemon d;
	daemon_begin(&d, "hash: always\n" NOOP);
	char path[512];
	daemon_path(&d, "HTTP-Fone.text.plain.txt", path);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "good");
	daemon_expect(&d, DONE, "1");
	order(&d, "pause", CONTROL_OK, "paused");
	daemon_forge(path, "evil");
	put_some(&d, 0, 1); /* told after it */
	daemon_expect(&d, QUEUED, "1");
	expect_status(&d, "\"doubts_left\":1");
	order(&d, "resume", CONTROL_OK, "resumed");
	daemon_expect(&d, DONE, "3");
	daemon_finish(&d);
}

Test(pause, a_reload_leaves_it_and_a_join_ends_it)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	order(&d, "pause", CONTROL_OK, "paused");
	put_some(&d, 0, 5);
	daemon_expect(&d, QUEUED, "5");
	order(&d, "reload", CONTROL_OK, "reloaded");
	expect_status(&d, "\"state\":\"paused\"");
	kill(d.pid, SIGUSR1);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, DONE, "5");
	daemon_done(&d);
}

Test(pause, a_stop_leaves_the_queue_and_the_next_start_is_not_paused)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	order(&d, "pause", CONTROL_OK, "paused");
	put_some(&d, 0, 5);
	daemon_expect(&d, QUEUED, "5");
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_expect(&d, QUEUED, "5");
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, DONE, "5");
	daemon_finish(&d);
}

Test(pause, a_run_that_ends_by_itself_is_not_paused)
{
	struct daemon d;
	char file[512];
	daemon_init(&d, HELD);
	d.once = true;
	snprintf(file, sizeof file, "%s/go-on", d.dir);
	cr_assert_eq(mkfifo(file, 0600), 0);
	put_some(&d, 0, 2);
	daemon_start(&d);
	int fd = daemon_hold(&d, "go-on");
	order(&d, "pause", CONTROL_FAILED, "--once");
	daemon_flag(&d, "through");
	close(fd);
	cr_assert_eq(daemon_wait_exit(&d), 0);
	daemon_expect(&d, DONE, "2");
	daemon_done(&d);
}
