/* spawn_plan: what a child finds: arguments, environment, directory, descriptors, signals. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "core/detect/spawn_plan.h"
#include "tests/unit/detect_fixture.h"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(spawn_plan, .init = setup, .fini = teardown);

static void words(struct spawn_plan *plan, char *const *argv)
{
	for (; *argv; argv++)
		spawn_plan_arg(plan, *argv, strlen(*argv));
	spawn_plan_base_env(plan);
}

/* Runs the words with stdout in a file; what they wrote, owned by the caller. */
static char *run(struct spawn_plan *plan, int *out_status)
{
	AUTO_FREE char *path = fixture_path(&fixture, "out");
	int low = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int out = fcntl(low, F_DUPFD_CLOEXEC, 10);
	const struct spawn_fds fds = {
		.out = out, .err = out, .report = -1, .sample = -1, .launch = -1
	};
	struct error err = { 0 };
	pid_t pid = 0;
	cr_assert_eq(spawn_plan_start(plan, &fds, &pid, &err), 0, "%s", err.text);
	cr_assert_eq(waitpid(pid, out_status, 0), pid);
	(void)close(low);
	(void)close(out);
	return fixture_read(path);
}

Test(spawn_plan, environment_is_exactly_what_was_set)
{
	cr_assert_eq(setenv("SECRET", "x", 1), 0);
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	words(&plan, WORDS("env"));
	spawn_plan_env(&plan, "A", "1");
	spawn_plan_env(&plan, "AB", "2\n3");
	spawn_plan_env(&plan, "A", "");
	int status = 0;
	AUTO_FREE char *text = run(&plan, &status);
	cr_assert_str_eq(text, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
			       "LANG=C.UTF-8\nA=\nAB=2\n3\n");
}

Test(spawn_plan, arguments_arrive_byte_for_byte)
{
	for (size_t i = 0; i < FIXTURE_NAMES; i++) {
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
		words(&plan, WORDS("printf", "[%s][%s]", (char *)fixture_names[i], ""));
		int status = 0;
		AUTO_FREE char *text = run(&plan, &status);
		AUTO_STR expected = STR_INIT;
		str_printf(&expected, "[%s][]", fixture_names[i]);
		cr_assert_str_eq(text, str_text(&expected));
	}
}

Test(spawn_plan, signals_session_and_privileges_are_fresh)
{
	sigset_t all;
	(void)sigfillset(&all);
	cr_assert_eq(sigprocmask(SIG_BLOCK, &all, NULL), 0);
	cr_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	cr_assert(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	words(&plan,
	      WORDS("sh", "-c",
		    "grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/self/status | tr -s '\\t' ' ';"
		    "read pid comm state ppid pgrp session rest </proc/self/stat;"
		    "[ $$ = $pgrp ] && [ $$ = $session ] && echo leader; readlink /proc/$$/fd/0"));
	int status = 0;
	AUTO_FREE char *text = run(&plan, &status);
	cr_assert(strstr(text, "SigBlk: 0000000000000000\n"), "%s", text);
	/* glibc itself leaves its two internal signals, 32 and 33, ignored (posix_spawn's spawni.c)
	 */
	const char *ignored = strstr(text, "SigIgn: ");
	cr_assert(ignored && (strtoull(ignored + 8, NULL, 16) & ~0x180000000ull) == 0, "%s", text);
	cr_assert(strstr(text, "NoNewPrivs: 1\n"), "%s", text);
	cr_assert(strstr(text, "leader\n/dev/null\n"), "%s", text);
}

Test(spawn_plan, runs_in_its_directory)
{
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	words(&plan, WORDS("pwd"));
	plan.cwd = xstrdup(fixture.dir);
	int status = 0;
	AUTO_FREE char *text = run(&plan, &status);
	cr_assert(strncmp(text, fixture.dir, strlen(fixture.dir)) == 0, "%s", text);
}

static void script(const char *name, const char *text, mode_t mode)
{
	AUTO_FREE char *path = fixture_path(&fixture, name);
	fixture_write(path, text);
	cr_assert_eq(chmod(path, mode), 0);
}

Test(spawn_plan, says_what_to_mend)
{
	script("noshebang", "exit 0\n", 0755);
	script("badshebang", "#!/nonexistent/interpreter\n", 0755);
	script("notexecutable", "#!/bin/sh\n", 0644);

	static const struct {
		const char *program, *cwd, *words;
	} cases[] = {
		{ "nonexistent-tool", NULL,
		  "cannot run nonexistent-tool: no such program in PATH=/usr/local" },
		{ "noshebang", NULL, "#!INTERPRETER" },
		{ "badshebang", NULL, "badshebang: its interpreter (#! line) is missing" },
		{ "notexecutable", NULL, "notexecutable: Permission denied" },
		{ "missing", NULL, "missing: No such file" },
		{ "true", "missing", "working directory " },
		{ "true", "notexecutable", "notexecutable: not a directory" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
		AUTO_FREE char *path = fixture_path(&fixture, cases[i].program);
		bool bare = i == 0 || cases[i].cwd;
		words(&plan, WORDS(bare ? (char *)cases[i].program : path));
		plan.cwd = cases[i].cwd ? fixture_path(&fixture, cases[i].cwd) : NULL;
		const struct spawn_fds fds = {
			.out = -1, .err = -1, .report = -1, .sample = -1, .launch = -1
		};
		struct error err = { 0 };
		pid_t pid = 0;
		cr_expect_lt(spawn_plan_start(&plan, &fds, &pid, &err), 0);
		cr_expect(strstr(err.text, cases[i].words), "%zu: %s", i, err.text);
		cr_expect_lt(waitpid(-1, NULL, WNOHANG), 0, "something was left running");
	}
}

Test(spawn_plan, foreground_says_the_exit_status)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = { { "exit 0", 0 }, { "exit 7", 7 }, { "kill -TERM $$", 128 + SIGTERM } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
		words(&plan, WORDS("/bin/sh", "-c", (char *)cases[i].text));
		int status = -1;
		cr_assert_eq(spawn_plan_run_foreground(&plan, &status, NULL), 0);
		cr_assert_eq(status, cases[i].status);
	}
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	words(&plan, WORDS("nonexistent-tool"));
	int status = -1;
	struct error err = { 0 };
	cr_assert_eq(spawn_plan_run_foreground(&plan, &status, &err), -ENOENT);
	cr_assert_eq(status, -1);
}

Test(spawn_plan, foreground_keeps_our_group_and_hands_no_descriptor_on)
{
	int held = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */
	AUTO_FREE char *out = fixture_path(&fixture, "out");
	AUTO_STR text = STR_INIT;
	str_printf(&text,
		   "read pid comm state ppid pgrp rest </proc/self/stat; echo $pgrp >%s;"
		   "[ -e /proc/self/fd/%d ] && echo open >>%s; true",
		   out, held, out);
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	words(&plan, WORDS("/bin/sh", "-c", text.data));
	int status = -1;
	cr_assert_eq(spawn_plan_run_foreground(&plan, &status, NULL), 0);
	cr_assert_eq(status, 0);
	AUTO_FREE char *said = fixture_read(out);
	AUTO_STR expected = STR_INIT;
	str_printf(&expected, "%d\n", (int)getpgrp());
	cr_assert_str_eq(said, str_text(&expected));
	(void)close(held);
}

Test(spawn_plan, done_accepts_an_empty_plan)
{
	struct spawn_plan plan = { 0 };
	spawn_plan_done(&plan);
	spawn_plan_arg(&plan, "a", 1);
	spawn_plan_done(&plan);
	spawn_plan_done(&plan);
}
