/* command: placeholders, environment, exit statuses, reports, and names that try to run something.
 */
#include <sys/socket.h>

#include <criterion/criterion.h>
#include <errno.h>

#include "core/sandbox/landlock.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "HTTP-Fab.cap.application.pdf.pdf");
	cr_assert_eq(chdir(fixture.dir), 0); /* where injected commands would leave their marker */
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(command, .init = setup, .fini = teardown, .timeout = 120);

static struct config_detector row_of(char **run)
{
	return (struct config_detector){ .type = (char *)"command",
					 .name = (char *)"tool",
					 .run = run,
					 .timeout_ms = 60000,
					 .line = 12 };
}

static struct answer ask(char **run)
{
	const struct config_detector row = row_of(run);
	return fixture_ask(&fixture, &row, NULL);
}

/* A script that says each of its arguments in brackets, and "malicious", so that it is kept. */
static char *teller(void)
{
	char *path = fixture_path(&fixture, "teller");
	fixture_write(path, "#!/bin/sh\nprintf '[%s]' \"$@\"\nexit 1\n");
	cr_assert_eq(chmod(path, 0755), 0);
	return path;
}

static void expect_said(const struct answer *answer, const struct str *expected)
{
	AUTO_STR detail = STR_INIT;
	str_puts(&detail, "{\"stdout\": ");
	str_json(&detail, expected->data, expected->len);
	str_putc(&detail, '}');
	cr_expect_eq(answer->outcome, OUTCOME_MALICIOUS);
	cr_expect_str_eq(answer->detail, str_text(&detail));
}

Test(command, placeholders_are_replaced_inside_each_word)
{
	AUTO_FREE char *tool = teller();
	struct answer answer = ask(WORDS(tool, "{path}", "{fd}", "--type={mime}", "{name}{name}",
					 "{unknown} {} {path"));
	AUTO_STR expected = STR_INIT;
	const char *name = fixture.path + fixture.request.name_offset;
	str_printf(&expected,
		   "[%s][/proc/self/fd/4][--type=application/pdf][%s%s][{unknown} {} {path]",
		   fixture.path, name, name);
	expect_said(&answer, &expected);
	answer_done(&answer);
}

Test(command, names_run_nothing)
{
	AUTO_FREE char *tool = teller();
	for (size_t i = 0; i < FIXTURE_NAMES; i++) {
		struct fixture hostile;
		fixture_init(&hostile, fixture_names[i]);
		const struct config_detector row =
			row_of(WORDS(tool, "{path}", "x{name}", "{name}"));
		struct answer answer = fixture_ask(&hostile, &row, NULL);
		AUTO_STR expected = STR_INIT;
		str_printf(&expected, "[%s][x%s][%s]", hostile.path, fixture_names[i],
			   fixture_names[i]);
		expect_said(&answer, &expected);
		cr_expect_not(fixture_has(&hostile, "marker"));
		cr_expect_not(fixture_has(&fixture, "marker"));
		answer_done(&answer);
		fixture_done(&hostile);
	}
}

Test(command, placeholders_in_program_text_are_refused)
{
	char **const cases[] = {
		WORDS("sh", "-c", "scan {path}"),
		WORDS("timeout", "5", "bash", "-o", "pipefail", "-ec", "scan '{name}'"),
		WORDS("python3", "-c", "print('{mime}')"),
		WORDS("{path}"),
		WORDS("{name}", "x"),
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct config_detector row = row_of(cases[i]);
		struct detector *detector = NULL;
		struct error err = { 0 };
		cr_expect_eq(detector_open(&detector, &row, &fixture_config, &err), -EINVAL);
		cr_expect(strstr(err.text, "detector tool (line 12): "), "%s", err.text);
	}
	struct answer answer =
		ask(WORDS("sh", "-c", "test -r \"$1\" && test -r {fd}", "sh", "{path}"));
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN, "%s", answer.detail);
	answer_done(&answer);
}

Test(command, exit_statuses_and_reports)
{
	static const struct {
		const char *text;
		enum outcome outcome;
		const char *signature, *detail;
	} cases[] = {
		{ "exit 0", OUTCOME_CLEAN, NULL, NULL },
		{ "echo FOUND; exit 1", OUTCOME_MALICIOUS, NULL, "{\"stdout\": \"FOUND\\n\"}" },
		{ "echo why >&2; exit 2", OUTCOME_ERROR, NULL,
		  "{\"error\": \"exit status 2\", \"stderr\": \"why\\n\"}" },
		{ "kill -ABRT $$", OUTCOME_ERROR, NULL,
		  "{\"error\": \"killed by signal 6 (SIGABRT)\"}" },
		{ "echo '{\"outcome\":\"suspicious\",\"signature\":\"S\"}' >&3", OUTCOME_SUSPICIOUS,
		  "S", NULL },
		{ "exec 3>&-; exit 0", OUTCOME_CLEAN, NULL, NULL },
		{ "echo garbage >&3", OUTCOME_ERROR, NULL, NULL },
		{ "head -c 70000 /dev/zero | tr '\\0' ' ' >&3", OUTCOME_ERROR, NULL,
		  "{\"error\": \"exit status 0, bad report on descriptor 3\", "
		  "\"report_error\": \"it is longer than 65536 bytes\"}" },
		{ "printf '{\"outcome\":\"clean\",\"detail\":\"' >&3; head -c 10000000 /dev/zero >&3; exit 0",
		  OUTCOME_ERROR, NULL, NULL },
		{ "head -c 1000 /dev/urandom >&3", OUTCOME_ERROR, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer = ask(WORDS("sh", "-c", (char *)cases[i].text));
		cr_expect_eq(answer.outcome, cases[i].outcome, "%s: %s", cases[i].text,
			     answer.detail);
		cr_expect(cases[i].signature ? answer.signature && strcmp(answer.signature,
									  cases[i].signature) == 0
					     : !answer.signature);
		cr_expect(!cases[i].detail || strcmp(answer.detail, cases[i].detail) == 0, "%s",
			  answer.detail);
		answer_done(&answer);
	}
}

Test(command, environment_is_exactly_this)
{
	static const uint8_t hash[32] = { 0xab, [31] = 0x01 };
	cr_assert_eq(setenv("SECRET", "x", 1), 0);
	for (int hashed = 0; hashed < 2; hashed++) {
		fixture.request.sha256 = hashed ? hash : NULL;
		struct answer answer = ask(WORDS(
			"python3", "-c",
			"import os; [print(f'{k}={v}') for k, v in os.environ.items()]; exit(1)"));
		cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS, "%s", answer.detail);
		char *scratch = strstr(answer.detail, "TMPDIR=");
		cr_assert(scratch, "%s", answer.detail);
		cr_expect(strstr(scratch, "/history.db.scratch/"), "%s", scratch);
		cr_expect(strstr(scratch, "\\nHOME=/"), "%s", scratch);
		*scratch = '\0';
		AUTO_STR expected = STR_INIT;
		str_printf(
			&expected,
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
			"LANG=C.UTF-8\nCARVED_PATH=%s\nCARVED_NAME=HTTP-Fab.cap.application.pdf.pdf\n"
			"CARVED_MIME=application/pdf\nCARVED_SIZE=6\n",
			fixture.path);
		if (hashed)
			str_puts(&expected,
				 "CARVED_SHA256=ab0000000000000000000000000000000000000000"
				 "0000000000000000000001\n");
		AUTO_STR json = STR_INIT;
		str_puts(&json, "{\"stdout\": ");
		str_json(&json, expected.data, expected.len);
		json.data[json.len - 1] = '\0'; /* the quote; TMPDIR and HOME come there */
		cr_assert_str_eq(answer.detail, str_text(&json));
		answer_done(&answer);
	}
}

Test(command, what_is_not_named_is_out_of_reach_and_scratch_is_removed)
{
	if (landlock_version() <= 0)
		cr_skip("this kernel has no Landlock");
	AUTO_FREE char *secret = fixture_path(&fixture, "secret");
	AUTO_FREE char *rules = fixture_path(&fixture, "rules");
	fixture_write(secret, "secret");
	fixture_write(rules, "rules");

	static const struct {
		const char *text;
		enum outcome outcome;
	} cases[] = {
		{ "cat \"$1\" >/dev/null", OUTCOME_CLEAN }, /* the sample */
		{ "cat \"$0\" >/dev/null", OUTCOME_CLEAN }, /* a word of "run" */
		{ "cat \"${1%/*}/secret\" || exit 1", OUTCOME_MALICIOUS },
		{ "ls \"${1%/*}\" >/dev/null 2>&1 || exit 1", OUTCOME_MALICIOUS },
		{ "echo x >>\"$1\" || exit 1", OUTCOME_MALICIOUS },
		{ "rm -f \"$1\" || exit 1", OUTCOME_MALICIOUS },
		{ "cd \"$TMPDIR\" && mkdir -p a/b && echo x >a/b/c && cat a/b/c", OUTCOME_CLEAN },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer answer =
			ask(WORDS("sh", "-c", (char *)cases[i].text, rules, "{path}"));
		cr_expect_eq(answer.outcome, cases[i].outcome, "%s: %s", cases[i].text,
			     answer.detail);
		cr_expect_eq(fixture_scratch_count(&fixture), 0, "%s", cases[i].text);
		answer_done(&answer);
	}
	cr_expect(fixture_has(&fixture, "HTTP-Fab.cap.application.pdf.pdf"));
}

Test(command, read_opens_directories_for_all_below_them)
{
	AUTO_FREE char *below = fixture_path(&fixture, "rules.d");
	AUTO_FREE char *rule = fixture_path(&fixture, "rules.d/one");
	cr_assert_eq(mkdir(below, 0700), 0);
	fixture_write(rule, "#!/bin/sh\nexit 1\n");
	cr_assert_eq(chmod(rule, 0755), 0);
	struct config_detector row = row_of(WORDS("sh", "-c", "\"$0/one\"", below, "{path}"));
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	if (landlock_version() > 0) /* a word that is a directory opens nothing */
		cr_expect_eq(answer.outcome, OUTCOME_ERROR, "%s", answer.detail);
	answer_done(&answer);
	row.read = WORDS(below);
	answer = fixture_ask(&fixture, &row, NULL);
	cr_expect_eq(answer.outcome, OUTCOME_MALICIOUS, "%s", answer.detail);
	answer_done(&answer);
}

Test(command, sockets_are_for_those_with_network)
{
	struct config_detector row =
		row_of(WORDS("python3", "-c", "import socket; socket.socket()", "{path}"));
	struct answer answer = fixture_ask(&fixture, &row, NULL);
	cr_expect_eq(answer.outcome, OUTCOME_MALICIOUS, "%s", answer.detail); /* exit status 1 */
	answer_done(&answer);
	row.network = true;
	answer = fixture_ask(&fixture, &row, NULL);
	cr_expect_eq(answer.outcome, OUTCOME_CLEAN, "%s", answer.detail);
	answer_done(&answer);
}

Test(command, descriptor_four_is_the_sample)
{
	struct answer answer = ask(WORDS("cmp", "{fd}", "{path}"));
	cr_assert_eq(answer.outcome, OUTCOME_CLEAN, "%s", answer.detail);
	answer_done(&answer);
	answer = ask(WORDS("test", "-e", "/proc/self/fd/4"));
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS, "it is given without being asked for");
	answer_done(&answer);
}

Test(command, what_cannot_start_is_an_error_with_words)
{
	struct answer answer = ask(WORDS("nonexistent-tool", "{path}"));
	cr_assert_eq(answer.outcome, OUTCOME_ERROR);
	cr_assert(strstr(answer.detail, "cannot run nonexistent-tool: no such program in PATH"),
		  "%s", answer.detail);
	answer_done(&answer);
}

Test(command, hanging_is_a_timeout_and_cancelling_is_none)
{
	fixture.request.deadline = mono_add_ms(mono_now(), 200);
	struct answer answer = ask(WORDS("sleep", "1000"));
	cr_assert_eq(answer.outcome, OUTCOME_TIMEOUT);
	cr_assert(strstr(answer.detail, "\"error\": \"still running at its deadline"), "%s",
		  answer.detail);
	answer_done(&answer);

	int ends[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	fixture.request.deadline = mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS);
	fixture.request.cancel_fd = ends[0];
	answer = ask(WORDS("sleep", "1000"));
	cr_assert(answer.cancelled);
	cr_assert_eq(answer.outcome, OUTCOMES);
	answer_done(&answer);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

Test(command, without_a_program_it_is_refused)
{
	char **const cases[] = { NULL, WORDS(NULL), WORDS("") };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct config_detector row = row_of(cases[i]);
		struct detector *detector = NULL;
		struct error err = { 0 };
		cr_assert_eq(detector_open(&detector, &row, &fixture_config, &err), -EINVAL);
		cr_assert(strstr(err.text, "names no program"));
	}
}

static void digest_of(char **run, int64_t timeout_ms, char out[65])
{
	struct config_detector row = row_of(run);
	struct detector *detector = NULL;
	row.timeout_ms = timeout_ms;
	cr_assert_eq(detector_open(&detector, &row, &fixture_config, NULL), 0);
	(void)strcpy(out, fixture_digest(detector));
	detector_free(detector);
}

Test(command, digest_follows_words_timeout_and_program)
{
	char a[65], again[65], words[65], timeout[65], program[65];
	AUTO_FREE char *tool = teller();
	digest_of(WORDS(tool, "{path}"), 1000, a);
	digest_of(WORDS(tool, "{path}"), 1000, again);
	digest_of(WORDS(tool, "-v", "{path}"), 1000, words);
	digest_of(WORDS(tool, "{path}"), 2000, timeout);
	fixture_write(tool, "#!/bin/sh\n");
	digest_of(WORDS(tool, "{path}"), 1000, program);
	cr_assert_str_eq(a, again);
	cr_assert_str_neq(a, words);
	cr_assert_str_neq(a, timeout);
	cr_assert_str_neq(a, program);
}

/* [python3, /opt/look.py, "{path}"], [yara, /etc/rules.yar, "{path}"]: these are what answers. */
Test(command, digest_follows_the_files_that_it_is_given)
{
	char before[65], again[65], after[65], gone[65];
	AUTO_FREE char *rules = fixture_path(&fixture, "rules");
	fixture_write(rules, "one");
	digest_of(WORDS("tool", rules, "{path}"), 1000, before);
	digest_of(WORDS("tool", rules, "{path}"), 1000, again);
	fixture_write(rules, "and two");
	digest_of(WORDS("tool", rules, "{path}"), 1000, after);
	cr_assert_eq(unlink(rules), 0);
	digest_of(WORDS("tool", rules, "{path}"), 1000, gone);
	cr_assert_str_eq(before, again);
	cr_assert_str_neq(before, after);
	cr_assert_str_neq(after, gone);
}

/* A directory's mtime follows what is put there: --tempdir /tmp would never be the same again. */
Test(command, digest_does_not_follow_directories)
{
	char before[65], after[65];
	digest_of(WORDS("tool", fixture.dir, "{path}"), 1000, before);
	AUTO_FREE char *inside = fixture_path(&fixture, "inside");
	fixture_write(inside, "");
	digest_of(WORDS("tool", fixture.dir, "{path}"), 1000, after);
	cr_assert_str_eq(before, after);
}
