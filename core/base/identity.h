/*
 * identity: what makes a file this file and a content this version (DESIGN.md, "Identity").
 *
 * A file is (file system id, inode, birth time) at a path; a version is one content of it, told by
 * size and modification time until a hash says better. Pure; any thread.
 */
#ifndef CARVED_CORE_BASE_IDENTITY_H
#define CARVED_CORE_BASE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

struct statx;

struct identity {
	uint64_t fsid;	/* statfs(2) f_fsid of the directory's file system; st_dev does not survive
			   reboots */
	uint64_t inode; /* 0: never stat'ed (vanished before anyone looked) */
	int64_t btime_ns; /* 0 where the file system has no birth time */
	int64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns; /* when content or metadata changed last; 0: not known. No part of the
			     identity: it tells whether the rest may deceive */
};

/** f_fsid of the file system that fd lies on (fstatfs(2)), its eight bytes as they stand in memory.
 * Returns 0 or -errno. */
int identity_fsid(int fd, uint64_t *out);
/** The identity that statx(2) tells (STATX_BASIC_STATS|STATX_BTIME asked for). Times that 64 bits
 * of nanoseconds cannot hold (before 1677, after 2262) become the nearest that they can. */
struct identity identity_of(const struct statx *st, uint64_t fsid);
/** The same file: file system, inode, birth time. */
bool identity_same_file(const struct identity *a, const struct identity *b);
/** The same file with the same size and modification time. */
bool identity_same_version(const struct identity *a, const struct identity *b);

#endif
