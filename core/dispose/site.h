/*
 * site: where a file that is to be removed stands: its directory, held open, and its name there.
 *
 * Only what lies below a configured root is ever found, and no link on the way is followed.
 */
#ifndef CARVED_CORE_DISPOSE_SITE_H
#define CARVED_CORE_DISPOSE_SITE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct version;

struct site {
	uint64_t fsid;	  /* of the directory's file system, or, where it is not there, the root's;
			     else 0 */
	int dir;	  /* O_PATH; -1: none */
	const char *name; /* borrowed from the version's path */
};

enum {
	SITE_DIRS = 16
};

/* Directories out of which files were removed, and whose loss of them is not on the disk yet. */
struct site_dirs {
	int fds[SITE_DIRS];
	struct stat st[SITE_DIRS];
	size_t count;
	int failed; /* the last -errno; 0: none did */
};

/** Does path lie below root? */
bool site_below(const char *root, const char *path, size_t len);
/** The configured root below which path lies, root_count: below none. */
size_t site_root(const struct config *config, const char *path, size_t len);
/** -ENOENT when the directory is not there, -ELOOP or -EXDEV when a link stands on the way, -ENOKEY
 * when the path lies below no root, else -errno. */
int site_open(struct site *out, const struct config *config, const struct version *version);
void site_done(struct site *site);
/** Opens what stands there, without following a link: to read it, or, where that is not permitted,
 * only to know it by (*unread). -ELOOP: a link. */
int site_open_file(const struct site *site, bool *unread);
/** The name there of fd, which was made just now, is on the disk when this returns 0; else -errno.
 */
int site_keep(const struct site *site, int fd);
/** Something was removed from it; when there are SITE_DIRS others, those are synced first. One that
 * we may not read cannot be synced, and is left out. */
void site_removed(const struct site *site, struct site_dirs *dirs);
/** Syncs and forgets them, and the quarantine: removed stays removed, a power cut brings no file
 * back. 0, or -errno of the last that failed since it was called before, with err. */
int site_sync(struct site_dirs *dirs, int quarantine, struct error *err);
/** statx(2) of what stands there, or -errno. */
int site_stat(const struct site *site, struct statx *out);

#endif
