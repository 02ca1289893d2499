/* beneath: see beneath.h. */
#include "core/base/beneath.h"

#include <linux/openat2.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"

static int open_how(int at, const char *path, int flags, unsigned resolve)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	for (;;) {
		long fd = syscall(SYS_openat2, at, path, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		/* EAGAIN: a rename or mount elsewhere raced with the walk; openat2(2) says to retry
		 */
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (errno == EAGAIN && flags & O_NONBLOCK) {
			/* that race, or somebody's lease must be broken first (open(2),
			 * EWOULDBLOCK), which takes its holder up to lease-break-time: one more
			 * try, then the caller decides */
			fd = syscall(SYS_openat2, at, path, &how, sizeof how);
			return fd >= 0 ? (int)fd : -errno;
		}
	}
}

static int open_piece(int at, const char *relative, int flags)
{
	return open_how(at, relative, flags, RESOLVE_BENEATH);
}

int beneath_open_straight(const char *absolute, int flags)
{
	return *absolute == '/' ? open_how(AT_FDCWD, absolute, flags, 0) : -EINVAL;
}

int beneath_probe(struct error *err)
{
	AUTO_CLOSE int fd = beneath_open_straight("/", O_PATH | O_DIRECTORY);
	if (fd != -ENOSYS && fd != -EPERM)
		return 0;
	return error_set(err, -fd,
			 "openat2(2), by which every directory and file is opened: %s; it needs "
			 "Linux 5.6, a container's seccomp profile that permits it, and in a "
			 "systemd unit no RestrictSUIDSGID=",
			 error_text(-fd));
}

/* The longest prefix that ends before a slash and, with "/." behind it, fits a system call; 0 when
 * a component is too long. */
static size_t prefix_length(const char *relative, size_t len)
{
	size_t at = len < PATH_MAX - 3 ? len : PATH_MAX - 3;
	while (at > 0 && relative[at] != '/')
		at--;
	return at;
}

/* Opens the directory that is the first len bytes of relative. The "/." behind it makes a symlink
 * at its end fail with ELOOP: as the last component it would be opened itself (O_PATH|O_NOFOLLOW).
 */
static int open_prefix(int at, const char *relative, size_t len)
{
	AUTO_FREE char *piece = xcalloc(len + 3, 1);
	memcpy(piece, relative, len);
	memcpy(piece + len, "/.", sizeof "/.");
	return open_piece(at, piece, O_PATH | O_DIRECTORY);
}

int beneath_open(int root_fd, const char *relative, int flags)
{
	if (*relative == '/')
		return -EXDEV;
	size_t len = strlen(relative);
	int at = root_fd;
	AUTO_CLOSE int held = -1;
	while (len >= PATH_MAX) {
		size_t take = prefix_length(relative, len);
		if (take == 0)
			return -ENAMETOOLONG;
		int next = open_prefix(at, relative, take);
		if (next < 0)
			return next;
		if (held >= 0)
			fd_close(held);
		held = next;
		at = held;
		take += strspn(relative + take, "/");
		relative += take;
		len -= take;
	}
	return open_piece(at, len ? relative : ".", flags);
}
