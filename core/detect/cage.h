/*
 * cage: a plan made to run confined: by carved-launch, with a directory of its own to write in.
 *
 * What every command may reach stands in core/launcher/confine.c; a cage says what this one may
 * reach besides. TMPDIR and HOME lead to the scratch directory unless the plan sets them itself.
 * Each process may map CAGE_MEMORY and write files of CAGE_FILE_SIZE. One thread at a time.
 */
#ifndef CARVED_CORE_DETECT_CAGE_H
#define CARVED_CORE_DETECT_CAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/detect/spawn_plan.h"

struct digest;
struct error;

/* Address space, not memory in use: clamscan maps 2 GiB, runtimes reserve several. */
#define CAGE_MEMORY    (INT64_C(16) << 30)
#define CAGE_FILE_SIZE (INT64_C(4) << 30)

/* Zeroed, then filled by the functions below; cage_done() releases it. */
struct cage {
	char **files; /* absolute, NULL-terminated or NULL, owned: to be read and run */
	size_t file_count;
	char **trees; /* the same, with all below them when they are directories */
	size_t tree_count;
	char *place; /* where the scratch directory is made, owned; NULL: in $TMPDIR */
	bool network;
	bool open;	  /* by limits alone, and without a scratch directory; HOME is "/" */
	bool keep_sample; /* descriptor 4 is the program's, too */
};

struct caged {
	struct spawn_plan plan; /* starts the launcher */
	char *scratch;		/* owned; NULL: none yet */
	char *place;		/* where that was made, owned; NULL: in $TMPDIR */
};

/** Adds a path that may be read and run. Only words of the configuration come here, never what a
 * scanned file is called. A word that is no absolute path is passed over; so is, when the command
 * is started, one that leads to a directory. */
void cage_file(struct cage *cage, const char *word);
/** The same, where a directory stands for all below it. */
void cage_tree(struct cage *cage, const char *path);
void cage_done(struct cage *cage);
/** What of the configuration decides about a cage, for a detector's digest: what a command may
 * reach it may answer by. paths may be NULL. */
void cage_digest(struct digest *digest, char *const *paths, bool network);

static inline void cage_cleanup(struct cage *cage)
{
	cage_done(cage);
}

/** Makes the scratch directory and the plan that runs plan confined. On failure caged holds
 * nothing. */
int caged_make(struct caged *caged, const struct spawn_plan *plan, const struct cage *cage,
	       bool has_sample, struct error *err);
/** Frees it and removes the scratch directory; negative, with words, when that cannot be removed.
 */
int caged_done(struct caged *caged, struct error *err);

/** The launcher: uninstalled beside the binary, else installed. Owned; NULL, with words: there is
 * none that can be run. */
char *cage_launcher(struct error *err);

#endif
