/*
 * view: everything that the watcher learns of the world, and all that it does to it.
 *
 * What the rest of this room knows comes from here: from the bytes of the reader, the answers of
 * these functions, and the clock. So its state is a function of them alone. There are two sets of
 * these functions, chosen when a program is linked: view.c asks the kernel; tests/sim has a file
 * system in memory, with the kernel's habits and a clock that is moved by hand.
 *
 * Descriptors come back as the kernel's do, errors as -errno. Any thread.
 */
#ifndef CARVED_WATCHER_VIEW_H
#define CARVED_WATCHER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct statx;

/** Opens a directory (O_PATH) by any path; symlinks are followed. */
int view_open(const char *path);
/** Opens a directory (O_PATH) in the directory at, which may be "." or ".."; a symlink is followed.
 */
int view_open_at(int at, const char *name);
/** Opens a directory beneath at with open(2) flags and without following any symlink: openat2(2),
 * RESOLVE_BENEATH. relative is shorter than PATH_MAX. */
int view_open_beneath(int at, const char *relative, int flags);
/** Closes a descriptor that came from here, or another one. */
void view_close(int fd);

/** statx(2) of name in the directory at, or of at itself when it is "", no link followed: 0. */
int view_stat(int at, const char *name, unsigned mask, struct statx *out);
/** What the symlink name in the directory at leads to, owned by the caller; NULL: it is none. */
char *view_link(int at, const char *name);
/** f_fsid and f_type of the file system of an open directory: 0. */
int view_filesystem(int fd, uint64_t *out_fsid, uint64_t *out_magic);
/** The next entries of a directory (struct dirent64): how many bytes of them, 0 at the end. */
long view_list(int fd, void *buffer, size_t size);

/** The path that an open directory is found at, free of symlinks, owned by the caller; NULL when it
 * cannot be told (it is too long, or out of reach). */
char *view_path(int fd);
/** True when what stands at the path is no directory, and mounted there alone. */
bool view_is_mounted_file(const char *path);
/** Opens the list of all mounts, /proc/self/mountinfo, owned by the caller; NULL when that fails.
 */
FILE *view_mounts(void);
/** True when an open of the directory was not told to a watch on it, though all went well: see
 * way.h. */
bool view_is_deaf(int fd);

/** A new inotify instance, nonblocking. */
int view_instance(void);
/** Sets a watch on an open directory: its descriptor. */
int view_watch(int inotify_fd, int fd, uint32_t mask);
/** Takes a watch away; nothing when the directory took it along. */
void view_unwatch(int inotify_fd, int wd);
/** How many bytes of events wait in the kernel. */
uint64_t view_queued(int inotify_fd);

/** CLOCK_MONOTONIC in nanoseconds. */
int64_t view_now_ns(void);

#endif
