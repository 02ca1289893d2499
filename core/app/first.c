/* first: see first.h. */
#include "core/app/first.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define DIED_OF 128

/* Waits for all that have ended. True when program is among them; then *status is its. */
static bool reap(pid_t program, int *status)
{
	bool over = false;
	int ended = 0;
	pid_t pid;
	while ((pid = waitpid(-1, &ended, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		over = true;
		*status = ended;
	}
	return over;
}

/* What a terminal sends, it sends to the whole group, so to the program as well. */
static bool came_from_a_process(const siginfo_t *signal)
{
	return signal->si_code != SI_KERNEL;
}

/* Until the program has ended: its wait status. */
static int attend(pid_t program, const sigset_t *all)
{
	int status = 0;
	while (!reap(program, &status)) {
		siginfo_t signal = { 0 };
		int number = sigwaitinfo(all, &signal);
		if (number > 0 && number != SIGCHLD && came_from_a_process(&signal))
			(void)kill(program, number);
	}
	return status;
}

/* All that can wait. Those that say that we are broken must not, or we would go on. */
static void fill(sigset_t *all)
{
	(void)sigfillset(all);
	static const int ours[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		(void)sigdelset(all, ours[i]);
}

int first_run(int (*program)(int argc, char **argv), int argc, char **argv, struct error *err)
{
	sigset_t all, before;
	fill(&all);
	/* ignored, it would take the statuses away; blocked, it is kept until it is asked for */
	struct sigaction kept = { 0 }, action = { .sa_handler = SIG_DFL };
	(void)sigaction(SIGCHLD, &action, &kept);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* one thread, which forks below */
	pid_t pid = fork();
	int why = errno;
	if (pid == 0) {
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
		_exit(program(argc, argv));
	}
	int status = pid > 0 ? attend(pid, &all) : 0;
	(void)sigaction(SIGCHLD, &kept, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return error_set(err, why, "cannot start a process of its own for the program: %s",
				 error_text(why));
	return WIFSIGNALED(status) ? DIED_OF + WTERMSIG(status) : WEXITSTATUS(status);
}
