/* view: the kernel's side of it; see view.h. */
#include "watcher/view.h"

#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "watcher/own.h"

int view_open(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int view_open_at(int at, const char *name)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int view_open_beneath(int at, const char *relative, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = 0;
	/* EAGAIN: a rename or mount somewhere raced with ".." checks; openat2(2) says to try again
	 */
	do {
		fd = syscall(SYS_openat2, at, relative, &how, sizeof how);
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : (int)fd;
}

void view_close(int fd)
{
	(void)close(fd);
}

int view_stat(int at, const char *name, unsigned mask, struct statx *out)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
	int failed;
	do {
		failed = statx(at, name, flags, mask, out) == 0 ? 0 : -errno;
	} while (failed == -EINTR);
	return failed;
}

char *view_link(int at, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(at, name, target, sizeof target);
	return len > 0 ? own_copy(target, (size_t)len) : NULL;
}

int view_filesystem(int fd, uint64_t *out_fsid, uint64_t *out_magic)
{
	struct statfs got;
	if (fstatfs(fd, &got) != 0)
		return -errno;
	memcpy(out_fsid, &got.f_fsid, sizeof *out_fsid);
	/* f_type is signed and narrower on some machines; all magics have 32 bits */
	*out_magic = (uint32_t)got.f_type;
	return 0;
}

long view_list(int fd, void *buffer, size_t size)
{
	ssize_t got;
	do {
		got = getdents64(fd, buffer, size);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

char *view_path(int fd)
{
	char link[64];
	char path[PATH_MAX];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof path);
	if (len <= 0 || (size_t)len == sizeof path || path[0] != '/')
		return NULL;
	return own_copy(path, (size_t)len);
}

bool view_is_mounted_file(const char *path)
{
	struct statx got;
	return statx(AT_FDCWD, path, 0, STATX_TYPE, &got) == 0 && !S_ISDIR(got.stx_mode) &&
	       (got.stx_attributes & got.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}

FILE *view_mounts(void)
{
	return fopen("/proc/self/mountinfo", "re");
}

bool view_is_deaf(int fd)
{
	char events[512];
	OWN_CLOSE int inotify_fd = view_instance();
	if (inotify_fd < 0 || view_watch(inotify_fd, fd, IN_OPEN | IN_ONLYDIR) < 0)
		return false; /* no instance or watch left, or no permission: that says nothing */
	OWN_CLOSE int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	if (opened < 0)
		return false;
	return read(inotify_fd, events, sizeof events) < (ssize_t)sizeof(struct inotify_event);
}

int view_instance(void)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int view_watch(int inotify_fd, int fd, uint32_t mask)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int wd = inotify_add_watch(inotify_fd, path, mask);
	return wd < 0 ? -errno : wd;
}

void view_unwatch(int inotify_fd, int wd)
{
	/* EINVAL: the directory is gone and took its watch along */
	(void)inotify_rm_watch(inotify_fd, wd);
}

uint64_t view_queued(int inotify_fd)
{
	int queued = 0;
	return ioctl(inotify_fd, FIONREAD, &queued) == 0 ? (uint64_t)queued : 0;
}

int64_t view_now_ns(void)
{
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		abort();
	return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
