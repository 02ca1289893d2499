/*
 * closes: where files were closed by a writer lately, and which file the path led to when it was
 * looked at. The loop's.
 *
 * A close is told by its path. When another file has come to that path before it is looked at, say
 * by a rename or an exchange, the one that was written to is somewhere else, and what is known of
 * it may be of its old content.
 */
#ifndef CARVED_CORE_APP_CLOSES_H
#define CARVED_CORE_APP_CLOSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct closes;

/* So many are remembered. */
#define CLOSES_MAX 8192

struct closes *closes_new(void);
void closes_free(struct closes *closes);
/** A close was told of path at this wall time. */
void closes_note(struct closes *closes, const char *path, size_t len, int64_t now_ns);
/** Whoever has the close that was told of path last to deal with has looked: it leads to this
 * inode. So the close was of it, or of one that had left; and one that it led to before is not
 * dealt with.
 */
void closes_found(struct closes *closes, const char *path, size_t len, uint64_t inode);
/** May this inode, which was at path and was looked at at checked_ns, have been written to since,
 * by what was told of path? True also when that may have been forgotten. */
bool closes_since(const struct closes *closes, const char *path, size_t len, uint64_t inode,
		  int64_t checked_ns);

#endif
