/* scratch: see scratch.h. */
#include "core/detect/scratch.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"

/* File systems without O_TMPFILE get a name that is gone at once. */
static int unnamed_in(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd >= 0 ? fd : -errno;
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/carved-XXXXXX", directory);
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)unlink(path.data);
	return fd;
}

int scratch_unnamed(const char *directory, struct error *err)
{
	const char *variable = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): nobody sets it
	const char *const places[] = { directory, variable, "/var/tmp", "/tmp" };
	int fd = -ENOENT;
	const char *last = NULL;
	for (size_t i = 0; i < sizeof places / sizeof *places && fd < 0; i++) {
		if (!places[i] || !*places[i])
			continue;
		last = places[i];
		fd = unnamed_in(last);
	}
	if (fd < 0)
		return error_set(err, -fd, "no file can be made in %s: %s", last, error_text(-fd));
	return fd;
}

static bool still_named(int fd, const char *path)
{
	struct stat held, named;
	return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

static bool is_ours(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 077) == 0 && st.st_nlink == 1;
}

/* Locks and empties PATH.new, which is open: 0 or -errno. */
static int claim(int fd, const char *path)
{
	if (!is_ours(fd))
		return -EPERM;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	/* whoever held the lock before may have renamed it */
	if (!still_named(fd, path))
		return -EWOULDBLOCK;
	return ftruncate(fd, 0) < 0 ? -errno : 0;
}

int scratch_begin(const char *path)
{
	AUTO_STR new = STR_INIT;
	str_printf(&new, "%s.new", path);
	int fd = open(new.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -errno;
	int result = claim(fd, new.data);
	if (result == 0)
		return fd;
	fd_close(fd);
	return result;
}

int scratch_name(const char *path)
{
	AUTO_STR new = STR_INIT;
	str_printf(&new, "%s.new", path);
	return rename(new.data, path) < 0 ? -errno : 0;
}

int scratch_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (is_ours(fd))
		return fd;
	fd_close(fd);
	return -EPERM;
}

int scratch_write(int fd, const void *bytes, size_t len, int64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t put =
			pwrite(fd, (const char *)bytes + done, len - done, at + (int64_t)done);
		if (put < 0 && errno != EINTR)
			return -errno;
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

int scratch_read(int fd, void *bytes, size_t len, int64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t got = pread(fd, (char *)bytes + done, len - done, at + (int64_t)done);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -ENODATA;
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}
