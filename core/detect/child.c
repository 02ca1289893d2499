/*
 * child: see child.h.
 *
 * What we start, watch and reap is carved-launch; it is watched through a pidfd, which is taken
 * before it is reaped, so the number cannot have been given to another process meanwhile. It ends
 * when nothing of the command is left, and tells the command's end through a pipe that the command
 * does not have. Reading ends with it: what is in the pipes then is taken without blocking. Should
 * it be killed by somebody, it could not end the command; its first word names the command's group,
 * and that is killed from here.
 */
#include "core/detect/child.h"

#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/detect/cage.h"
#include "core/detect/spawn_plan.h"
#include "core/launcher/order.h"

/* Bytes that one turn takes from one pipe: the deadline is looked at between turns. */
#define TURN ((size_t)256 * 1024)
/* Bytes taken from one pipe after the end: more than a pipe holds unless root enlarged it
 * (pipe(7)). */
#define REST ((size_t)1024 * 1024)
/* How long processes may take to die of SIGKILL before they are left behind. */
#define KILL_WAIT_MS 5000
/* They are no children of ours, so that nothing tells us when: how often we look. */
#define LOOK_AGAIN_MS 10

enum {
	OUT,
	ERR,
	REPORT,
	PIPES
};

struct child {
	pid_t pid;
	int pidfd;
	int launch;			/* what the launcher reports */
	pid_t group;			/* the command's; 0: not told */
	struct launch_report last_word; /* end 0: none */
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
	if (child->launch >= 0)
		fd_close(child->launch);
}

/* The launcher's pipe; the writing end lies above all that it is given. */
static int open_report(struct child *child, int *out_write)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	child->launch = ends[0];
	*out_write = fcntl(ends[1], F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
	int code = errno;
	fd_close(ends[1]);
	return *out_write < 0 ? -code : 0;
}

/* What is to be read on stdin, as a file in memory: however slowly it is read, nobody waits. *out
 * stays 0 when there is nothing. */
static int open_input(const struct child_job *job, int *out)
{
	if (!job->input)
		return 0;
	AUTO_CLOSE int memory = memfd_create("input", MFD_CLOEXEC);
	if (memory < 0)
		return -errno;
	for (size_t done = 0; done < job->input_len;) {
		ssize_t wrote =
			pwrite(memory, job->input + done, job->input_len - done, (off_t)done);
		if (wrote < 0 && errno != EINTR)
			return -errno;
		done += wrote > 0 ? (size_t)wrote : 0;
	}
	*out = fcntl(memory, F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
	return *out < 0 ? -errno : 0;
}

/* Opens the pipes and starts the plan, the launcher's; the writing ends are closed here, whatever
 * happened. */
static int start(struct child *child, const struct spawn_plan *plan, const struct child_job *job,
		 struct error *err)
{
	AUTO_CLOSE int in = -1;
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int error = -1;
	AUTO_CLOSE int report = -1;
	AUTO_CLOSE int sample = -1;
	AUTO_CLOSE int launch = -1;
	int result = capture_open(&child->pipe[OUT], &out);
	if (result == 0)
		result = capture_open(&child->pipe[ERR], &error);
	if (result == 0)
		result = capture_open(&child->pipe[REPORT], &report);
	if (result == 0)
		result = open_report(child, &launch);
	if (result < 0)
		return error_set(err, -result, "pipe for a child: %s", error_text(-result));
	result = open_input(job, &in);
	if (result < 0)
		return error_set(err, -result, "memory for a child's input: %s",
				 error_text(-result));
	if (job->sample_fd >= 0) {
		sample = fcntl(job->sample_fd, F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
		if (sample < 0)
			return error_set(err, errno, "descriptor for a child: %s",
					 error_text(errno));
	}
	const struct spawn_fds fds = { .in = in,
				       .out = out,
				       .err = error,
				       .report = report,
				       .sample = sample,
				       .launch = launch };
	return spawn_plan_start(plan, &fds, &child->pid, err);
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
	(void)kill(child->pid, SIGTERM); /* not SIGKILL: it must end the command first */
	(void)kill(child->pid, SIGCONT);
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

static void wait_ended(const struct child *child)
{
	struct pollfd ended = { .fd = child->pidfd, .events = POLLIN };
	const struct mono limit = mono_add_ms(mono_now(), KILL_WAIT_MS);
	while (poll(&ended, 1, mono_ms_until(limit)) < 0 && errno == EINTR)
		continue;
}

static bool reap(const struct child *child)
{
	siginfo_t info = { 0 };
	while (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) < 0 && errno == EINTR)
		continue;
	return info.si_pid != 0;
}

/* Has the launcher end what is left of the command, and reaps it; it may have been stopped. One
 * that does not come back waits for something that does not die: then it is killed, and false is
 * returned. */
static bool finish(struct child *child)
{
	(void)pidfd_send_signal(child->pidfd, SIGTERM, NULL, 0);
	(void)pidfd_send_signal(child->pidfd, SIGCONT, NULL, 0);
	wait_ended(child);
	if (reap(child))
		return true;
	(void)pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
	wait_ended(child);
	(void)reap(child);
	return false;
}

/* What the launcher said. */
static void listen_to(struct child *child)
{
	struct launch_report report;
	while (!child->last_word.end && launch_report_read(child->launch, &report)) {
		if (report.end == LAUNCH_BEGUN)
			child->group = report.value;
		else
			child->last_word = report;
	}
}

/* The group's number is not given away while somebody is in it. Its leader, if still there, is of
 * the launcher's session; another leader of that number is not ours. */
static bool group_is_ours(const struct child *child)
{
	if (child->group <= 1)
		return false;
	pid_t session = getsid(child->group);
	return session < 0 || session == child->pid;
}

/* Ends what a launcher left that went without its last word. False: it does not die. */
static bool end_group(const struct child *child)
{
	const struct mono limit = mono_add_ms(mono_now(), KILL_WAIT_MS);
	while (group_is_ours(child) && kill(-child->group, SIGKILL) == 0) {
		if (mono_passed(limit))
			return false;
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return true;
}

/* What the launcher said of the command's end. */
static int take_report(const struct launch_report *report, struct child_result *out,
		       struct error *err)
{
	switch ((enum launch_end)report->end) {
	case LAUNCH_EXITED:
		out->status = report->value;
		return 0;
	case LAUNCH_SIGNALED:
		out->status = report->value;
		out->end = CHILD_SIGNALED;
		return 0;
	case LAUNCH_FAILED:
		return error_set(err, report->value > 0 ? report->value : EINVAL, "%s",
				 report->words);
	case LAUNCH_STOPPED:
		return error_set(err, EPIPE,
				 "carved-launch was sent SIGTERM by another process, and ended the "
				 "command");
	case LAUNCH_BEGUN:
		break;
	}
	return error_set(err, EPIPE,
			 "carved-launch ended without a word of how the command ended: it was "
			 "killed, or is of another version");
}

/* Ends the child and takes its status. A status that someone else reaped is an error: "exit status
 * 0" must never be made up. */
static int settle(struct child *child, struct child_result *out, enum child_end end,
		  struct error *err)
{
	bool reaped = finish(child);
	listen_to(child);
	bool gone = child->last_word.end || end_group(child);
	out->left_behind = !reaped || !gone;
	drain(child, REST);
	out->end = end;
	if (end != CHILD_EXITED)
		return 0;
	if (!reaped)
		return status_lost(err);
	return take_report(&child->last_word, out, err);
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

static int run(const struct spawn_plan *plan, const struct child_job *job, struct child_result *out,
	       struct error *err)
{
	struct child child = {
		.pidfd = -1,
		.launch = -1,
		.pipe = { [OUT] = { .fd = -1, .head = &out->output, .tail = &out->out },
			  [ERR] = { .fd = -1, .head = &out->output, .tail = &out->err },
			  [REPORT] = { .fd = -1, .head = &out->report } },
	};
	int result = start(&child, plan, job, err);
	if (result == 0)
		result = watch(&child, err);
	if (result == 0) {
		enum child_end end = CHILD_TIMEOUT;
		result = attend(&child, job, &end, err);
		int settled = settle(&child, out, end, err);
		result = result < 0 ? result : settled;
	}
	child_done(&child);
	return result;
}

int child_run(const struct child_job *job, struct child_result *out, struct error *err)
{
	*out = (struct child_result){ .output.limit = job->output_limit,
				      .report.limit = job->report_limit };
	if (too_late(job, out))
		return 0;
	struct caged caged;
	int result = check_sigchld(err);
	if (result == 0)
		result = caged_make(&caged, job->plan, job->cage, job->sample_fd >= 0, err);
	if (result < 0)
		return result;
	result = run(&caged.plan, job, out, err);
	(void)caged_done(&caged, &out->scratch);
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
