/* logfile: see logfile.h. */
#include "core/sink/logfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/base/error.h"

struct logfile {
	char *path;
	int fd; /* -1: not open */
};

struct logfile *logfile_new(const char *path)
{
	struct logfile *logfile = xcalloc(1, sizeof *logfile);
	logfile->path = xstrdup(path);
	logfile->fd = -1;
	return logfile;
}

const char *logfile_path(const struct logfile *logfile)
{
	return logfile->path;
}

static void close_file(struct logfile *logfile)
{
	if (logfile->fd >= 0)
		fd_close(logfile->fd);
	logfile->fd = -1;
}

void logfile_free(struct logfile *logfile)
{
	if (!logfile)
		return;
	close_file(logfile);
	free(logfile->path);
	free(logfile);
}

static int fail(const struct logfile *logfile, int code, const char *doing, struct error *err)
{
	return error_set(err, code, "%s: cannot %s: %s%s", logfile->path, doing, error_text(code),
			 error_mend(code));
}

/* Was it renamed or removed? One that cannot be asked for now is opened anew, which says why. */
static bool is_rotated(const struct logfile *logfile)
{
	struct stat named;
	struct stat ours;
	if (stat(logfile->path, &named) < 0 || fstat(logfile->fd, &ours) < 0)
		return true;
	return named.st_dev != ours.st_dev || named.st_ino != ours.st_ino;
}

/* O_NONBLOCK: a FIFO under that name is not waited for. */
static int open_file(struct logfile *logfile, struct error *err)
{
	logfile->fd = open(logfile->path,
			   O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (logfile->fd < 0)
		return fail(logfile, errno, "open it", err);
	struct stat st;
	if (fstat(logfile->fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	close_file(logfile);
	return error_set(err, EINVAL, "%s is no regular file: name another, or remove it",
			 logfile->path);
}

/* Somebody was killed in the middle of a line, or could not take it back: it is not to swallow
 * ours. */
static int end_torn_line(const struct logfile *logfile, off_t size)
{
	char last = '\n';
	if (size > 0 && pread(logfile->fd, &last, 1, size - 1) < 0)
		return -errno;
	if (last == '\n')
		return 0;
	return write(logfile->fd, "\n", 1) == 1 ? 0 : -errno;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, data, len);
		if (wrote < 0 && errno != EINTR)
			return -errno;
		if (wrote > 0) {
			data += wrote;
			len -= (size_t)wrote;
		}
	}
	return 0;
}

/* As far as it was: unless somebody truncated it meanwhile, which must not fill it with zeros. */
static void take_back(const struct logfile *logfile, off_t size)
{
	struct stat st;
	if (fstat(logfile->fd, &st) == 0 && st.st_size > size && ftruncate(logfile->fd, size) < 0)
		return; /* the next line begins with a newline */
}

static int append(const struct logfile *logfile, const char *lines, size_t len)
{
	struct stat st;
	if (fstat(logfile->fd, &st) < 0)
		return -errno;
	int result = end_torn_line(logfile, st.st_size);
	if (result == 0)
		result = write_all(logfile->fd, lines, len);
	if (result == 0 && fdatasync(logfile->fd) < 0)
		result = -errno;
	if (result < 0)
		take_back(logfile, st.st_size);
	return result;
}

int logfile_ready(struct logfile *logfile, struct error *err)
{
	return logfile->fd >= 0 ? 0 : open_file(logfile, err);
}

int logfile_append(struct logfile *logfile, const char *lines, size_t len, struct error *err)
{
	if (logfile->fd >= 0 && is_rotated(logfile))
		close_file(logfile);
	int result = logfile_ready(logfile, err);
	if (result < 0)
		return result;
	result = append(logfile, lines, len);
	if (result == 0)
		return 0;
	close_file(logfile);
	return fail(logfile, -result, "write it", err);
}
