/*
 * walk: the regular files below a directory, in bytewise order of their paths, for `carved list`.
 *
 * Only directories on the way down are held in memory, so the order costs no more than the biggest
 * directories. Nothing is followed: symlinks are no files here, and directories are opened beneath
 * the root. One thread.
 */
#ifndef CARVED_CORE_CLI_WALK_H
#define CARVED_CORE_CLI_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/identity.h"

/* One regular file. Borrowed for the call. */
struct walk_file {
	const char *path; /* relative to the root, NUL-terminated raw bytes */
	size_t len;
	struct identity identity; /* zero unless walk_options.identities */
};

struct walk_options {
	bool identities; /* fill them: costs a statx(2) a file */
	/** A file; false ends the walk. */
	bool (*file)(void *context, const struct walk_file *file);
	/** A directory ("" is the root) that cannot be read, or not wholly, with a positive errno.
	 */
	void (*trouble)(void *context, const char *path, int code);
	void *context;
};

/** Walks everything below root_fd, an open directory of the caller's. */
void walk_sorted(int root_fd, const struct walk_options *options);

#endif
