/* beneath: see beneath.h. */
#include "core/base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/mem.h"

static int open_piece(int at, const char *relative, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	for (;;) {
		long fd = syscall(SYS_openat2, at, relative, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		/* EAGAIN: a rename or mount elsewhere raced with the walk; openat2(2) says to retry */
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (errno == EAGAIN && flags & O_NONBLOCK) {
			/* a lease breaks (open(2), EWOULDBLOCK) or the race above: let the caller decide
			 * after one more try, so that a lease cannot spin us */
			fd = syscall(SYS_openat2, at, relative, &how, sizeof how);
			return fd >= 0 ? (int)fd : -errno;
		}
	}
}

/* The longest prefix that ends at a slash and fits a system call, 0 when a component is too long. */
static size_t prefix_length(const char *relative, size_t len)
{
	size_t at = len < PATH_MAX - 1 ? len : PATH_MAX - 1;
	while (at > 0 && relative[at] != '/')
		at--;
	return at;
}

int beneath_open(int root_fd, const char *relative, int flags)
{
	size_t len = strlen(relative);
	if (len == 0)
		return open_piece(root_fd, ".", flags);
	int at = root_fd;
	AUTO_CLOSE int held = -1;
	while (len >= PATH_MAX) {
		size_t take = prefix_length(relative, len);
		if (take == 0)
			return -ENAMETOOLONG;
		AUTO_FREE char *piece = xmemdup(relative, take);
		int next = open_piece(at, piece, O_PATH | O_DIRECTORY);
		if (next < 0)
			return next;
		if (held >= 0)
			fd_close(held);
		held = next;
		at = held;
		relative += take + 1;
		len -= take + 1;
	}
	return open_piece(at, relative, flags);
}
