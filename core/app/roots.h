/*
 * roots: the watched roots as the daemon uses them: how names are read below each, and how what
 * lies there is opened.
 *
 * No descriptor of a root is held: it would keep its mount busy for as long as there is work, and
 * for ever when the history cannot be written. A root keeps its number, and what leads to it, for
 * ever: jobs name it by that, also when a reload has taken it away. The loop owns what changes
 * here; workers use the functions that say so.
 */
#ifndef CARVED_CORE_APP_ROOTS_H
#define CARVED_CORE_APP_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/app/lease.h"
#include "core/config/config.h"

struct error;
struct roots;
struct scheme_set;
struct statx;

enum root_state {
	ROOT_COMING,  /* it is to be watched */
	ROOT_WATCHED, /* also when it is absent */
	ROOT_LEAVING, /* it is watched until what it has told by now is in */
	ROOT_GONE,    /* an earlier configuration had it */
};

/** Roots of config in its order, to be watched, and two that never are: "/" and "." for paths of an
 * earlier configuration that still wait in the history. */
int roots_new(struct roots **out, const struct config *config, struct error *err);
void roots_free(struct roots *roots);

/** How many there have been, ROOT_GONE included; their numbers are below that. */
size_t roots_count(const struct roots *roots);
/** The number of the root with this path as written, in whatever state; roots_count(): none. */
uint32_t roots_find(const struct roots *roots, const char *path);
/** Another root, ROOT_COMING, under the number roots_count(); schemes is taken over. Not beyond
 * WATCHER_ROOTS_MOST. */
uint32_t roots_add(struct roots *roots, const char *path, struct scheme_set *schemes);
/** What the configuration says of the root now; schemes is taken over, NULL: they are there. */
void roots_configure(struct roots *roots, uint32_t index, const struct config_root *row,
		     struct scheme_set *schemes);
/** What it said last. */
const char *roots_producer(const struct roots *roots, uint32_t root);
enum config_mode roots_mode(const struct roots *roots, uint32_t root);
enum root_state roots_state(const struct roots *roots, uint32_t root);
void roots_set_state(struct roots *roots, uint32_t root, enum root_state state);

/** The root that path (as recorded) lies below; one that is never watched when none fits that is
 * not gone. */
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
