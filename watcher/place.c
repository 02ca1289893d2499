/* place: see place.h. */
#include "watcher/place.h"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "watcher/own.h"

int place_identify(int fd, struct place_id *out)
{
	struct statx got;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME | STATX_MNT_ID, &got) != 0)
		return -errno;
	*out = (struct place_id){
		.dev = (uint64_t)got.stx_dev_major << 32 | got.stx_dev_minor,
		.ino = got.stx_ino,
	};
	if (got.stx_mask & STATX_MNT_ID)
		out->mount = got.stx_mnt_id;
	if (got.stx_mask & STATX_BTIME)
		out->btime_ns = got.stx_btime.tv_sec * INT64_C(1000000000) + got.stx_btime.tv_nsec;
	return 0;
}

int place_open_outside(const char *path, size_t len, bool absolute)
{
	char whole[PATH_MAX];
	if (len >= sizeof whole)
		return -ENAMETOOLONG;
	if (len > 0)
		memcpy(whole, path, len);
	else
		whole[len++] = absolute ? '/' : '.';
	whole[len] = '\0';
	int fd = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_piece(int at, const char *relative, int flags)
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

/* The longest prefix that ends before a slash and fits a system call; 0 when there is none. */
static size_t piece_length(const char *relative)
{
	size_t at = PATH_MAX - 1;
	while (at > 0 && relative[at] != '/')
		at--;
	return at;
}

int place_open_beneath(int at, const char *relative, int flags)
{
	OWN_CLOSE int held = -1;
	size_t len = strlen(relative);
	while (len >= PATH_MAX) {
		char piece[PATH_MAX];
		size_t take = piece_length(relative);
		if (take == 0)
			return -ENAMETOOLONG;
		memcpy(piece, relative, take);
		piece[take] = '\0';
		int next = open_piece(at, piece, O_PATH);
		if (next < 0)
			return next;
		own_close(held);
		held = next;
		at = next;
		relative += take + 1;
		len -= take + 1;
	}
	return open_piece(at, len ? relative : ".", flags);
}

bool place_is_absent(int error)
{
	/* EXDEV: a directory on the way was moved out while the path was followed */
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EXDEV;
}

bool place_is_ours(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

int place_watch(int inotify_fd, int fd, uint32_t mask)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int wd = inotify_add_watch(inotify_fd, path, mask);
	return wd < 0 ? -errno : wd;
}

char *place_path(int fd)
{
	char link[64];
	char path[PATH_MAX];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof path);
	if (len <= 0 || (size_t)len == sizeof path || path[0] != '/')
		return NULL;
	return own_copy(path, (size_t)len);
}

FILE *place_mounts(void)
{
	return fopen("/proc/self/mountinfo", "re");
}

bool place_is_deaf(int fd)
{
	char events[512];
	OWN_CLOSE int inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (inotify_fd < 0 || place_watch(inotify_fd, fd, IN_OPEN | IN_ONLYDIR) < 0)
		return false; /* no instance or watch left, or no permission: that says nothing */
	OWN_CLOSE int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	if (opened < 0)
		return false;
	return read(inotify_fd, events, sizeof events) < (ssize_t)sizeof(struct inotify_event);
}

bool place_is_mounted_file(const char *path, size_t len)
{
	char whole[PATH_MAX];
	struct statx got;
	if (len >= sizeof whole)
		return false;
	memcpy(whole, path, len);
	whole[len] = '\0';
	return statx(AT_FDCWD, whole, 0, STATX_TYPE, &got) == 0 && !S_ISDIR(got.stx_mode) &&
	       (got.stx_attributes & got.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool place_is_local(uint64_t magic)
{
	/* The numbers without a name in linux/magic.h are those of the file systems' own sources.
	 */
	static const uint32_t local[] = {
		EXT4_SUPER_MAGIC,
		XFS_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC,
		TMPFS_MAGIC,
		RAMFS_MAGIC,
		OVERLAYFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC,
		NILFS_SUPER_MAGIC,
		REISERFS_SUPER_MAGIC,
		JFFS2_SUPER_MAGIC,
		ECRYPTFS_SUPER_MAGIC,
		EXFAT_SUPER_MAGIC,
		MSDOS_SUPER_MAGIC,
		UDF_SUPER_MAGIC,
		ISOFS_SUPER_MAGIC,
		SQUASHFS_MAGIC,
		EROFS_SUPER_MAGIC_V1,
		MINIX_SUPER_MAGIC,
		MINIX_SUPER_MAGIC2,
		MINIX2_SUPER_MAGIC,
		MINIX2_SUPER_MAGIC2,
		MINIX3_SUPER_MAGIC,
		HUGETLBFS_MAGIC,
		0x2fc12fc1 /* zfs */,
		0xca451a4e /* bcachefs */,
		0x24051905 /* ubifs */,
		0x3153464a /* jfs */,
		0x7366746e /* ntfs3 */,
		0x482b /* hfsplus */,
		0x4244 /* hfs */,
		0x0187 /* autofs, until it mounts */,
	};
	for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
		if (local[i] == magic)
			return true;
	}
	return false;
}

int place_filesystem(int fd, uint64_t *out_fsid, uint64_t *out_magic)
{
	struct statfs got;
	if (fstatfs(fd, &got) != 0)
		return -errno;
	memcpy(out_fsid, &got.f_fsid, sizeof *out_fsid);
	/* f_type is signed and narrower on some machines; all magics have 32 bits */
	*out_magic = (uint32_t)got.f_type;
	return 0;
}
