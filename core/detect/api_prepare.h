/*
 * api_prepare: a command of api.yml, made ready to run.
 *
 * The variables of the command are, each later one over the earlier: the daemon's own environment
 * (for expansion only), the file's "environment", the entry's "environ"; values are expanded once,
 * in the order of the file. The child's environment is PATH, LANG, the two maps, BROAPT_PATH and
 * BROAPT_MIME.
 *
 * A string runs as /bin/sh -c TEXT. $BROAPT_PATH and $BROAPT_MIME, and variables made from them,
 * stay in TEXT as they are written: the shell expands them from its environment, and what a file is
 * called is never parsed. (Unquoted they are still split at blanks and globbed: write
 * "$BROAPT_PATH".) A list runs without a shell, its words are expanded each for itself; a word that
 * is program text ([sh, -c, TEXT]) is treated as TEXT above, and so is the first word, which no
 * file may choose.
 *
 * The working directory is relative to API_ROOT/<type>/<subtype> of the file's MIME type, to
 * API_ROOT/example for the default entry. Source: BroAPT's documentation of api.yml. One thread.
 */
#ifndef CARVED_CORE_DETECT_API_PREPARE_H
#define CARVED_CORE_DETECT_API_PREPARE_H

#include <stdbool.h>

#include "core/detect/spawn_plan.h"

struct api;
struct cage;
struct api_command;
struct api_entry;
struct config;
struct error;

/* Where a command of api.yml runs, and for which file. Borrowed. */
struct api_site {
	const struct config *config;
	const struct api *api;
	const struct api_entry *entry;
	const char *path; /* the file; NULL: none (an install step) */
	const char *mime; /* its type, "" for none */
};

/** Fills plan, which is zeroed; spawn_plan_done() releases it in any case. Files that words name
 * which no scanned file has to do with are added to cage, and the working directory when it lies
 * outside of API_ROOT (cage may be NULL). -EINVAL and words for a variable that cannot be one, or a
 * command that is none. */
int api_prepare(const struct api_site *site, const struct api_command *command,
		struct spawn_plan *plan, struct cage *cage, struct error *err);

/** The same for an install step, outside any scan (`carved check --install`): the directory is that
 * of the entry's pattern as it is written. */
int api_prepare_install(const struct config *config, const struct api *api,
			const struct api_entry *entry, const struct api_command *command,
			struct spawn_plan *plan, struct error *err);

/** True for the entry that serves files which no pattern matches. */
bool api_entry_is_default(const struct api_entry *entry);

#endif
