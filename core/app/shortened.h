/*
 * shortened: paths of files of which a sidecar said that they lack a part, until their rows in the
 * history say so.
 *
 * A sidecar may be met before its file, while the file is being scanned, or after. Bounded; a
 * process that dies loses nothing, since the next start's walk meets the sidecars again. Any
 * thread.
 */
#ifndef CARVED_CORE_APP_SHORTENED_H
#define CARVED_CORE_APP_SHORTENED_H

#include <stdbool.h>
#include <stddef.h>

struct shortened;

/* Paths at most. What waits here is a file that is on its way, or one that will never come. */
#define SHORTENED_MAX 65536

struct shortened *shortened_new(void);
void shortened_free(struct shortened *shortened);

/** words: static. False: the oldest path was given up for it; the sidecar of that one counts again
 * at the next walk. A path that is there stays as it is. */
bool shortened_add(struct shortened *shortened, const char *path, size_t len, const char *words);
/** The words for path, NULL when it is not there. */
const char *shortened_find(struct shortened *shortened, const char *path, size_t len);
/** Its row says so; harmless when it is not there. */
void shortened_remove(struct shortened *shortened, const char *path, size_t len);

#endif
