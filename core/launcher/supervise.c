/*
 * supervise: see supervise.h.
 *
 * The command is not reaped before its group got SIGKILL: an unreaped leader keeps its number. One
 * SIGKILL to a group reaches all of it: a fork(2) that is under way either has its child in the
 * group by then, or sees the signal and makes none (copy_process() in the kernel looks for it under
 * the same lock). So a fork bomb does not outrun it. Where the kernel has no seccomp a descendant
 * may have left; whatever comes to us then is killed one by one, as /proc lists our children.
 */
#include "core/launcher/supervise.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"

/* While the last of them die we look again this often, should a child's signal be missed. */
#define LOOK_AGAIN_NS 100000000L

static void awaited(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGCHLD);
}

int supervise_begin(pid_t parent, struct error *err)
{
	sigset_t all;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_PDEATHSIG): %s", error_text(errno));
	if (getppid() != parent)
		return error_set(err, ESRCH, "carved is gone");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_CHILD_SUBREAPER): %s",
				 error_text(errno));
	return 0;
}

int supervise_child(pid_t supervisor, struct error *err)
{
	if (setpgid(0, 0) < 0)
		return error_set(err, errno, "setpgid: %s", error_text(errno));
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_PDEATHSIG): %s", error_text(errno));
	if (getppid() != supervisor)
		return error_set(err, ESRCH, "carved-launch is gone");
	sigset_t none;
	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	return 0;
}

enum ended {
	NOBODY,
	AN_ORPHAN, /* reaped */
	THE_COMMAND,
};

static enum ended who_ended(pid_t command)
{
	siginfo_t info = { 0 };
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return NOBODY;
	if (info.si_pid == command)
		return THE_COMMAND;
	(void)waitpid(info.si_pid, NULL, WNOHANG);
	return AN_ORPHAN;
}

/* True: it ended; false: SIGTERM came first. That is looked for between any two orphans: of a fork
 * bomb there is always another. */
static bool wait_for(pid_t command)
{
	const struct timespec at_once = { 0 };
	sigset_t set;
	awaited(&set);
	for (;;) {
		enum ended ended = who_ended(command);
		if (ended == THE_COMMAND)
			return true;
		int came = ended == NOBODY ? sigwaitinfo(&set, NULL)
					   : sigtimedwait(&set, NULL, &at_once);
		if (came == SIGTERM)
			return false;
	}
}

static void kill_children(void)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	char text[4096];
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (len <= 0)
		return;
	text[len] = '\0';
	char *at = text;
	/* a last number that was cut is followed by no blank */
	for (char *end; *at; at = end) {
		long pid = strtol(at, &end, 10);
		if (end == at || *end != ' ')
			return;
		(void)kill((pid_t)pid, SIGKILL);
	}
}

/* Reaps until there is no child left. */
static void reap_all(pid_t command, int *out_status)
{
	const struct timespec look_again = { .tv_nsec = LOOK_AGAIN_NS };
	sigset_t set;
	awaited(&set);
	for (;;) {
		int status = 0;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0 && errno == ECHILD)
			return;
		if (pid == command)
			*out_status = status;
		if (pid > 0)
			continue;
		kill_children();
		(void)sigtimedwait(&set, NULL, &look_again);
	}
}

int supervise(pid_t command, int *out_status)
{
	bool ended = wait_for(command);
	/* before its own setpgid() the child is no group, and nobody's parent */
	(void)kill(-command, SIGKILL);
	(void)kill(command, SIGKILL);
	reap_all(command, out_status);
	return ended ? 0 : 1;
}
