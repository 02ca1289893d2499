/* child: commands that end well, end badly, do not end, and write whatever they like. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "core/detect/cage.h"
#include "core/detect/child.h"
#include "core/detect/spawn_plan.h"
#include "tests/unit/detect_fixture.h"

#define LIMIT 65536

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(child, .init = setup, .fini = teardown, .timeout = 120);

struct setting {
	int64_t deadline_ms;
	int cancel_fd;
	int sample_fd;
};

static const struct setting plain = { .deadline_ms = FIXTURE_DEADLINE_MS,
				      .cancel_fd = -1,
				      .sample_fd = -1 };

static int run_words(char *const *argv, struct setting setting, struct child_result *result,
		     struct error *err)
{
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	for (; *argv; argv++)
		spawn_plan_arg(&plan, *argv, strlen(*argv));
	spawn_plan_base_env(&plan);
	AUTO_FREE char *place = fixture_path(&fixture, "scratch");
	const struct cage cage = { .place = place, .keep_sample = true };
	const struct child_job job = {
		.plan = &plan,
		.cage = &cage,
		.sample_fd = setting.sample_fd,
		.cancel_fd = setting.cancel_fd,
		.deadline = mono_add_ms(mono_now(), setting.deadline_ms),
		.output_limit = LIMIT,
		.report_limit = LIMIT,
	};
	return child_run(&job, result, err);
}

static struct child_result run(const char *text, struct setting setting)
{
	struct child_result result;
	struct error err = { 0 };
	cr_assert_eq(run_words(WORDS("sh", "-c", (char *)text), setting, &result, &err), 0, "%s",
		     err.text);
	return result;
}

/* True when no process has the number that the child wrote first of all. */
static bool is_gone(const struct child_result *result)
{
	pid_t pid = (pid_t)strtol(str_text(&result->output.kept), NULL, 10);
	cr_assert_gt(pid, 1, "the child never wrote its number");
	return kill(pid, 0) < 0 && errno == ESRCH;
}

Test(child, tells_how_it_ended_and_what_it_wrote)
{
	static const struct {
		const char *text;
		enum child_end end;
		int status;
		const char *output, *report;
	} cases[] = {
		{ "exit 0", CHILD_EXITED, 0, "", "" },
		{ "echo out; echo report >&3; exit 1", CHILD_EXITED, 1, "out\n", "report\n" },
		{ "echo err >&2; exit 255", CHILD_EXITED, 255, "err\n", "" },
		{ "kill -SEGV $$", CHILD_SIGNALED, SIGSEGV, "", "" },
		{ "kill -KILL $$", CHILD_SIGNALED, SIGKILL, "", "" },
		{ "exec 3>&-; exit 0", CHILD_EXITED, 0, "", "" },
		{ "exec 1>&- 2>&- 3>&-; exit 4", CHILD_EXITED, 4, "", "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		__attribute__((cleanup(child_result_cleanup))) struct child_result result =
			run(cases[i].text, plain);
		cr_expect_eq(result.end, cases[i].end, "%s", cases[i].text);
		cr_expect_eq(result.status, cases[i].status, "%s", cases[i].text);
		cr_expect_str_eq(str_text(&result.output.kept), cases[i].output);
		cr_expect_str_eq(str_text(&result.report.kept), cases[i].report);
		cr_expect_not(result.left_behind);
	}
}

Test(child, keeps_the_last_words_of_stderr_apart)
{
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run("yes noise | head -n 5000; echo the cause >&2; exit 3", plain);
	AUTO_STR last = STR_INIT;
	tail_append(&result.err, &last);
	cr_assert_str_eq(str_text(&last), "the cause\n");
}

Test(child, a_hundred_megabytes_are_read_and_dropped)
{
	__attribute__((cleanup(child_result_cleanup))) struct child_result result = run(
		"head -c 100000000 /dev/zero; head -c 1000000 /dev/zero >&3; echo end >&2", plain);
	cr_assert_eq(result.end, CHILD_EXITED);
	cr_assert_eq(result.status, 0);
	cr_assert_eq(result.output.kept.len, LIMIT);
	cr_assert_eq(result.output.kept.len + result.output.dropped, 100000000 + 4);
	cr_assert_eq(result.report.kept.len, LIMIT);
	cr_assert_eq(result.report.dropped, 1000000 - LIMIT);
}

Test(child, endless_output_does_not_outlast_the_deadline)
{
	struct setting setting = plain;
	setting.deadline_ms = 2000; /* time to write its number, loaded as we may be */
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run("echo $$; exec cat /dev/zero", setting);
	cr_assert_eq(result.end, CHILD_TIMEOUT);
	cr_assert(is_gone(&result));
}

Test(child, hangs_are_ended_at_the_deadline)
{
	static const char *const texts[] = {
		"echo $$; exec sleep 1000",
		"trap '' TERM INT HUP; echo $$; while :; do sleep 1000; done",
		"echo $$; exec sleep 1000 <&- >&- 2>&- 3>&-",
		"echo $$; kill -STOP $$",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct setting setting = plain;
		setting.deadline_ms = 2000; /* time to write its number, loaded as we may be */
		__attribute__((cleanup(child_result_cleanup))) struct child_result result =
			run(texts[i], setting);
		cr_expect_eq(result.end, CHILD_TIMEOUT, "%s", texts[i]);
		cr_expect(is_gone(&result), "%s", texts[i]);
		cr_expect_lt(waitpid(-1, NULL, WNOHANG), 0, "a zombie is left");
	}
}

Test(child, descendants_in_its_group_die_with_it)
{
	/* the grandchild holds all pipes: its parent's end must be enough to come back */
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run("(trap '' TERM HUP; sleep 1000) & echo $!; exit 0", plain);
	cr_assert_eq(result.end, CHILD_EXITED);
	cr_assert_eq(result.status, 0);
	cr_assert(is_gone(&result));
}

Test(child, nobody_leaves_and_a_daemon_ends_with_the_command)
{
	static const char python[] = "import os, time\n"
				     "if os.fork(): os._exit(0)\n" /* an orphan */
				     "try: os.setsid(); said = 'left'\n"
				     "except PermissionError: said = 'stayed'\n"
				     "os.write(1, f'{os.getpid()} {said}\\n'.encode())\n"
				     "while True: time.sleep(1000)\n";
	struct child_result result;
	struct error err = { 0 };
	char *const words[] = {
		"sh", "-c",	      "python3 -c \"$1\" | { read -r said; echo \"$said\"; }",
		"sh", (char *)python, NULL
	};
	cr_assert_eq(run_words(words, plain, &result, &err), 0, "%s", err.text);
	cr_assert_eq(result.end, CHILD_EXITED);
	cr_assert_eq(result.status, 0);
	cr_assert(strstr(str_text(&result.output.kept), " stayed\n"), "%s",
		  str_text(&result.output.kept));
	cr_assert(is_gone(&result));
	child_result_done(&result);
}

Test(child, has_no_descriptors_but_its_own)
{
	int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */
	int high = fcntl(leaked, F_DUPFD, 200);
	static const char text[] =
		"for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 200; do "
		"[ -e /proc/self/fd/$i ] && echo $i; done; true";
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run(text, plain);
	cr_assert_str_eq(str_text(&result.output.kept), "0\n1\n2\n3\n");
	struct setting setting = plain;
	setting.sample_fd = fixture.fd;
	__attribute__((cleanup(child_result_cleanup))) struct child_result with =
		run(text, setting);
	cr_assert_str_eq(str_text(&with.output.kept), "0\n1\n2\n3\n4\n");
	(void)close(leaked);
	(void)close(high);
}

/* In a process of its own: Criterion's descriptors are among those that are closed. */
static bool low_descriptors_stay_apart(void)
{
	/* the numbers of the pipes and of the sample now fall onto those that the child is given */
	(void)close(STDIN_FILENO);
	for (int fd = 3; fd < 10; fd++)
		(void)close(fd);
	struct setting setting = plain;
	setting.sample_fd = open(fixture.path, O_RDONLY | O_CLOEXEC);
	struct child_result result =
		run("cat /proc/self/fd/4; echo err >&2; echo report >&3", setting);
	bool right = result.status == 0 && strstr(str_text(&result.output.kept), "sample") &&
		     strcmp(str_text(&result.report.kept), "report\n") == 0;
	child_result_done(&result);
	return right;
}

Test(child, low_descriptors_of_ours_do_not_get_mixed_up)
{
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(low_descriptors_stay_apart() ? 0 : 1);
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

Test(child, cancelling_ends_it)
{
	int ends[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	/* the child itself tells when it is up, through a descriptor that it is given */
	struct setting setting = plain;
	setting.cancel_fd = ends[0];
	setting.sample_fd = ends[1];
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run("echo $$; echo up >&4; exec sleep 1000", setting);
	cr_assert_eq(result.end, CHILD_CANCELLED);
	cr_assert(is_gone(&result));
	/* it is still readable: nothing is started any more */
	__attribute__((cleanup(child_result_cleanup))) struct child_result none =
		run("echo started", setting);
	cr_assert_eq(none.end, CHILD_CANCELLED);
	cr_assert_eq(none.output.kept.len, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Sends a signal to our children but the caller: the launcher. */
static void signal_launcher(pid_t test, int number)
{
	char path[64];
	char text[256] = "";
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)test, (int)test);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)!read(fd, text, sizeof text - 1);
	char *end;
	for (char *at = text; *at; at = *end ? end + 1 : end) {
		pid_t pid = (pid_t)strtol(at, &end, 10);
		if (pid > 1 && pid != getpid())
			(void)kill(pid, number);
	}
}

/* A process that does so once the command writes into its descriptor 4, which is *out_fd here. */
static pid_t signal_when_up(int number, int *out_fd, int *out_other)
{
	int ends[2];
	pid_t test = getpid();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		(void)close(ends[1]);
		if (read(ends[0], &byte, 1) == 1)
			signal_launcher(test, number);
		_exit(0);
	}
	*out_fd = ends[1];
	*out_other = ends[0];
	return pid;
}

static void expect_nobody_holds(int other)
{
	char text[16];
	ssize_t got;
	do
		got = recv(other, text, sizeof text, MSG_DONTWAIT);
	while (got > 0);
	cr_expect_eq(got, 0, "somebody is left");
	(void)close(other);
}

Test(child, when_the_launcher_is_killed_its_command_ends_all_the_same)
{
	struct child_result result;
	struct error err = { 0 };
	struct setting setting = plain;
	int other = -1;
	pid_t helper = signal_when_up(SIGKILL, &setting.sample_fd, &other);
	char *const words[] = { "sh", "-c", "sleep 1000 & sleep 1000 & echo up >&4; wait", NULL };
	cr_expect_eq(run_words(words, setting, &result, &err), -EPIPE);
	cr_expect(strstr(err.text, "without a word"), "%s", err.text);
	(void)close(setting.sample_fd);
	cr_assert_eq(waitpid(helper, NULL, 0), helper);
	expect_nobody_holds(other);
}

Test(child, when_the_launcher_is_stopped_the_deadline_holds_all_the_same)
{
	struct setting setting = plain;
	int other = -1;
	pid_t helper = signal_when_up(SIGSTOP, &setting.sample_fd, &other);
	setting.deadline_ms = 2000; /* time to write its number, loaded as we may be */
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run("sleep 1000 & echo $!; echo up >&4; wait", setting);
	cr_expect_eq(result.end, CHILD_TIMEOUT);
	cr_expect_not(result.left_behind);
	cr_expect(is_gone(&result));
	(void)close(setting.sample_fd);
	cr_assert_eq(waitpid(helper, NULL, 0), helper);
	expect_nobody_holds(other);
}

Test(child, when_the_launcher_is_told_to_end_by_others_that_is_an_error)
{
	struct child_result result;
	struct error err = { 0 };
	struct setting setting = plain;
	int other = -1;
	pid_t helper = signal_when_up(SIGTERM, &setting.sample_fd, &other);
	char *const words[] = { "sh", "-c", "sleep 1000 & echo up >&4; wait", NULL };
	cr_expect_eq(run_words(words, setting, &result, &err), -EPIPE);
	cr_expect(strstr(err.text, "SIGTERM by another process"), "%s", err.text);
	(void)close(setting.sample_fd);
	cr_assert_eq(waitpid(helper, NULL, 0), helper);
	expect_nobody_holds(other);
}

Test(child, is_not_started_after_its_deadline)
{
	struct setting setting = plain;
	setting.deadline_ms = 0;
	__attribute__((cleanup(child_result_cleanup))) struct child_result result =
		run("echo started", setting);
	cr_assert_eq(result.end, CHILD_TIMEOUT);
	cr_assert_eq(result.output.kept.len, 0);
}

static int count_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

Test(child, failing_to_start_leaves_nothing)
{
	int before = count_descriptors();
	struct child_result result;
	struct error err = { 0 };
	cr_assert_eq(run_words(WORDS("nonexistent-tool"), plain, &result, &err), -ENOENT);
	cr_assert(strstr(err.text, "nonexistent-tool"));
	cr_assert_eq(count_descriptors(), before);
}

Test(child, lack_of_descriptors_is_an_error_and_leaves_nothing)
{
	int before = count_descriptors();
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	bool ran = false;
	unsigned failed = 0;
	for (rlim_t most = 3; !ran && most < 100; most++) {
		struct child_result result;
		struct error err = { 0 };
		const struct rlimit few = { .rlim_cur = most, .rlim_max = limit.rlim_max };
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		int code = run_words(WORDS("true"), plain, &result, &err);
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		ran = code == 0;
		failed += code < 0;
		cr_assert(ran || *err.text);
		cr_assert_eq(count_descriptors(), before, "limit %u", (unsigned)most);
		cr_assert_lt(waitpid(-1, NULL, WNOHANG), 0, "limit %u: a child is left",
			     (unsigned)most);
		if (ran)
			child_result_done(&result);
	}
	cr_assert(ran);
	cr_assert_gt(failed, 5);
}

Test(child, many_runs_keep_no_descriptor)
{
	int before = count_descriptors();
	for (int i = 0; i < 50; i++) {
		__attribute__((cleanup(child_result_cleanup))) struct child_result result =
			run("echo x", plain);
		cr_assert_eq(result.status, 0);
	}
	cr_assert_eq(count_descriptors(), before);
}

static void reap_all(int signal_number)
{
	(void)signal_number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static bool has_pidfd(pid_t pid)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	bool found = false;
	DIR *dir = opendir(path);
	for (struct dirent *at; dir && (at = readdir(dir));) {
		char target[64] = "";
		(void)!readlinkat(dirfd(dir), at->d_name, target, sizeof target - 1);
		found = found || strstr(target, "pidfd");
	}
	(void)closedir(dir);
	return found;
}

/* Writes into the pipe once this process watches a child. */
static int tell_when_watched(void)
{
	int ends[2];
	pid_t self = getpid();
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	if (fork() == 0) {
		while (!has_pidfd(self))
			(void)usleep(1000);
		_exit(write(ends[1], "go\n", 3) == 3 ? 0 : 1);
	}
	(void)close(ends[1]);
	return ends[0];
}

Test(child, a_status_that_is_lost_is_an_error_never_zero)
{
	/* ended before it is watched, or just after */
	static const char *const texts[] = { "exit 0", "read -r go <&4; exit 0" };
	struct child_result result;
	struct error err = { 0 };
	cr_assert(signal(SIGCHLD, reap_all) != SIG_ERR);
	for (size_t i = 0; i < 2; i++) {
		struct setting setting = plain;
		setting.sample_fd = i == 1 ? tell_when_watched() : -1;
		cr_assert_eq(run_words(WORDS("sh", "-c", (char *)texts[i]), setting, &result, &err),
			     -ECHILD);
		cr_assert(strstr(err.text, "something else in this process waits"), "%s", err.text);
	}
	cr_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	cr_assert_eq(run_words(WORDS("echo", "started"), plain, &result, &err), -ECHILD);
	cr_assert(strstr(err.text, "SIGCHLD is ignored"), "%s", err.text);
}

Test(child, input_is_read_to_its_end_however_much_it_is)
{
	static const size_t sizes[] = { 0, 1, 1000000 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
		__attribute__((cleanup(child_result_cleanup))) struct child_result result = { 0 };
		AUTO_FREE char *input = xcalloc(1, sizes[i] + 1);
		char *const words[] = { (char *)"wc", (char *)"-c", NULL };
		char wanted[32];
		struct error err = { 0 };
		for (char *const *word = words; *word; word++)
			spawn_plan_arg(&plan, *word, strlen(*word));
		spawn_plan_base_env(&plan);
		const struct cage cage = { .open = true };
		const struct child_job job = { .plan = &plan,
					       .cage = &cage,
					       .sample_fd = -1,
					       .cancel_fd = -1,
					       .deadline =
						       mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS),
					       .output_limit = LIMIT,
					       .input = input,
					       .input_len = sizes[i] };
		cr_assert_eq(child_run(&job, &result, &err), 0, "%s", err.text);
		(void)snprintf(wanted, sizeof wanted, "%zu\n", sizes[i]);
		cr_expect_str_eq(str_text(&result.output.kept), wanted);
	}
}
