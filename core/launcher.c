/*
 * carved-launch: runs one command confined. It is started by carved (core/launcher/order.h has its
 * words), stays beside the command as its supervisor, and reports its group and its end on
 * descriptor 5, which the command does not get: so a sandbox that cannot be made is not taken for
 * something that the command said.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/launcher/confine.h"
#include "core/launcher/order.h"
#include "core/launcher/supervise.h"

#define EXIT_NOT_RUN 127

static void fail(const struct error *err)
{
	launch_report_write(ORDER_REPORT_FD, LAUNCH_FAILED, err->code, err->text);
	_exit(EXIT_NOT_RUN);
}

/* The child's part: confined, it becomes the program. Its group is told before anything of others
 * runs: should we be killed, the daemon ends it. */
static void become(const struct order *order, pid_t supervisor)
{
	struct error err = { 0 };
	if (supervise_child(supervisor, &err) < 0)
		fail(&err);
	launch_report_write(ORDER_REPORT_FD, LAUNCH_BEGUN, getpgrp(), NULL);
	if (confine(order, &err) == 0)
		(void)confine_run(order, &err);
	fail(&err);
}

static void tell_end(int status)
{
	if (WIFSIGNALED(status))
		launch_report_write(ORDER_REPORT_FD, LAUNCH_SIGNALED, WTERMSIG(status), NULL);
	else
		launch_report_write(ORDER_REPORT_FD, LAUNCH_EXITED, WEXITSTATUS(status), NULL);
}

/* What the command talks through is not ours to hold open. */
static void let_go(void)
{
	for (int fd = 0; fd < ORDER_REPORT_FD; fd++)
		(void)close(fd);
	/* no program of the same user looks into us: /proc/PID/fd leads to the report */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
	struct order order;
	struct error err = { 0 };
	if (fcntl(ORDER_REPORT_FD, F_SETFD, FD_CLOEXEC) < 0)
		_exit(EXIT_NOT_RUN);
	if (order_parse(&order, argc, argv, &err) < 0 || supervise_begin(order.parent, &err) < 0)
		fail(&err);
	const pid_t self = getpid();
	pid_t command = fork();
	if (command < 0) {
		(void)error_set(&err, errno, "fork: %s", error_text(errno));
		fail(&err);
	}
	if (command == 0)
		become(&order, self);
	let_go();
	int status = 0;
	if (supervise(command, &status) == 0)
		tell_end(status);
	else
		launch_report_write(ORDER_REPORT_FD, LAUNCH_STOPPED, SIGTERM, NULL);
	_exit(0);
}
