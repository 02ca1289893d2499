/*
 * place: from a path to a directory, and which one it is.
 *
 * What lies below a root is opened with openat2(2), RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
 * RESOLVE_NO_MAGICLINKS, from a root that is opened anew each time: no descriptor is held while
 * idle, it would keep a mount busy. Watches are set on the opened directory (view.h), so that what
 * is watched and what is listed are the same. Any thread.
 */
#ifndef CARVED_WATCHER_PLACE_H
#define CARVED_WATCHER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which directory something is. The birth time tells an inode number that is used again, as far as
 * the file system's clock ticks; where that is not enough, the watch descriptor decides. */
struct place_id {
	uint64_t dev;
	uint64_t ino;
	int64_t btime_ns;
	uint64_t mount; /* id of the mount it was reached through; 0: unknown. Not compared */
};

/* Beside the negative errnos, which end at 4095: what was opened is not what was to be opened. Not
 * -ESTALE, which is the word of a server whose file is gone. */
#define PLACE_ELSEWHERE (-4096)

/** The longest path below a root that is followed, in bytes. */
#define PLACE_PATH_MOST ((size_t)64 << 10)

static inline bool place_same(const struct place_id *a, const struct place_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->btime_ns == b->btime_ns;
}

/** The device in 32 bits, as the kernel itself counts them. */
static inline uint32_t place_dev32(const struct place_id *id)
{
	return (uint32_t)(id->dev >> 32) << 20 ^ (uint32_t)id->dev;
}

/** Identity of an open directory; 0 or -errno. */
int place_identify(int fd, struct place_id *out);

/** Opens a directory by a path of len bytes that may hold symlinks (O_PATH); "" is "/" when the
 * path as a whole is absolute, else ".". Returns a descriptor or -errno. */
int place_open_outside(const char *path, size_t len, bool absolute);

/**
 * Opens the directory relative ("" is the directory itself, no leading slash) below at with open(2)
 * flags; O_DIRECTORY, O_NOFOLLOW and O_CLOEXEC are added. Returns a descriptor or -errno; -ELOOP
 * for a symlink anywhere in it. Longer than PATH_MAX is resolved in pieces.
 */
int place_open_beneath(int at, const char *relative, int flags);

/** True for the errors of an open that say that there is no directory of that name. */
bool place_is_absent(int error);
/** True when a negative errno says something of us, not of the place: no descriptors, no memory. */
bool place_is_ours(int error);

/** True when the file system type (statfs f_type) tells every change through inotify. */
bool place_is_local(uint64_t magic);

#endif
