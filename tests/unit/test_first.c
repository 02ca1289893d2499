/* The first process of a container: what it reaps, what it passes on, what it answers. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/first.h"

#define PATIENCE_MS 60000

static int answers(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], "word") == 0 && getppid() != getpid() ? 42 : 1;
}

Test(first, the_programs_exit_status_is_the_answer)
{
	char *argv[] = { (char[]){ "carved" }, (char[]){ "word" }, NULL };
	struct error err = { 0 };
	cr_assert_eq(first_run(answers, 2, argv, &err), 42, "%s", err.text);
}

static int dies(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)raise(SIGKILL);
	return 0;
}

Test(first, a_program_that_dies_of_a_signal_is_told_as_shells_do)
{
	struct error err = { 0 };
	cr_assert_eq(first_run(dies, 0, NULL, &err), 128 + SIGKILL, "%s", err.text);
}

/* Sends each signal to the first process, and must get it from there. */
static int gets_back_what_it_sends(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)alarm(PATIENCE_MS / 1000); /* instead of waiting for ever */
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT };
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		sigset_t one;
		siginfo_t info;
		(void)sigemptyset(&one);
		(void)sigaddset(&one, numbers[i]);
		(void)pthread_sigmask(SIG_BLOCK, &one, NULL);
		if (kill(getppid(), numbers[i]) < 0 || sigwaitinfo(&one, &info) != numbers[i] ||
		    info.si_pid != getppid())
			return 1;
	}
	return 43;
}

Test(first, signals_go_on_to_the_program)
{
	struct error err = { 0 };
	cr_assert_eq(first_run(gets_back_what_it_sends, 0, NULL, &err), 43, "%s", err.text);
}

static int has_signals_as_they_were(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sigset_t now;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &now);
	return !sigismember(&now, SIGTERM) && !sigismember(&now, SIGCHLD) &&
			       sigismember(&now, SIGUSR1)
		       ? 44
		       : 1;
}

Test(first, program_and_caller_have_the_signals_that_they_had)
{
	sigset_t mask;
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGUSR1);
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
	struct error err = { 0 };
	cr_assert_eq(first_run(has_signals_as_they_were, 0, NULL, &err), 44, "%s", err.text);
	cr_assert_eq(has_signals_as_they_were(0, NULL), 44);
}

/* Has a grandchild, whose parent ends first; it ends with status 9 when go_on closes. */
static pid_t make_orphan(int *go_on)
{
	int pid_pipe[2], go_pipe[2];
	if (pipe(pid_pipe) < 0 || pipe(go_pipe) < 0)
		return -1;
	pid_t between = fork();
	if (between == 0) {
		pid_t orphan = fork();
		if (orphan == 0) {
			char byte;
			(void)close(go_pipe[1]);
			_exit(read(go_pipe[0], &byte, 1) == 0 ? 9 : 1);
		}
		_exit(write(pid_pipe[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
	}
	pid_t orphan = -1;
	if (between < 0 || waitpid(between, NULL, 0) != between ||
	    read(pid_pipe[0], &orphan, sizeof orphan) != sizeof orphan)
		return -1;
	*go_on = go_pipe[1];
	return orphan;
}

static bool is_gone_in_the_end(pid_t pid)
{
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

static int sees_its_orphan_reaped(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int go_on = -1;
	pid_t orphan = make_orphan(&go_on);
	if (orphan < 0 || kill(orphan, 0) < 0)
		return 1;
	(void)close(go_on);
	return is_gone_in_the_end(orphan) ? 45 : 2;
}

Test(first, orphans_are_reaped_and_their_status_is_nobodys)
{
	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	struct error err = { 0 };
	cr_assert_eq(first_run(sees_its_orphan_reaped, 0, NULL, &err), 45, "%s", err.text);
}

static int has_a_child_with_a_status(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	pid_t pid = fork();
	if (pid == 0)
		_exit(6);
	int status = 0;
	return pid > 0 && waitpid(pid, &status, 0) == pid ? 40 + WEXITSTATUS(status) : 1;
}

Test(first, the_programs_own_children_are_left_to_it)
{
	struct error err = { 0 };
	cr_assert_eq(first_run(has_a_child_with_a_status, 0, NULL, &err), 46, "%s", err.text);
}

Test(first, a_sigchld_that_is_ignored_takes_nothing_away)
{
	(void)signal(SIGCHLD, SIG_IGN);
	char *argv[] = { (char[]){ "carved" }, (char[]){ "word" }, NULL };
	struct error err = { 0 };
	cr_assert_eq(first_run(answers, 2, argv, &err), 42, "%s", err.text);
	struct sigaction now;
	cr_assert_eq(sigaction(SIGCHLD, NULL, &now), 0);
	cr_assert_eq(now.sa_handler, SIG_IGN);
}
