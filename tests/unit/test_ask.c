/* Asking detectors: retries, reuse under the key, who decides. On the real daemon. */
#include "core/app/ask.h"
#include "core/app/engine.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/breaker.h"
#include "core/detect/detect.h"
#include "core/store/version.h"
#include "daemon_harness.h"

#define TXT "HTTP-F%s.text.plain.txt"
#define PDF "HTTP-F%s.application.pdf.pdf"

static void put(const struct daemon *d, const char *format, const char *fuid, const char *text)
{
	char name[128];
	snprintf(name, sizeof name, format, fuid);
	daemon_put(d, name, text);
}

Test(ask, outcomes_are_reused_across_restarts_under_the_same_key_only)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: command, run: [ /bin/true, '{path}' ] } ]\n");
	put(&d, TXT, "one", "x");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached = 0", "1");
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_start(&d);
	daemon_wait_ready(&d);
	put(&d, TXT, "two", "x");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached = 1", "1");
	/* an answer keeps the time at which it was given, so that it grows too old one day */
	daemon_expect(&d, "SELECT count(DISTINCT finished_ns) FROM scan", "1");
	/* a command may look at the type: a clean text does not clear a document of the same bytes
	 */
	put(&d, PDF, "three", "x");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached = 0", "2");
	daemon_finish(&d);
}

Test(ask, errors_are_tried_again_and_never_reused)
{
	struct daemon d;
	daemon_begin(
		&d,
		"detectors: [ { type: command, retries: 2, retry_pause: 1s, run: [ /bin/sh, -c, 'exit 7', "
		"sh, '{path}' ] } ]\n");
	put(&d, TXT, "one", "x");
	daemon_expect(&d, "SELECT state || ' ' || wait FROM file", "queued retry");
	daemon_expect(&d, "SELECT state || ' ' || reason FROM file", "unscanned failed");
	daemon_expect(&d, "SELECT group_concat(attempt || outcome) FROM scan", "1error,2error");
	put(&d, TXT, "two", "x");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE reason = 'failed'", "2");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE cached", "0");
	daemon_finish(&d);
}

Test(ask, one_malicious_outcome_decides_though_another_detector_failed)
{
	struct daemon d;
	daemon_begin(
		&d,
		"detectors:\n"
		" - { type: command, name: broken, run: [ /bin/sh, -c, 'exit 7', sh, '{path}' ] }\n"
		" - { type: command, name: sure, run: [ /bin/false, '{path}' ] }\n");
	put(&d, TXT, "one", "x");
	daemon_expect(&d, "SELECT state || ' ' || verdict FROM file", "done malicious");
	daemon_expect(
		&d,
		"SELECT group_concat(detector || outcome) FROM (SELECT * FROM scan ORDER BY detector)",
		"brokenerror,suremalicious");
	daemon_finish(&d);
}

Test(ask, what_is_definite_is_not_asked_again_when_another_detector_is)
{
	struct daemon d;
	daemon_begin(
		&d,
		"detectors:\n"
		" - { type: command, name: broken, retries: 3, retry_pause: 1s, run: [ /bin/sh, -c, "
		"'exit 7', sh, '{path}' ] }\n"
		" - { type: command, name: fine, run: [ /bin/true, '{path}' ] }\n");
	put(&d, TXT, "one", "x");
	daemon_expect(&d, "SELECT reason FROM file", "failed");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE detector = 'fine'", "1");
	daemon_expect(&d, "SELECT count(*) FROM scan WHERE detector = 'broken'", "3");
	daemon_finish(&d);
}

/* The command fails as long as there is no "mended". */
#define FLAKY                                                                                  \
	"detectors:\n"                                                                         \
	" - { type: hashlist, file: bad.sha256 }\n"                                            \
	" - { type: command, name: flaky, retries: 100, retry_pause: 1s, run: [ /bin/sh, -c, " \
	"'test -e ${1%/root/*}/mended || exit 9', sh, '{path}' ] }\n"

static void write_list(const struct daemon *d)
{
	char list[128];
	snprintf(list, sizeof list, "%s/bad.sha256", d->dir);
	FILE *file = fopen(list, "w");
	cr_assert(file);
	fputs("b5c1fb2efc6d6b4674c2fdcc48ce01b43a3b7c03763c0c3355de0099ee0f8c73  Evil\n", /* "evil"
											   */
	      file);
	fclose(file);
}

static void replace(const struct daemon *d, const char *name, const char *text)
{
	char from[512], to[512];
	snprintf(from, sizeof from, "%s/new", d->dir);
	daemon_path(d, name, to);
	FILE *file = fopen(from, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
	cr_assert_eq(rename(from, to), 0);
}

Test(ask, what_was_said_of_another_content_does_not_stand_for_the_one_that_took_its_place)
{
	struct daemon d;
	daemon_init(&d, FLAKY);
	write_list(&d);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "harmless");
	daemon_expect(&d, "SELECT state || wait FROM file", "queuedretry");
	daemon_flag(&d, "mended");
	replace(&d, "HTTP-Fone.text.plain.txt", "evil");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done' AND size = 4", "1");
	/* each content has a row and answers of its own; the first keeps what was said of it */
	daemon_expect(&d, "SELECT reason || ' ' || attempt FROM file WHERE size = 8", "vanished 1");
	daemon_expect(
		&d,
		"SELECT group_concat(detector || outcome || attempt, ' ') FROM (SELECT s.* FROM "
		"scan s JOIN file f ON f.id = s.file_id WHERE f.size = 4 ORDER BY detector)",
		"flakyclean1 hashlistmalicious1");
	daemon_finish(&d);
}

#define EVIL                                                                                 \
	"SELECT group_concat(DISTINCT state || ' ' || verdict) FROM file WHERE sha256 LIKE " \
	"'b5c1fb2e%'"

Test(ask, a_content_forged_while_the_daemon_was_down_is_asked_about_for_itself)
{
	struct daemon d;
	daemon_init(&d, FLAKY);
	write_list(&d);
	daemon_start(&d);
	daemon_wait_ready(&d);
	char path[512];
	daemon_path(&d, "HTTP-Fone.text.plain.txt", path);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "good");
	daemon_expect(&d, "SELECT state || wait FROM file", "queuedretry");
	daemon_flag(&d, "mended");
	kill(d.pid, SIGKILL);
	(void)daemon_wait_exit(&d);
	daemon_forge(path, "evil");
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, EVIL, "done malicious");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	put(&d, TXT, "copy", "evil");
	daemon_expect(&d, "SELECT verdict FROM file WHERE name LIKE '%copy%'", "malicious");
	daemon_finish(&d);
}

Test(ask, a_file_that_vanished_between_two_tries_and_came_back_forged_is_asked_about_anew)
{
	struct daemon d;
	daemon_init(&d, FLAKY);
	write_list(&d);
	daemon_start(&d);
	daemon_wait_ready(&d);
	char path[512], away[512];
	daemon_path(&d, "HTTP-Fone.text.plain.txt", path);
	snprintf(away, sizeof away, "%s/away", d.dir);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "good");
	daemon_expect(&d, "SELECT state || wait FROM file", "queuedretry");
	daemon_flag(&d, "mended");
	cr_assert_eq(rename(path, away), 0);
	daemon_expect(&d, "SELECT reason FROM file", "vanished");
	daemon_forge(away, "evil");
	cr_assert_eq(rename(away, path), 0);
	daemon_expect(&d, EVIL, "done malicious");
	put(&d, TXT, "copy", "evil");
	daemon_expect(&d, "SELECT verdict FROM file WHERE name LIKE '%copy%'", "malicious");
	daemon_finish(&d);
}

/* Fails as long as there is no "mended"; then it waits for somebody at the FIFO "go-on", until
 * there is "through". */
#define HELD                                                                            \
	"detectors:\n"                                                                  \
	" - { type: hashlist, file: bad.sha256 }\n"                                     \
	" - { type: command, name: held, retries: 100, retry_pause: 1s, timeout: 90s, " \
	"read: go-on, run: [ /bin/sh, -c, 'cd ${1%/root/*}; test -e mended || exit 9; " \
	"test -e through || exec cat go-on', sh, '{path}' ] }\n"

static void daemon_file(const struct daemon *d, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", d->dir, name);
}

/* The command is at the file, which changes under it without an event: what it says is worth
 * nothing. */
static void change_while_asked(const struct daemon *d, off_t size, bool last)
{
	char path[512];
	daemon_path(d, "HTTP-Fone.text.plain.txt", path);
	int fd = daemon_hold(d, "go-on");
	cr_assert_eq(truncate(path, size), 0);
	if (last)
		daemon_flag(d, "through");
	close(fd);
}

Test(ask, a_look_that_led_nowhere_leaves_no_hash_for_earlier_answers_to_stand_for)
{
	struct daemon d;
	daemon_init(&d, HELD);
	write_list(&d);
	char path[512], file[512];
	daemon_file(&d, "go-on", file);
	cr_assert_eq(mkfifo(file, 0600), 0);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_path(&d, "HTTP-Fone.text.plain.txt", path);
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "good");
	daemon_expect(&d, "SELECT state || wait FROM file", "queuedretry");
	daemon_flag(&d, "mended");
	daemon_forge(path, "evil");
	change_while_asked(&d, 5, false);
	change_while_asked(&d, 4, false);
	change_while_asked(&d, 5, true);
	/* so often changed: put off, with what was said of "good" */
	daemon_expect(&d, "SELECT substr(sha256, 1, 8) FROM file WHERE wait = 'settle'",
		      "770e6076");
	cr_assert_eq(truncate(path, 4), 0);
	daemon_expect(&d, EVIL, "done malicious");
	daemon_expect(&d, "SELECT count(*) FROM pending", "0");
	daemon_finish(&d);
}

/* Port 1 of the loopback: nobody listens there. */
static void ask_in_vain(const struct engine *engine, const struct entry *entry)
{
	AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct scan_request request = { .path = "/x",
					      .entry = entry,
					      .fd = fd,
					      .deadline = mono_add_ms(mono_now(), 60000),
					      .cancel_fd = -1 };
	struct answer answer = { 0 };
	detector_scan(engine->detectors[0], &request, &answer);
	cr_assert(answer.away);
	answer_done(&answer);
}

Test(ask, a_version_that_waits_for_a_server_waits_on_unread_while_it_is_known_to_be_away)
{
	static char remote[] = "remote", url[] = "http://127.0.0.1:1/";
	struct config_detector row = { .type = remote,
				       .name = remote,
				       .url = url,
				       .required = true,
				       .wait_ms = 3600000,
				       .retries = 1 };
	struct config config = { .refs = 1, .detectors = &row, .detector_count = 1 };
	struct engine *engine = NULL;
	struct error err = { 0 };
	cr_assert_eq(engine_new(&engine, &config, &err), 0, "%s", err.text);
	AUTO(version) struct version *version = version_new("/r/x", 4);
	version->away_since_ns = clock_wall_ns();
	cr_assert_not(ask_waits_on(engine, version), "nobody has found out");
	for (int i = 0; i < BREAKER_FAILURES; i++)
		ask_in_vain(engine, &version->entry);
	cr_assert(ask_waits_on(engine, version));
	cr_assert_eq(version->state, VERSION_QUEUED);
	cr_assert(strstr(version->note, "remote is away: http://127.0.0.1:1: "), "%s",
		  version->note);
	row.required = false;
	cr_assert_not(ask_waits_on(engine, version), "nobody waits for it");
	row.required = true;
	version->away_since_ns = 0;
	cr_assert_not(ask_waits_on(engine, version),
		      "a new file is looked up in the history first");
	engine_unref(engine);
}
