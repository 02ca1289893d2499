/*
 * helper_process: see helper_process.h.
 *
 * A scanner's process id comes from its zygote, which has never seen a hostile byte; still it is
 * believed only when the process that it names is a child of that zygote: the daemon sends it
 * SIGKILL one day. The pidfd is opened before that is looked at, so the number cannot change hands
 * in between.
 */
#include "core/detect/helper_process.h"

#include <sys/pidfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/capture.h"
#include "core/detect/spawn_plan.h"
#include "core/helper/channel.h"

/* How long a zygote may take to fork, or to tell a status. */
#define TALK_MS 5000
/* How long a process may take to die of SIGKILL before it is left behind. */
#define KILL_WAIT_MS 5000
/* How long a zygote that closed its channel may take to be dead: for words. */
#define END_WAIT_MS 2000
/* How long one whose channel we closed may take to end by itself. The event loop waits for it. */
#ifdef __SANITIZE_ADDRESS__
#define GRACE_MS 2000 /* it looks for leaks */
#else
#define GRACE_MS 100
#endif

static bool wait_readable(int fd, int timeout_ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	const struct mono limit = mono_add_ms(mono_now(), timeout_ms);
	int ready;
	do
		ready = poll(&one, 1, mono_ms_until(limit));
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* Where the helper's own words go: nowhere, except those of a sanitizer. */
static int open_words(void)
{
#ifdef __SANITIZE_ADDRESS__
	return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
#else
	AUTO_CLOSE int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
#endif
}

static int spawn(struct helper_process *process, const struct spawn_plan *plan, struct error *err)
{
	AUTO_CLOSE int theirs = -1;
	int result = channel_pair(&process->channel, &theirs);
	if (result < 0)
		return error_set(err, -result, "socket for a helper: %s", error_text(-result));
	AUTO_CLOSE int high = fcntl(theirs, F_DUPFD_CLOEXEC, CAPTURE_LOWEST_SOURCE);
	AUTO_CLOSE int words = open_words();
	if (high < 0 || words < 0)
		return error_set(err, errno, "descriptors for a helper: %s", error_text(errno));
	const struct spawn_fds fds = {
		.out = words, .err = words, .report = high, .sample = -1, .launch = -1
	};
	return spawn_plan_start(plan, &fds, &process->pid, err);
}

int helper_process_start(struct helper_process *out, const char *program, const char *type,
			 const char *name, struct error *err)
{
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	spawn_plan_arg(&plan, program, strlen(program));
	spawn_plan_arg(&plan, type, strlen(type));
	spawn_plan_arg(&plan, name, strlen(name));
	spawn_plan_base_env(&plan);
	struct helper_process process = HELPER_PROCESS_NONE;
	int result = spawn(&process, &plan, err);
	if (result == 0) {
		process.pidfd = pidfd_open(process.pid, 0);
		if (process.pidfd < 0)
			result = error_set(err, errno, "pidfd_open: %s", error_text(errno));
	}
	if (result < 0) {
		helper_process_end(&process);
		return result;
	}
	*out = process;
	return 0;
}

/* How the zygote ended, if it did: for words. */
static int died(struct helper_process *process, struct error *err)
{
	siginfo_t info = { 0 };
	(void)wait_readable(process->pidfd, END_WAIT_MS);
	if (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid == 0)
		return error_set(err, EPIPE, "the helper closed its channel");
	if (info.si_code == CLD_EXITED)
		return error_set(err, EPIPE, "the helper ended with exit status %d",
				 info.si_status);
	return error_set(err, EPIPE, "the helper was killed by signal %d", info.si_status);
}

/* Waits for what comes back. */
static int wait_answer(const struct helper_process *process, const struct helper_wish *wish,
		       struct error *err)
{
	struct pollfd fds[] = { { .fd = process->channel, .events = POLLIN },
				{ .fd = wish->cancel_fd, .events = POLLIN } };
	const struct mono limit = mono_add_ms(mono_now(), wish->timeout_ms);
	int ready;
	do
		ready = poll(fds, 2, mono_ms_until(limit));
	while (ready < 0 && errno == EINTR);
	if (ready > 0 && fds[0].revents)
		return 0;
	if (ready > 0)
		return error_set(err, ECANCELED, "given up");
	return error_set(err, ETIMEDOUT, "the helper has not answered within %d ms",
			 wish->timeout_ms);
}

/* A short talk; its wish has nothing to load. */
static const struct helper_wish *short_wish(const struct channel_fds *fds, struct helper_wish *out)
{
	*out = (struct helper_wish){ .fds = fds, .timeout_ms = TALK_MS, .cancel_fd = -1 };
	return out;
}

static int talk_failed(struct helper_process *process, int result, struct error *err)
{
	if (result == 0 || result == -EPIPE || result == -ECONNRESET)
		return died(process, err);
	return error_set(err, -result, "talking to the helper: %s", error_text(-result));
}

static void kill_process(const struct helper_process *process)
{
	(void)pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
	(void)wait_readable(process->pidfd, KILL_WAIT_MS);
}

/* Sends a packet and takes the one that comes back. A zygote of which that cannot be had is killed:
 * it would be taken for the answer to what is sent next. */
static int talk(struct helper_process *process, struct str *packet, const struct helper_wish *wish,
		struct error *err)
{
	int result = channel_send(process->channel, packet, wish->fds);
	if (result < 0)
		return talk_failed(process, result, err);
	result = wait_answer(process, wish, err);
	if (result == 0) {
		result = channel_receive(process->channel, packet, NULL, false);
		if (result > 0)
			return 0;
		result = talk_failed(process, result, err);
	}
	kill_process(process);
	return result;
}

static int nonsense(struct error *err)
{
	return error_set(err, EPROTO, "the helper does not speak its protocol");
}

int helper_process_load(struct helper_process *process, const struct helper_wish *wish,
			struct helper_hello *out, struct error *err)
{
	AUTO_STR packet = STR_INIT;
	struct helper_hello *hello AUTO_FREE = xcalloc(1, sizeof *hello);
	helper_put_load(&packet, &wish->load);
	int result = talk(process, &packet, wish, err);
	if (result < 0)
		return result;
	if (!helper_read_hello(&packet, hello))
		return nonsense(err);
	if (!hello->ok) {
		(void)error_set(err, EINVAL, "%s", hello->problems[0]);
		helper_hello_done(hello);
		return -EINVAL;
	}
	*out = *hello;
	return 0;
}

/* 0 when process pid is a child of parent: fourth field of stat, after the name in brackets, which
 * may hold anything. proc(5). -EPROTO: it is not; another error: we could not look. */
static int check_child(pid_t pid, pid_t parent, struct error *err)
{
	char path[64], text[512];
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd < 0 && error_is_ours(errno))
		return error_set(err, errno, "%s: %s", path, error_text(errno));
	text[len > 0 ? len : 0] = '\0';
	const char *after = strrchr(text, ')');
	if (after && strlen(after) > 4 && strtol(after + 4, NULL, 10) == parent)
		return 0;
	return error_set(err, EPROTO, "the helper names a process that is not its child");
}

static int watch(struct helper_process *process, int64_t pid, struct helper_scanner *out,
		 struct error *err)
{
	if (pid <= 0 || pid > INT32_MAX)
		return nonsense(err);
	out->pid = (pid_t)pid;
	out->pidfd = pidfd_open(out->pid, 0);
	if (out->pidfd < 0)
		return error_set(err, errno, "pidfd_open: %s", error_text(errno));
	int result = check_child(out->pid, process->pid, err);
	if (result == 0)
		return 0;
	fd_close(out->pidfd);
	out->pidfd = -1;
	return result;
}

/* A scanner that is not to be: its channel is closed, so it ends; its zygote waits for that. */
static void drop_scanner(struct helper_process *process, int64_t pid)
{
	AUTO_STR packet = STR_INIT;
	struct error err;
	struct helper_wish wish;
	helper_put_number(&packet, HELPER_REAP, -pid);
	(void)talk(process, &packet, short_wish(NULL, &wish), &err);
}

int helper_process_fork(struct helper_process *process, struct helper_scanner *out,
			struct error *err)
{
	struct helper_scanner scanner = HELPER_PROCESS_NONE;
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int result = channel_pair(&ours, &theirs);
	if (result < 0)
		return error_set(err, -result, "socket for a helper: %s", error_text(-result));
	AUTO_STR packet = STR_INIT;
	int64_t pid = 0;
	struct channel_fds fds = { .fd = { theirs, -1 } };
	helper_put_number(&packet, HELPER_FORK, 0);
	struct helper_wish wish;
	result = talk(process, &packet, short_wish(&fds, &wish), err);
	if (result < 0)
		return result;
	if (!helper_read_number(&packet, HELPER_FORKED, &pid))
		return nonsense(err);
	if (pid == -EAGAIN || pid == -ENOMEM)
		return error_set(err, (int)-pid, "the helper cannot fork: %s",
				 error_text((int)-pid));
	result = watch(process, pid, &scanner, err);
	if (result == -EPROTO)
		return result;
	if (result < 0) {
		fd_close(ours);
		fd_close(theirs);
		ours = theirs = -1;
		drop_scanner(process, pid);
		return result;
	}
	scanner.channel = ours;
	ours = -1;
	*out = scanner;
	return 0;
}

bool helper_process_alive(const struct helper_process *process)
{
	return process->pidfd >= 0 && !wait_readable(process->pidfd, 0);
}

void helper_process_end(struct helper_process *process)
{
	if (process->channel >= 0)
		fd_close(process->channel);
	if (process->pid > 0) {
		/* without a pidfd it is a child that nobody has reaped: the number is still its */
		if (process->pidfd < 0 || !wait_readable(process->pidfd, GRACE_MS))
			(void)kill(process->pid, SIGKILL);
		if (process->pidfd < 0 || wait_readable(process->pidfd, KILL_WAIT_MS)) {
			while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
				continue;
		}
	}
	if (process->pidfd >= 0)
		fd_close(process->pidfd);
	*process = (struct helper_process)HELPER_PROCESS_NONE;
}

/* How the zygote says that it ended; -1: it does not know. One that does not answer is killed, and
 * one that answers something else. */
static int ask_status(const struct helper_scanner *scanner, struct helper_process *process)
{
	int64_t status = -1;
	AUTO_STR packet = STR_INIT;
	struct error err;
	struct helper_wish wish;
	if (process->channel < 0)
		return -1;
	helper_put_number(&packet, HELPER_REAP, scanner->pid);
	if (talk(process, &packet, short_wish(NULL, &wish), &err) < 0 ||
	    !helper_read_number(&packet, HELPER_REAPED, &status)) {
		kill_process(process);
		return -1;
	}
	return status < 0 || status > 0xffff ? -1 : (int)status;
}

/* Reaps a scanner whose zygote is dead, when it became our child by that: we are process 1, or a
 * subreaper (prctl(2)). Otherwise somebody else does. Its wait status, -1: not known. */
static int reap_orphan(const struct helper_scanner *scanner)
{
	siginfo_t info = { 0 };
	if (waitid(P_PIDFD, (id_t)scanner->pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return -1;
	return info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					  : W_EXITCODE(0, info.si_status);
}

int helper_scanner_end(struct helper_scanner *scanner, struct helper_process *process, int grace_ms)
{
	if (!wait_readable(scanner->pidfd, grace_ms)) {
		(void)pidfd_send_signal(scanner->pidfd, SIGKILL, NULL, 0);
		(void)wait_readable(scanner->pidfd, KILL_WAIT_MS);
	}
	int status = ask_status(scanner, process);
	if (status < 0)
		status = reap_orphan(scanner);
	fd_close(scanner->pidfd);
	fd_close(scanner->channel);
	*scanner = (struct helper_scanner)HELPER_PROCESS_NONE;
	return status;
}
