/*
 * wal_index: see wal_index.h.
 *
 * Who opens a history first cuts its index to nothing, takes eight pages of the disk anew, and maps
 * them (os_unix.c, unixLockSharedMemory() and unixShmMap()). On a full disk others have taken what
 * was given back, and the history cannot be opened any more; and where blocks are smaller than 4096
 * bytes only one of each page is had, so that the map ends the process by SIGBUS. So we take a
 * lock on the byte that tells whether anybody is there ("the dead man switch"), as a second process
 * would: then the index is not cut. Its head is overwritten in place instead, while the lock is
 * exclusive, and SQLite makes its contents anew from the log, as after any crash. Locks of an open
 * file description are not SQLite's classic ones, and stand beside them in the same process.
 *
 * Layout: https://www.sqlite.org/walformat.html, "The WAL-Index File Format".
 */
#include "core/store/wal_index.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"

enum {
	REGION_BYTES = 32768, /* tells of 4062 frames */
	HEAD_BYTES = 136,
	FRAMES_AT = 16,
	BACKFILLED_AT = 96,
	DEAD_MAN_SWITCH = 128,
};

static bool set_lock(int fd, short type)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = DEAD_MAN_SWITCH, .l_len = 1
	};
	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static int open_index(const char *path)
{
	struct stat st;
	AUTO_FREE char *real = realpath(path, NULL);
	if (!real || stat(real, &st) < 0 || st.st_size == 0)
		return -1;
	AUTO_STR name = STR_INIT;
	str_printf(&name, "%s-shm", real);
	return open(str_text(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    st.st_mode & (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH));
}

int wal_index_hold(const char *path)
{
	static const char nothing[HEAD_BYTES];
	int fd = open_index(path);
	if (fd < 0)
		return -1;
	bool alone = set_lock(fd, F_WRLCK);
	/* where there is no room now, SQLite says so */
	int room = fallocate(fd, 0, 0, REGION_BYTES);
	ssize_t wrote = alone ? pwrite(fd, nothing, sizeof nothing, 0) : 0;
	if (room < 0 || wrote < 0 || !set_lock(fd, F_RDLCK))
		(void)set_lock(fd, F_UNLCK);
	return fd;
}

bool wal_index_log_is_spent(int fd)
{
	unsigned char head[HEAD_BYTES];
	uint32_t frames;
	uint32_t backfilled;
	if (fd < 0 || !set_lock(fd, F_WRLCK) ||
	    pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return false;
	memcpy(&frames, head + FRAMES_AT, sizeof frames);
	memcpy(&backfilled, head + BACKFILLED_AT, sizeof backfilled);
	return frames == backfilled;
}

void wal_index_release(int fd)
{
	if (fd >= 0)
		fd_close(fd);
}
