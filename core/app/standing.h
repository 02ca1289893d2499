/*
 * standing: does the file that a version was of stand at its path still, or may it come back there?
 *
 * What is let go of is scanned again when a walk meets it. So a file is gone only where its file
 * system is there to be asked: a root that is missing, and a volume that is not mounted now, say
 * nothing of the files that were seen there. One thread's; asks the file system.
 */
#ifndef CARVED_CORE_APP_STANDING_H
#define CARVED_CORE_APP_STANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"

struct config;
struct old_version;
struct standing;

enum standing_is {
	STANDING_GONE,	  /* for good */
	STANDING_THERE,	  /* or what stands there cannot be told */
	STANDING_UNKNOWN, /* its root is missing, or its volume not mounted */
};

/** config is borrowed until standing_free(). */
struct standing *standing_new(const struct config *config);
void standing_free(struct standing *standing);
AUTO_DEFINE(standing);

enum standing_is standing_look(struct standing *standing, const struct old_version *version);

/* Why versions were UNKNOWN so far: the first place of each kind, NULL for none. */
struct standing_silent {
	const char *root;	  /* a root that is missing */
	const char *place;	  /* a directory that is on another file system than it was */
	unsigned long long count; /* versions */
};

/** Borrowed until the next look. */
struct standing_silent standing_silent(const struct standing *standing);

#endif
