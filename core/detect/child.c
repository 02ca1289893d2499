/*
 * child: see child.h.
 *
 * The main process is watched through a pidfd. It is taken before the child is reaped, so the
 * number cannot have been given to another process meanwhile; the same holds for the group when it
 * is killed: an unreaped leader keeps its number. Reading ends with the main process: what is in
 * the pipes then is taken without blocking, and a descendant that holds them open is not waited
 * for.
 */
#include "core/detect/child.h"

#include <sys/pidfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/detect/spawn_plan.h"

/* Bytes that one turn takes from one pipe: the deadline is looked at between turns. */
#define TURN ((size_t)256 * 1024)
/* Bytes taken from one pipe after the end: more than a pipe holds unless root enlarged it
 * (pipe(7)). */
#define REST ((size_t)1024 * 1024)
/* How long a process may take to die of SIGKILL before it is left behind. */
#define KILL_WAIT_MS 5000

enum {
	OUT,
	ERR,
	REPORT,
	PIPES
};

struct child {
	pid_t pid;
	int pidfd;
	struct capture pipe[PIPES];
};

static void close_pipes(struct child *child)
{
	for (int i = 0; i < PIPES; i++)
		capture_close(&child->pipe[i]);
}

static void child_done(struct child *child)
{
	close_pipes(child);
	if (child->pidfd >= 0)
		fd_close(child->pidfd);
}

/* Opens the pipes and starts the plan; the writing ends are closed here, whatever happened. */
static int start(struct child *child, const struct child_job *job, struct error *err)
{
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int error = -1;
	AUTO_CLOSE int report = -1;
	AUTO_CLOSE int sample = -1;
	int result = capture_open(&child->pipe[OUT], &out);
	if (result == 0)
		result = capture_open(&child->pipe[ERR], &error);
	if (result == 0)
		result = capture_open(&child->pipe[REPORT], &report);
	if (result < 0)
		return error_set(err, -result, "pipe for a child: %s", error_text(-result));
	if (job->sample_fd >= 0) {
		sample = fcntl(job->sample_fd, F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
		if (sample < 0)
			return error_set(err, errno, "descriptor for a child: %s",
					 error_text(errno));
	}
	const struct spawn_fds fds = {
		.out = out, .err = error, .report = report, .sample = sample
	};
	return spawn_plan_start(job->plan, &fds, &child->pid, err);
}

static int status_lost(struct error *err)
{
	return error_set(err, ECHILD,
			 "the exit status of a child was lost: something else in this process "
			 "waits for children");
}

/* Watches a child that has just been started; one that cannot be watched is killed. */
static int watch(struct child *child, struct error *err)
{
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd >= 0)
		return 0;
	int code = errno;
	if (code == ESRCH)
		return status_lost(err); /* its number may be another's by now: no signal is sent */
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return error_set(err, code, "pidfd_open: %s", error_text(code));
}

static void drain(struct child *child, size_t budget)
{
	for (int i = 0; i < PIPES; i++)
		capture_drain(&child->pipe[i], budget);
}

/* Waits, reading what comes: for the child's end (which wins when several things happened at once),
 * the cancellation, the deadline. */
static int attend(struct child *child, const struct child_job *job, enum child_end *end,
		  struct error *err)
{
	for (;;) {
		struct pollfd fds[PIPES + 2] = { { .fd = child->pidfd, .events = POLLIN },
						 { .fd = job->cancel_fd, .events = POLLIN } };
		for (int i = 0; i < PIPES; i++)
			fds[2 + i] = (struct pollfd){ .fd = child->pipe[i].fd, .events = POLLIN };
		int ready = poll(fds, PIPES + 2, mono_ms_until(job->deadline));
		if (ready < 0 && errno != EINTR)
			return error_set(err, errno, "poll: %s", error_text(errno));
		if (ready < 0)
			continue;
		*end = CHILD_EXITED;
		if (fds[0].revents)
			return 0;
		*end = CHILD_CANCELLED;
		if (fds[1].revents)
			return 0;
		*end = CHILD_TIMEOUT;
		if (mono_passed(job->deadline))
			return 0;
		drain(child, TURN);
	}
}

/* Kills the group and reaps the main process; false when it would not die. */
static bool finish(struct child *child, siginfo_t *info)
{
	(void)kill(-child->pid, SIGKILL);
	(void)pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
	struct pollfd ended = { .fd = child->pidfd, .events = POLLIN };
	const struct mono limit = mono_add_ms(mono_now(), KILL_WAIT_MS);
	while (poll(&ended, 1, mono_ms_until(limit)) < 0 && errno == EINTR)
		continue;
	info->si_pid = 0;
	while (waitid(P_PIDFD, (id_t)child->pidfd, info, WEXITED | WNOHANG) < 0 && errno == EINTR)
		continue;
	return info->si_pid != 0;
}

/* Ends the child and takes its status. A status that someone else reaped is an error: "exit status
 * 0" must never be made up. */
static int settle(struct child *child, struct child_result *out, enum child_end end,
		  struct error *err)
{
	siginfo_t info = { 0 };
	out->left_behind = !finish(child, &info);
	drain(child, REST);
	out->end = end;
	if (end != CHILD_EXITED)
		return 0;
	if (out->left_behind)
		return status_lost(err);
	out->status = info.si_status;
	if (info.si_code != CLD_EXITED)
		out->end = CHILD_SIGNALED;
	return 0;
}

/* While SIGCHLD is ignored (a disposition that is inherited) the kernel reaps, and both the status
 * and the certainty whose number it is are gone. */
static int check_sigchld(struct error *err)
{
	struct sigaction action;
	(void)sigaction(SIGCHLD, NULL, &action);
	if (action.sa_handler == SIG_IGN || action.sa_flags & SA_NOCLDWAIT)
		return error_set(err, ECHILD,
				 "SIGCHLD is ignored in this process: no child's exit "
				 "status can be had");
	return 0;
}

/* True when it is over before it begins. */
static bool too_late(const struct child_job *job, struct child_result *out)
{
	struct pollfd cancel = { .fd = job->cancel_fd, .events = POLLIN };
	if (poll(&cancel, 1, 0) > 0)
		out->end = CHILD_CANCELLED;
	else if (mono_passed(job->deadline))
		out->end = CHILD_TIMEOUT;
	else
		return false;
	return true;
}

int child_run(const struct child_job *job, struct child_result *out, struct error *err)
{
	*out = (struct child_result){ .output.limit = job->output_limit,
				      .report.limit = job->report_limit };
	if (too_late(job, out))
		return 0;
	struct child child = {
		.pidfd = -1,
		.pipe = { [OUT] = { .fd = -1, .head = &out->output, .tail = &out->out },
			  [ERR] = { .fd = -1, .head = &out->output, .tail = &out->err },
			  [REPORT] = { .fd = -1, .head = &out->report } },
	};
	int result = check_sigchld(err);
	if (result == 0)
		result = start(&child, job, err);
	if (result == 0)
		result = watch(&child, err);
	if (result == 0) {
		enum child_end end = CHILD_TIMEOUT;
		result = attend(&child, job, &end, err);
		int settled = settle(&child, out, end, err);
		result = result < 0 ? result : settled;
	}
	child_done(&child);
	if (result < 0)
		child_result_done(out);
	return result;
}

void child_result_done(struct child_result *result)
{
	str_done(&result->output.kept);
	str_done(&result->report.kept);
	*result = (struct child_result){ 0 };
}
