#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "core/config/config.h"
#include "core/detect/helper_process.h"
#include "core/helper/channel.h"
#include "detect_fixture.h"
#include "hostile_helper.h"

static struct fixture fixture;
static char *program;
static struct helper_process process;
static struct helper_hello hello;
static struct error err;
static int cancel_fd = -1;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	program = fixture_path(&fixture, "helper");
	fixture_write(program, hostile_helper);
	cr_assert_eq(chmod(program, 0755), 0);
	process = (struct helper_process)HELPER_PROCESS_NONE;
}

static void teardown(void)
{
	helper_process_end(&process);
	free(program);
	fixture_done(&fixture);
}

TestSuite(helper_process, .init = setup, .fini = teardown);

static int start(const char *mode, int timeout_ms)
{
	const struct helper_wish wish = { .load = { .limit = 1 },
					  .timeout_ms = timeout_ms,
					  .cancel_fd = cancel_fd };
	cr_assert_eq(helper_process_start(&process, program, "yara", mode, &err), 0, "%s",
		     err.text);
	return helper_process_load(&process, &wish, &hello, &err);
}

Test(helper_process, starts_forks_and_ends)
{
	cr_assert_eq(start("good", FIXTURE_DEADLINE_MS), 0, "%s", err.text);
	cr_assert(helper_process_alive(&process));
	cr_assert_eq(hello.rules, 1);
	struct helper_scanner scanner;
	cr_assert_eq(helper_process_fork(&process, &scanner, &err), 0, "%s", err.text);
	cr_assert_gt(scanner.pid, 0);
	int status = helper_scanner_end(&scanner, &process, 0);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x",
		  (unsigned)status);
	cr_assert_eq(scanner.channel, -1);
	pid_t pid = process.pid;
	helper_process_end(&process);
	cr_assert_not(helper_process_alive(&process));
	cr_assert_eq(waitpid(pid, NULL, WNOHANG), -1, "it was reaped");
}

/* The daemon kills what it is told of: it must be the helper's own. */
Test(helper_process, a_process_that_is_no_child_of_the_helper_is_refused)
{
	struct helper_scanner scanner;
	cr_assert_eq(start("init", FIXTURE_DEADLINE_MS), 0, "%s", err.text);
	cr_assert_eq(helper_process_fork(&process, &scanner, &err), -EPROTO);
	cr_assert_not_null(strstr(err.text, "not its child"), "%s", err.text);
}

Test(helper_process, want_of_processes_is_told_as_such)
{
	struct helper_scanner scanner;
	cr_assert_eq(start("fork", FIXTURE_DEADLINE_MS), 0, "%s", err.text);
	cr_assert_eq(helper_process_fork(&process, &scanner, &err), -EAGAIN);
}

/* Whatever it says later is no answer to what it is asked later. */
Test(helper_process, one_whose_answer_cannot_be_had_is_killed)
{
	struct helper_scanner scanner;
	cr_assert_eq(start("long", FIXTURE_DEADLINE_MS), 0, "%s", err.text);
	cr_assert_eq(helper_process_fork(&process, &scanner, &err), -EMSGSIZE);
	cr_assert_not(helper_process_alive(&process));
}

Test(helper_process, one_that_does_not_tell_a_status_is_killed)
{
	struct helper_scanner scanner;
	cr_assert_eq(start("good", FIXTURE_DEADLINE_MS), 0, "%s", err.text);
	cr_assert_eq(helper_process_fork(&process, &scanner, &err), 0, "%s", err.text);
	cr_assert_eq(kill(process.pid, SIGSTOP), 0);
	(void)helper_scanner_end(&scanner, &process, 0);
	cr_assert_not(helper_process_alive(&process));
}

/* Leaves room for so many descriptors. */
static void leave_descriptors(int count)
{
	int last = -1;
	for (int fd = 0; fd < 64; fd = last)
		last = dup(STDIN_FILENO);
	const struct rlimit limit = { (rlim_t)last + 1, 4096 };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < count; i++)
		close(last - i);
}

static void fork_with_few(int descriptors)
{
	struct helper_scanner scanner;
	free(program);
	program = config_program("carved-detect");
	const struct helper_wish wish = { .load = { .limit = 1 },
					  .timeout_ms = FIXTURE_DEADLINE_MS,
					  .cancel_fd = -1 };
	cr_assert_eq(helper_process_start(&process, program, "magic", "m", &err), 0);
	cr_assert_eq(helper_process_load(&process, &wish, &hello, &err), 0, "%s", err.text);
	leave_descriptors(descriptors);
	cr_assert_eq(helper_process_fork(&process, &scanner, &err), -EMFILE);
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", process.pid, process.pid);
	AUTO_FREE char *children = fixture_read(path);
	cr_assert_str_eq(children, "");
	cr_assert(helper_process_alive(&process));
}

Test(helper_process, a_scanner_that_cannot_be_watched_is_reaped)
{
	fork_with_few(2); /* the channel's */
}

Test(helper_process, a_scanner_that_cannot_be_looked_at_is_reaped_and_no_stranger)
{
	fork_with_few(3); /* and its own */
}

Test(helper_process, a_deaf_one_and_nonsense_have_words)
{
	cr_assert_eq(start("deaf", 100), -ETIMEDOUT);
	cr_assert_not_null(strstr(err.text, "has not answered within 100 ms"), "%s", err.text);
	helper_process_end(&process);
	cr_assert_eq(start("gibberish", FIXTURE_DEADLINE_MS), -EPROTO);
}

Test(helper_process, loading_is_given_up_when_told)
{
	cancel_fd = eventfd(1, EFD_CLOEXEC);
	cr_assert_eq(start("deaf", FIXTURE_DEADLINE_MS), -ECANCELED);
	close(cancel_fd);
}

Test(helper_process, a_program_that_is_not_there_or_is_none)
{
	cr_assert_lt(helper_process_start(&process, "/nonexistent", "yara", "x", &err), 0);
	cr_assert_not_null(strstr(err.text, "/nonexistent"), "%s", err.text);
	const struct helper_wish wish = { .timeout_ms = FIXTURE_DEADLINE_MS, .cancel_fd = -1 };
	cr_assert_eq(helper_process_start(&process, "/bin/false", "yara", "x", &err), 0);
	cr_assert_lt(helper_process_load(&process, &wish, &hello, &err), 0);
	cr_assert_not_null(strstr(err.text, "exit status 1"), "%s", err.text);
}
