/*
 * scratch: files of our own that nobody else is to meet: unnamed ones, and ones that get their name
 * only when they are complete.
 *
 * A file at PATH is made as PATH.new and renamed. Whoever makes it holds a lock on it, so that two
 * processes do not write the same; what a process that died left there is taken and emptied by the
 * next one. Any thread.
 */
#ifndef CARVED_CORE_DETECT_SCRATCH_H
#define CARVED_CORE_DETECT_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

struct error;

/** An open file without a name, readable and writable, in directory (NULL: none is preferred), else
 * in $TMPDIR, /var/tmp or /tmp; or a negative value, err says why the last of them could not have
 * it. */
int scratch_unnamed(const char *directory, struct error *err);
/** Opens PATH.new, empty, for us alone (mode 0600). -EWOULDBLOCK: somebody else makes it; else
 * -errno. */
int scratch_begin(const char *path);
/** Renames PATH.new to PATH. 0 or -errno. */
int scratch_name(const char *path);
/** Opens PATH for reading if it is a regular file that we own and that only we may touch; -errno,
 * -EPERM when it is not. */
int scratch_open(const char *path);

/** All of len bytes at an offset: 0 or -errno; -ENODATA when the file ends before. */
int scratch_write(int fd, const void *bytes, size_t len, int64_t at);
int scratch_read(int fd, void *bytes, size_t len, int64_t at);

#endif
