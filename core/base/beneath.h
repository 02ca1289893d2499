/*
 * beneath: opening what lies below a directory without ever leaving it.
 *
 * openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; relative paths
 * longer than PATH_MAX are resolved in pieces. Any thread.
 */
#ifndef CARVED_CORE_BASE_BENEATH_H
#define CARVED_CORE_BASE_BENEATH_H

#include <stddef.h>

#include "core/base/error.h"

/**
 * Opens relative (NUL-terminated; "" is the directory itself) below root_fd with open(2) flags;
 * O_CLOEXEC and O_NOFOLLOW are added. Returns the descriptor, owned by the caller, or -errno:
 * -ELOOP for a symlink anywhere in it (with O_PATH the last one is opened itself, as open(2) has
 * it), -EXDEV for a leading slash or another attempt to leave. With O_NONBLOCK, -EAGAIN means that
 * somebody holds a lease on the file which the kernel has now asked for: to be tried again later.
 * Without it the call waits for that.
 */
int beneath_open(int root_fd, const char *relative, int flags);
/** The same for an absolute path without any symlink, shorter than PATH_MAX (-ENAMETOOLONG). */
int beneath_open_straight(const char *absolute, int flags);
/** 0, or a negative value with words in err when openat2(2) itself is not to be had, which would
 * look as if no directory could be read. */
int beneath_probe(struct error *err);

#endif
