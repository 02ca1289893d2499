/* api: BroAPT's api.yml at work: order, success, reports, logs, and names that try to run
 * something. */
#include <sys/socket.h>

#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/answer.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

static struct fixture fixture;
static struct config config;
static struct api_entry entries[2];
static struct api api = { .file = (char *)"api.yml", .entries = entries, .entry_count = 2 };
static struct config_detector row = { .type = (char *)"api", .name = (char *)"api", .api = &api };

static void setup(void)
{
	fixture_init(&fixture, "HTTP-Fab.cap.application.pdf.pdf");
	cr_assert_eq(chdir(fixture.dir), 0);
	config.api_root = fixture_path(&fixture, "api");
	config.api_logs = fixture_path(&fixture, "logs/");
	config.history = fixture_path(&fixture, "history.db");
	static const char *const dirs[] = { "api", "api/application", "api/application/pdf",
					    "api/example" };
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		cr_assert_eq(mkdir(dirs[i], 0700), 0);
	entries[0] = (struct api_entry){ .pattern = (char *)"application/*",
					 .workdir = (char *)".",
					 .line = 4 };
	entries[1] = (struct api_entry){ .pattern = (char *)"example", .workdir = (char *)"." };
	entries[0].report.shell = (char *)"true";
	entries[1].report.shell = (char *)"true";
	fixture.entry.field[ENTRY_FUID] = (struct slice){ .at = "Fab", .len = 3 };
}

static void teardown(void)
{
	free(config.api_root);
	free(config.api_logs);
	free(config.history);
	fixture_done(&fixture);
}

TestSuite(api, .init = setup, .fini = teardown, .timeout = 120);

static struct answer ask(void)
{
	return fixture_ask(&fixture, &row, &config);
}

static void expect(struct answer answer, enum outcome outcome, const char *words)
{
	cr_expect_eq(answer.outcome, outcome, "%s: %s", outcome_name(answer.outcome),
		     answer.detail);
	cr_expect(words ? answer.detail && strstr(answer.detail, words) : !answer.detail, "%s",
		  answer.detail);
	answer_done(&answer);
}

static char *text_of(const char *name)
{
	AUTO_FREE char *path = fixture_path(&fixture, name);
	return fixture_read(path);
}

static void expect_text(const char *name, const char *text)
{
	AUTO_FREE char *found = text_of(name);
	cr_expect_str_eq(found, text, "%s", name);
}

Test(api, scripts_run_in_order_then_the_report)
{
	struct api_command scripts[] = { { .shell = (char *)"echo err >&2; date +%s%N" },
					 { .argv = WORDS("date", "+%s%N") } };
	entries[0].scripts = scripts;
	entries[0].script_count = 2;
	entries[0].report.shell = (char *)"date +%s%N; pwd";
	expect(ask(), OUTCOME_UNKNOWN, NULL);
	AUTO_FREE char *first = text_of("logs/application/pdf/Fab-scripts.1");
	AUTO_FREE char *second = text_of("logs/application/pdf/Fab-scripts.2");
	AUTO_FREE char *third = text_of("logs/application/pdf/Fab-report.1");
	cr_expect_eq(strncmp(first, "err\n", 4), 0, "%s", first);
	cr_expect_lt(strtoll(first + 4, NULL, 10), strtoll(second, NULL, 10));
	cr_expect_lt(strtoll(second, NULL, 10), strtoll(third, NULL, 10));
	AUTO_STR directory = STR_INIT;
	str_printf(&directory, "\n%s/api/application/pdf\n", fixture.dir);
	cr_expect_str_eq(strchr(third, '\n'), str_text(&directory));
}

Test(api, the_first_failure_ends_it)
{
	struct api_command scripts[] = { { .shell = (char *)"exit 0" },
					 { .shell = (char *)"echo why >&2; exit 1" } };
	entries[0].scripts = scripts;
	entries[0].script_count = 2;
	entries[0].report.shell = (char *)"echo reported";
	fixture.request.attempt = 2;
	expect(ask(), OUTCOME_ERROR,
	       "{\"error\": \"scripts.2: exit status 1\", \"stderr\": \"why\\n\"}");
	expect_text("logs/application/pdf/Fab-scripts.2_1", "why\n");
	cr_assert_not(fixture_has(&fixture, "logs/application/pdf/Fab-report.1"));
}

Test(api, reports_of_any_command_count)
{
	struct api_command scripts[] = {
		{ .shell = (char *)"echo '{\"outcome\":\"malicious\",\"signature\":\"M\"}' >&3" }
	};
	entries[0].scripts = scripts;
	entries[0].script_count = 1;
	entries[0].report.shell = (char *)"echo '{\"outcome\":\"clean\"}' >&3";
	struct answer answer = ask();
	cr_assert_eq(answer.outcome, OUTCOME_MALICIOUS);
	cr_assert_str_eq(answer.signature, "M");
	answer_done(&answer);
	scripts[0].shell = (char *)"echo junk >&3";
	expect(ask(), OUTCOME_ERROR, "scripts.1: exit status 0, bad report on descriptor 3");
	scripts[0].shell = (char *)"true";
	expect(ask(), OUTCOME_CLEAN, NULL);
}

Test(api, a_type_without_an_entry_takes_the_default)
{
	entries[1].report.shell = (char *)"pwd; echo \"[$BROAPT_MIME]\"";
	(void)strcpy(fixture.entry.mime, "text/plain");
	expect(ask(), OUTCOME_UNKNOWN, NULL);
	AUTO_STR said = STR_INIT;
	str_printf(&said, "%s/api/example\n[text/plain]\n", fixture.dir);
	expect_text("logs/example/Fab-report.1", str_text(&said));
	fixture.entry.mime[0] = '\0';
	expect(ask(), OUTCOME_UNKNOWN, NULL);
	str_reset(&said);
	str_printf(&said, "%s/api/example\n[]\n", fixture.dir);
	expect_text("logs/example/Fab-report.1_1", str_text(&said));
}

/* Every way in which a command may name the file, each with every hostile name. */
Test(api, names_run_nothing)
{
	struct api_variable environ_of_entry[] = { { (char *)"TARGET", (char *)"$BROAPT_PATH" } };
	struct api_command scripts[] = {
		{ .shell = (char *)"printf '[%s]' \"$BROAPT_PATH\" \"${TARGET}\"" },
		{ .shell = (char *)"true $BROAPT_PATH ${BROAPT_PATH} $TARGET" },
		{ .argv = WORDS("sh", "-c", "printf '[%s]' \"$BROAPT_PATH\" \"$1\"", "sh",
				"$BROAPT_PATH") },
		{ .argv = WORDS("cp", "--", "$BROAPT_PATH", "/dev/null") },
		{ .argv = WORDS("sh", "-c", "true \"$TARGET\" $BROAPT_PATH") },
	};
	entries[0].environ = environ_of_entry;
	entries[0].environ_count = 1;
	entries[0].scripts = scripts;
	entries[0].script_count = sizeof scripts / sizeof *scripts;
	for (size_t i = 0; i < FIXTURE_NAMES; i++) {
		struct fixture hostile;
		fixture_init(&hostile, fixture_names[i]);
		hostile.entry.field[ENTRY_FUID] = fixture.entry.field[ENTRY_FUID];
		struct answer answer = fixture_ask(&hostile, &row, &config);
		cr_expect_eq(answer.outcome, OUTCOME_UNKNOWN, "%s: %s", fixture_names[i],
			     answer.detail);
		answer_done(&answer);
		AUTO_STR said = STR_INIT;
		str_printf(&said, "[%s][%s]", hostile.path, hostile.path);
		expect_text("logs/application/pdf/Fab-scripts.1", str_text(&said));
		expect_text("logs/application/pdf/Fab-scripts.3", str_text(&said));
		fixture_remove("logs");
		cr_expect_not(fixture_has(&hostile, "marker"));
		cr_expect_not(fixture_has(&fixture, "marker"));
		cr_expect_not(fixture_has(&fixture, "api/application/pdf/marker"));
		fixture_done(&hostile);
	}
}

Test(api, environment_is_exactly_this)
{
	struct api_variable mine[] = { { (char *)"ENV_FOO", (char *)"1" } };
	entries[0].environ = mine;
	entries[0].environ_count = 1;
	entries[0].report = (struct api_command){ .argv = WORDS("cat", "/proc/self/environ") };
	cr_assert_eq(setenv("SECRET", "x", 1), 0);
	expect(ask(), OUTCOME_UNKNOWN, NULL);
	FILE *file = fopen("logs/application/pdf/Fab-report.1", "r");
	AUTO_STR said = STR_INIT;
	for (int c = fgetc(file); c != EOF; c = fgetc(file))
		str_putc(&said, c ? (char)c : '\n');
	(void)fclose(file);
	/* where it may write is told last, and is gone */
	char *scratch = strstr(said.data, "TMPDIR=");
	cr_assert(scratch, "%s", said.data);
	AUTO_STR both = STR_INIT;
	const char *path = scratch + strlen("TMPDIR=");
	int len = (int)strcspn(path, "\n");
	str_printf(&both, "TMPDIR=%.*s\nHOME=%.*s\n", len, path, len, path);
	cr_expect_str_eq(scratch, str_text(&both));
	cr_expect(strstr(path, "/history.db.scratch/"));
	cr_expect_eq(fixture_scratch_count(&fixture), 0);
	*scratch = '\0';
	AUTO_STR expected = STR_INIT;
	str_printf(
		&expected,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C.UTF-8\n"
		"BROAPT_PATH=%s\nBROAPT_MIME=application/pdf\nENV_FOO=1\n",
		fixture.path);
	cr_assert_str_eq(str_text(&said), str_text(&expected));
}

Test(api, remote_entries_are_the_servers_and_the_others_need_none)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"inited\":true,\"reported\":true} "
	};
	struct http_peer peer;
	http_peer_start(&peer, replies, 1);
	row.url = peer.url;
	entries[0].remote = true;
	entries[0].shared = (char *)"group";
	entries[0].report.shell = (char *)"touch ran";
	expect(ask(), OUTCOME_UNKNOWN, NULL);
	cr_assert_not(fixture_has(&fixture, "api/application/pdf/ran"));
	cr_assert_eq(atomic_load(&peer.request_count), 1);
	http_peer_done(&peer);
	struct detector *detector = NULL;
	struct error err = { 0 };
	struct answer answer = { 0 };
	cr_assert_eq(detector_open(&detector, &row, &config, &err), 0, "%s", err.text);
	for (int i = 0; i < 3; i++) {
		detector_scan(detector, &fixture.request, &answer);
		cr_assert(answer.away);
		answer_done(&answer);
	}
	cr_assert(detector_in_vain(detector, &fixture.entry, &err));
	cr_assert_neq(detector_probe(detector, &err), 0);
	(void)strcpy(fixture.entry.mime, "text/plain");
	cr_assert_not(detector_in_vain(detector, &fixture.entry, &err), "its entry is not remote");
	detector_free(detector);
}

Test(api, a_missing_directory_is_named)
{
	entries[0].workdir = (char *)"missing";
	expect(ask(), OUTCOME_ERROR, "api/application/pdf/missing: No such file");
}

Test(api, logs_that_cannot_be_written_are_told_and_nothing_else)
{
	fixture_write("logs", "not a directory");
	expect(ask(), OUTCOME_UNKNOWN, "{\"log\": \"");
	entries[0].report.shell = (char *)"echo '{\"outcome\":\"clean\",\"detail\":{\"a\":1}}' >&3";
	expect(ask(), OUTCOME_CLEAN, "{\"a\":1, \"log\": \"");
	entries[0].report.shell = (char *)"exit 3";
	expect(ask(), OUTCOME_ERROR, "{\"error\": \"report.1: exit status 3\", \"log\": \"");
}

Test(api, logs_are_bounded)
{
	entries[0].report.shell = (char *)"head -c 3000000 /dev/zero";
	expect(ask(), OUTCOME_UNKNOWN, NULL);
	struct stat st;
	cr_assert_eq(stat("logs/application/pdf/Fab-report.1", &st), 0);
	cr_assert_eq(st.st_size, 1048576 + (off_t)strlen("\n[1951424 more bytes were not kept]\n"));
}

Test(api, one_deadline_holds_for_all_commands)
{
	struct api_command scripts[] = { { .shell = (char *)"sleep 1000" } };
	entries[0].scripts = scripts;
	entries[0].script_count = 1;
	entries[0].report.shell = (char *)"echo reported";
	fixture.request.deadline = mono_add_ms(mono_now(), 200);
	expect(ask(), OUTCOME_TIMEOUT, "scripts.1: still running at its deadline");
	cr_assert_not(fixture_has(&fixture, "logs/application/pdf/Fab-report.1"));
}

Test(api, cancelling_is_no_outcome)
{
	int ends[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	fixture.request.cancel_fd = ends[0];
	struct answer answer = ask();
	cr_assert(answer.cancelled);
	cr_assert_eq(answer.outcome, OUTCOMES);
	answer_done(&answer);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void digest_of(char out[65])
{
	struct detector *detector = NULL;
	cr_assert_eq(detector_open(&detector, &row, &config, NULL), 0);
	(void)strcpy(out, fixture_digest(detector));
	detector_free(detector);
}

Test(api, digest_follows_what_would_run)
{
	char a[65], again[65], report[65], process[65];
	entries[0].report.shell = (char *)"tool $CARVED_TEST_VARIABLE";
	cr_assert_eq(setenv("CARVED_TEST_VARIABLE", "1", 1), 0);
	digest_of(a);
	digest_of(again);
	cr_assert_eq(setenv("CARVED_TEST_VARIABLE", "2", 1), 0);
	digest_of(process);
	entries[0].report.shell = (char *)"tool2";
	digest_of(report);
	cr_assert_str_eq(a, again);
	cr_assert_str_neq(a, process);
	cr_assert_str_neq(process, report);
}

/* A command that was handed the wrong thing answered for nothing: once mended it is asked again. */
Test(api, digest_tells_the_path_the_type_and_nothing_apart)
{
	static char *const words[] = { (char *)"$BROAPT_PATH", (char *)"$BROAPT_MIME", (char *)"" };
	char in_list[3][65], in_environ[3][65];
	for (size_t i = 0; i < 3; i++) {
		struct api_variable target = { (char *)"TARGET", words[i] };
		entries[0].report = (struct api_command){ .argv = WORDS("tool", words[i]) };
		digest_of(in_list[i]);
		entries[0].report = (struct api_command){ .shell = (char *)"tool \"$TARGET\"" };
		entries[0].environ = &target;
		entries[0].environ_count = 1;
		digest_of(in_environ[i]);
		entries[0].environ_count = 0;
	}
	for (size_t i = 0; i < 3; i++) {
		cr_expect_str_neq(in_list[i], in_list[(i + 1) % 3]);
		cr_expect_str_neq(in_environ[i], in_environ[(i + 1) % 3]);
	}
}

Test(api, what_cannot_be_opened_is_refused)
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	struct config_detector without = row;
	without.api = NULL;
	cr_assert_eq(detector_open(&detector, &without, &config, &err), -EINVAL);
	entries[0].report.shell = NULL;
	cr_assert_eq(detector_open(&detector, &row, &config, &err), -EINVAL);
	cr_assert_str_eq(err.text, "api.yml:0: the command is empty");
	cr_assert_null(detector);
}
