/* place: see place.h. */
#include "watcher/place.h"

#include <linux/magic.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "watcher/own.h"
#include "watcher/view.h"

int place_identify(int fd, struct place_id *out)
{
	struct statx got;
	int failed = view_stat(fd, "", STATX_INO | STATX_BTIME | STATX_MNT_ID, &got);
	if (failed != 0)
		return failed;
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
	return view_open(whole);
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
		int next = view_open_beneath(at, piece, O_PATH);
		if (next < 0)
			return next;
		own_close(held);
		held = next;
		at = next;
		relative += take + 1;
		len -= take + 1;
	}
	return view_open_beneath(at, len ? relative : ".", flags);
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
