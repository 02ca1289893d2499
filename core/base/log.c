/*
 * log: see log.h.
 *
 * Who reads stderr is another program, and may stop: a pager, a journal on a full disk, a shell
 * whose terminal was stopped. A plain write() would then hold the thread up that logs, the loop
 * above all, which would hear no signal any more. So a daemon's lines are waited for a second
 * altogether, a tenth of the time in the long run; then they are lost, and counted, until there is
 * room again.
 *
 * O_NONBLOCK belongs to the open file, which others share: a pipe or a terminal is opened anew, and
 * to a socket (which cannot be) is sent with a flag. What can neither (another user's pipe) is
 * asked by poll(); a pipe takes as much as PIPE_BUF then, unless a detector that logs was faster.
 */
#include "core/base/log.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/str.h"

static enum log_level threshold = LOG_LEVEL_INFO;

static struct sink {
	int patience_ms;   /* -1: for ever */
	int64_t spare_ns;  /* of the patience */
	struct mono since; /* when it was so much */
	int fd;		   /* never blocks, but for a pipe that cannot be opened anew */
	bool is_socket;
	bool torn; /* a line was cut */
	unsigned long long lost;
	pthread_mutex_t mutex;
} sink = { .patience_ms = -1, .fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER };

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_set_patience(int ms)
{
	struct stat st;
	if (fstat(STDERR_FILENO, &st) < 0 || S_ISREG(st.st_mode))
		return; /* nobody to wait for */
	sink.is_socket = S_ISSOCK(st.st_mode);
	if (!sink.is_socket)
		sink.fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (sink.fd < 0)
		sink.fd = STDERR_FILENO;
	sink.patience_ms = ms;
	sink.spare_ns = ms * CLOCK_NS_PER_MS;
	sink.since = mono_now();
}

/* What was waited comes back a tenth as fast. */
static void count_patience(bool waited)
{
	struct mono now = mono_now();
	int64_t passed_ns = now.ns - sink.since.ns;
	int64_t most_ns = sink.patience_ms * CLOCK_NS_PER_MS;
	sink.spare_ns += waited ? -passed_ns : passed_ns / 10;
	if (sink.spare_ns < 0)
		sink.spare_ns = 0;
	if (sink.spare_ns > most_ns)
		sink.spare_ns = most_ns;
	sink.since = now;
}

static bool has_room(void)
{
	struct pollfd fd = { .fd = sink.fd, .events = POLLOUT };
	if (poll(&fd, 1, 0) > 0)
		return true;
	count_patience(false);
	bool room = poll(&fd, 1, (int)(sink.spare_ns / CLOCK_NS_PER_MS)) > 0;
	count_patience(true);
	return room;
}

static ssize_t put(const char *data, size_t len)
{
	if (sink.is_socket)
		return send(sink.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(sink.fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

/* How much of it was taken. A log that cannot be written has nowhere to say so: that counts as
 * taken. */
static size_t put_all(const char *data, size_t len)
{
	size_t done = 0;
	while (done < len) {
		if (!has_room())
			return done;
		ssize_t wrote = put(data + done, len - done);
		if (wrote < 0 && errno == EAGAIN)
			return done; /* somebody else was faster */
		if (wrote < 0 && errno != EINTR)
			return len;
		if (wrote > 0)
			done += (size_t)wrote;
	}
	return done;
}

/* The mutex is held. */
static void put_line(const char *data, size_t len)
{
	AUTO_STR text = STR_INIT;
	if (sink.torn)
		str_putc(&text, '\n');
	if (sink.lost)
		str_printf(&text,
			   "<%d>carved: %llu lines of the log were lost here: nobody read them\n",
			   (int)LOG_LEVEL_WARNING, sink.lost);
	size_t before = text.len;
	str_append(&text, data, len);
	size_t done = put_all(str_text(&text), text.len);
	bool cut = done < text.len;
	if (done > before)
		sink.lost = 0;
	if (cut)
		sink.lost++;
	if (done > 0)
		sink.torn = cut;
}

void log_put(const char *data, size_t len)
{
	if (sink.patience_ms < 0) {
		/* a log that cannot be written has nowhere to say so */
		ssize_t ignored = write(STDERR_FILENO, data, len);
		(void)ignored;
		return;
	}
	(void)pthread_mutex_lock(&sink.mutex);
	put_line(data, len);
	(void)pthread_mutex_unlock(&sink.mutex);
}

void log_line(enum log_level level, const char *format, ...)
{
	if (level > threshold)
		return;
	int saved = errno;
	AUTO_STR text = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	AUTO_STR line = STR_INIT;
	if (!isatty(STDERR_FILENO))
		str_printf(&line, "<%d>", (int)level);
	str_puts(&line, "carved: ");
	str_escape(&line, str_text(&text), text.len);
	str_putc(&line, '\n');
	log_put(line.data, line.len);
	errno = saved;
}
