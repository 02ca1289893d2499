/* identity: see identity.h. */
#include "core/base/identity.h"

#include <sys/stat.h>
#include <sys/statfs.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"

/* Timestamps are set by whoever wrote the file (utimensat(2)): ext4 holds years up to 2446 and
 * tmpfs any 64-bit second, while nanoseconds in 64 bits end in 2262. What lies beyond counts as the
 * end. */
static int64_t stamp_ns(const struct statx_timestamp *stamp)
{
	int64_t ns = 0;
	if (__builtin_mul_overflow((int64_t)stamp->tv_sec, CLOCK_NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)stamp->tv_nsec, &ns))
		return stamp->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

int identity_fsid(int fd, uint64_t *out)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	static_assert(sizeof fs.f_fsid == sizeof *out, "f_fsid is two ints");
	memcpy(out, &fs.f_fsid, sizeof *out);
	return 0;
}

struct identity identity_of(const struct statx *st, uint64_t fsid)
{
	return (struct identity){
		.fsid = fsid,
		.inode = st->stx_ino,
		.btime_ns = st->stx_mask & STATX_BTIME ? stamp_ns(&st->stx_btime) : 0,
		.size = (int64_t)st->stx_size,
		.mtime_ns = stamp_ns(&st->stx_mtime),
		.ctime_ns = stamp_ns(&st->stx_ctime),
	};
}

bool identity_same_file(const struct identity *a, const struct identity *b)
{
	return a->fsid == b->fsid && a->inode == b->inode && a->btime_ns == b->btime_ns;
}

bool identity_same_version(const struct identity *a, const struct identity *b)
{
	return identity_same_file(a, b) && a->size == b->size && a->mtime_ns == b->mtime_ns;
}
