/*
 * remove: one file's removal, from the look whether it is the one that was judged to its end.
 *
 * A name is not a file: whoever may write to the directory can exchange what stands there between
 * any look and any deed. So the name is renamed away first, into the quarantine directory
 * (vault.h), where nobody else reaches it; what was taken is then compared with what the history
 * knows, and put back if it is something else. See DESIGN.md, "Disposal".
 */
#ifndef CARVED_CORE_DISPOSE_REMOVE_H
#define CARVED_CORE_DISPOSE_REMOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config/disposal.h"

struct config;
struct error;
struct hasher;
struct removal_task;
struct site_dirs;
struct vault;
struct version;

/* What removals need. Borrowed; one thread. */
struct ground {
	const struct config *config; /* its roots */
	const struct vault *vault;
	struct hasher *hasher;
	struct site_dirs *dirs; /* where files were removed by their names: to be synced */
	int64_t started_ns;	/* what was intended before may be done already; 0: nothing was */
	bool (*has_writer)(int fd); /* somebody has it open for writing, as far as can be told */
	/* What the rules say of it by now; NULL: they are not asked again. */
	enum config_disposal (*wanted)(const struct config *config, const struct version *version);
	/* From hold(), where that can be (true), until drop(), which tells whether nobody wrote to
	 * it meanwhile. */
	bool (*hold)(int fd);
	bool (*drop)(int fd);
};

/**
 * Does task->removal, which is intended, also when an earlier try was cut short anywhere. Sets its
 * state, and what belongs to it (note, place, ended_ns). True: that is so. False: it stays
 * intended, to be tried again, and err says why and what to mend; err->code is 0 where it only has
 * to be waited for (a writer, its root).
 */
bool remove_file(const struct ground *ground, struct removal_task *task, struct error *err);

#endif
