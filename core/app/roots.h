/*
 * roots: the watched roots as the daemon uses them: how names are read below each, and how what
 * lies there is opened.
 *
 * No descriptor of a root is held: it would keep its mount busy for as long as there is work, and
 * for ever when the history cannot be written. The loop owns what changes here; workers use the
 * functions that say so.
 */
#ifndef CARVED_CORE_APP_ROOTS_H
#define CARVED_CORE_APP_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/app/lease.h"

struct config;
struct error;
struct roots;
struct scheme_set;
struct statx;

/** Roots of config in its order, then two that are not watched: "/" and "." for paths of an earlier
 * configuration that still wait in the history. */
int roots_new(struct roots **out, const struct config *config, struct error *err);
void roots_free(struct roots *roots);

/** The root that path (as recorded) lies below; the unwatched ones when no configured root fits. */
uint32_t roots_of_path(const struct roots *roots, const char *path, size_t len);
/** Where the part below the root begins in path. */
size_t roots_prefix(const struct roots *roots, uint32_t root);
struct scheme_set *roots_schemes(const struct roots *roots, uint32_t root);
int64_t roots_settle_ms(const struct roots *roots, uint32_t root);
/** Whether writers to the root's files are seen, as far as it was noted. */
enum lease_sight roots_sight(const struct roots *roots, uint32_t root);
void roots_note_sight(struct roots *roots, uint32_t root, enum lease_sight sight);
const char *roots_path(const struct roots *roots, uint32_t root);
/** The root's path, absolute and free of symlinks, as far as it can be told; resolved again after
 * roots_invalidate(). Borrowed until then. */
const char *roots_absolute(struct roots *roots, uint32_t index);
/** The root may be another directory now. */
void roots_invalidate(struct roots *roots, uint32_t index);
size_t roots_count(const struct roots *roots);

/** Opens path (as recorded, NUL-terminated) below its root as beneath_open() does; -ENOENT when the
 * root itself is not to be had. Any thread. */
int roots_open(const struct roots *roots, uint32_t index, const char *path, int flags);
/** statx(2) of path without following a last symlink; paths longer than PATH_MAX too. 0 or -errno.
 */
int roots_stat(struct roots *roots, uint32_t index, const char *path, struct statx *out);
/** f_fsid of the file system that path's directory (its first dir_len bytes) lies on; longer than
 * PATH_MAX too. *out is 0 when that cannot be told. 0; or -errno when we have no descriptor or
 * memory to find out: then it is not known at all. */
int roots_fsid(struct roots *roots, uint32_t index, const char *path, size_t dir_len,
	       uint64_t *out);
/** May a mapping write to a file in path's directory (its first dir_len bytes) without a time
 * telling? Where pages that were only read are mapped writable at once (tmpfs, and what may lie
 * upon it). */
bool roots_maps_silently(const struct roots *roots, uint32_t index, const char *path,
			 size_t dir_len);

#endif
