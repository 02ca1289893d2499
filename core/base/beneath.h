/*
 * beneath: opening what lies below a directory without ever leaving it.
 *
 * openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; relative paths longer
 * than PATH_MAX are resolved in pieces. Any thread.
 */
#ifndef CARVED_CORE_BASE_BENEATH_H
#define CARVED_CORE_BASE_BENEATH_H

#include <stddef.h>

/**
 * Opens relative (no leading slash, NUL-terminated; "" is the directory itself) below root_fd with
 * open(2) flags; O_CLOEXEC and O_NOFOLLOW are added. Returns the descriptor, owned by the caller, or
 * -errno: -ELOOP for a symlink anywhere in it, -EXDEV for an attempt to leave.
 */
int beneath_open(int root_fd, const char *relative, int flags);

#endif
