/*
 * resolve: where a path leads, also when its end does not exist yet. Any thread.
 */
#ifndef CARVED_CORE_CONFIG_RESOLVE_H
#define CARVED_CORE_CONFIG_RESOLVE_H

#include <stdbool.h>

/** realpath(3) of the longest part of path that can be resolved, and the rest of it behind, without
 * "." and "..". Owned; NULL when not even the current directory can be told. */
char *resolve_path(const char *path);
/** path, below the current directory where it is relative; no link is followed. Owned; path itself
 * when the current directory cannot be told. */
char *resolve_absolute(const char *path);
/** The directory part of path: "." when it has none. Owned. */
char *resolve_directory(const char *path);
/** True when inner is outer or lies below it; both as resolve_path() gives them. */
bool resolve_is_below(const char *inner, const char *outer);

#endif
