/*
 * daemon_harness: the real daemon (app_run) in a child process, on a directory of the test's own.
 *
 * The child sends READY=1 to a socket of the harness; answers are waited for by asking the history
 * until the expected value stands there or a generous limit has passed, which fails the test.
 */
#ifndef CARVED_TESTS_UNIT_DAEMON_HARNESS_H
#define CARVED_TESTS_UNIT_DAEMON_HARNESS_H

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/app.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/store/query.h"

#define DAEMON_PATIENCE_MS 240000

struct daemon {
	pid_t pid;
	int notify_fd;
	bool once;
	char dir[64];
	char root[96];
	char history[96];
	char config[96];
	char socket[96];
};

/* Makes the directories and the configuration; yaml is what stands below "roots". */
static inline void daemon_init(struct daemon *d, const char *yaml)
{
	*d = (struct daemon){ .pid = -1, .notify_fd = -1 };
	snprintf(d->dir, sizeof d->dir, "/tmp/carved-test-XXXXXX");
	cr_assert(mkdtemp(d->dir));
	snprintf(d->root, sizeof d->root, "%s/root", d->dir);
	snprintf(d->history, sizeof d->history, "%s/history.db", d->dir);
	snprintf(d->config, sizeof d->config, "%s/carved.yml", d->dir);
	snprintf(d->socket, sizeof d->socket, "%s/notify", d->dir);
	cr_assert(mkdir(d->root, 0755) == 0);
	FILE *file = fopen(d->config, "w");
	cr_assert(file);
	fprintf(file, "roots: [ { path: %s } ]\nhistory: %s\nrescan_interval: 1s\n%s", d->root,
		d->history, yaml);
	fclose(file);
}

static inline void daemon_configure(const struct daemon *d, const char *text)
{
	FILE *file = fopen(d->config, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

static inline void daemon_child(const struct daemon *d)
{
	struct app_options options = { .once = d->once, .overrides.file = d->config };
	struct error err = { 0 };
	close_range(3, ~0U, 0); /* descriptors of the test: a writer's would count as one */
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no daemon behind */
	setenv("NOTIFY_SOCKET", d->socket, 1);
	if (config_load(&options.config, &options.overrides, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(2);
	}
	int code = app_run(&options, &err);
	if (code)
		fprintf(stderr, "%s\n", err.text);
	config_unref(options.config);
	exit(code); /* not _exit: leaks are looked for at exit */
}

/* Makes an empty file beside the root, for a command to look for. */
static inline void daemon_flag(const struct daemon *d, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", d->dir, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0);
	close(fd);
}

/* Waits until a command has opened the FIFO beside the root to read, and keeps it there until the
 * result is closed. The next to open it gets another FIFO, so that this one is not met twice. */
static inline int daemon_hold(const struct daemon *d, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", d->dir, name);
	struct mono limit = mono_add_ms(mono_now(), DAEMON_PATIENCE_MS);
	for (;;) {
		int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0) {
			cr_assert(unlink(path) == 0 && mkfifo(path, 0600) == 0);
			return fd;
		}
		cr_assert(!mono_passed(limit), "nobody opened %s", path);
		poll(NULL, 0, 5);
	}
}

/* Writes text over the beginning of a file and sets its times back. */
static inline void daemon_forge(const char *path, const char *text)
{
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	const struct timespec times[] = { st.st_atim, st.st_mtim };
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(futimens(fd, times), 0);
	close(fd);
}

static inline void daemon_start(struct daemon *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "%s", d->socket);
	unlink(d->socket);
	if (d->notify_fd >= 0)
		close(d->notify_fd);
	d->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(bind(d->notify_fd, (struct sockaddr *)&address, sizeof address) == 0);
	fflush(NULL);
	d->pid = fork();
	cr_assert(d->pid >= 0);
	if (d->pid == 0)
		daemon_child(d);
}

static inline void daemon_wait_ready(struct daemon *d)
{
	char text[256];
	struct pollfd ready = { .fd = d->notify_fd, .events = POLLIN };
	for (;;) {
		cr_assert(poll(&ready, 1, DAEMON_PATIENCE_MS) == 1,
			  "the daemon did not become ready");
		ssize_t got = recv(d->notify_fd, text, sizeof text - 1, 0);
		cr_assert(got > 0);
		text[got] = '\0';
		if (strstr(text, "READY=1"))
			return;
	}
}

/* The exit code, or -signal. */
static inline int daemon_wait_exit(struct daemon *d)
{
	int status;
	cr_assert(d->pid > 0 && waitpid(d->pid, &status, 0) == d->pid);
	d->pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int daemon_stop(struct daemon *d)
{
	cr_assert(d->pid > 0, "it has ended already"); /* kill(-1) is for everybody */
	kill(d->pid, SIGTERM);
	return daemon_wait_exit(d);
}

static inline bool daemon_first_value(void *context, const struct query_row *row)
{
	char *out = context;
	if (!row->values)
		return true;
	const struct query_value *value = &row->values[0];
	if (value->type == QUERY_INTEGER)
		snprintf(out, 256, "%lld", (long long)value->integer);
	else if (value->type == QUERY_NULL)
		snprintf(out, 256, "NULL");
	else
		snprintf(out, 256, "%.*s", (int)(value->len < 255 ? value->len : 255),
			 (const char *)value->bytes);
	return false;
}

/* The first value of the first row; "" when there is none or the history cannot be read yet. */
static inline void daemon_sql(const struct daemon *d, const char *sql, char out[256])
{
	struct error err = { 0 };
	out[0] = '\0';
	(void)store_query(d->history, sql, NULL, 0, daemon_first_value, out, &err);
}

/* Waits until the query's first value is wanted. */
static inline void daemon_expect(const struct daemon *d, const char *sql, const char *wanted)
{
	char got[256];
	struct mono limit = mono_add_ms(mono_now(), DAEMON_PATIENCE_MS);
	for (;;) {
		daemon_sql(d, sql, got);
		if (strcmp(got, wanted) == 0)
			return;
		if (d->pid > 0)
			cr_assert_eq(waitpid(d->pid, NULL, WNOHANG), 0, "the daemon died");
		cr_assert(!mono_passed(limit), "%s: \"%s\", not \"%s\"", sql, got, wanted);
		poll(NULL, 0, 5);
	}
}

/* It is stopped when this returns: a thread may run on for a while after the signal was sent. */
static inline void daemon_halt(const struct daemon *d)
{
	int status = 0;
	cr_assert(d->pid > 0);
	cr_assert_eq(kill(d->pid, SIGSTOP), 0);
	cr_assert_eq(waitpid(d->pid, &status, WUNTRACED), d->pid);
	cr_assert(WIFSTOPPED(status), "the daemon died");
}

static inline void daemon_put(const struct daemon *d, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", d->root, name);
	FILE *file = fopen(path, "w");
	cr_assert(file, "%s", path);
	fputs(text, file);
	fclose(file);
}

static inline void daemon_path(const struct daemon *d, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", d->root, name);
}

static inline void daemon_done(struct daemon *d)
{
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		(void)daemon_wait_exit(d);
	}
	if (d->notify_fd >= 0)
		close(d->notify_fd);
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", d->dir);
	cr_assert(system(command) == 0);
}

/* daemon_init, started and ready. */
static inline void daemon_begin(struct daemon *d, const char *yaml)
{
	daemon_init(d, yaml);
	daemon_start(d);
	daemon_wait_ready(d);
}

/* Stopped by SIGTERM, well, and removed. */
static inline void daemon_finish(struct daemon *d)
{
	cr_assert_eq(daemon_stop(d), 0);
	daemon_done(d);
}

#endif
