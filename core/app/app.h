/*
 * app: the daemon: loop, intake, scan, record.
 *
 * app_run() is `carved run`, `run --once` and `carved scan`: what differs is in the options.
 */
#ifndef CARVED_CORE_APP_APP_H
#define CARVED_CORE_APP_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/outcome.h"
#include "core/config/config.h"
#include "core/store/version.h"

struct app;
struct error;

struct app_options {
	struct config *config;		   /* borrowed; reloads compare with it */
	struct config_overrides overrides; /* of the command line, for reloads; borrowed */
	bool once; /* end when everything that is there has been dealt with */
	bool json; /* one JSON object a line on stdout for each recorded version */
	/* Called by the loop for each version after its commit, and for each that the history knew
	 * already (fresh false, version filled from the history); NULL: none. */
	void (*recorded)(void *context, const struct version *version, bool fresh);
	/* Called by the loop when a version is found to lack a part after its commit: version has
	 * its path, and in note how that is known; NULL: none. */
	void (*incomplete)(void *context, const struct version *version);
	void *context;
	/* Called by the loop's thread at the end for each version that this run met, or had queued,
	 * and leaves without an answer: somebody writes to it, or a signal came first; NULL: none.
	 */
	void (*left)(void *context, const struct version *version);
	bool *cut_short; /* set when a signal ended a run with once before it was through; borrowed
			  */
	/* Only files below the roots, and paths, are dealt with: rows that others left queued are
	 * not ours. */
	bool own_only;
	/* once: these paths alone are looked at instead of walking the roots; borrowed. */
	const char *const *paths;
	size_t path_count;
};

/** Blocks the signals that app_run() handles: those that come while the configuration is read wait
 * for it then. Before any thread exists. */
void app_hold_signals(void);

/**
 * Runs until a signal or, with once, until all is done. Blocks the signals that it handles; call it
 * before any other thread exists. Returns the exit code (0, or 3 with err filled when it could not
 * run; 2 when a detector or a root's pattern is wrong).
 */
int app_run(const struct app_options *options, struct error *err);

#endif
