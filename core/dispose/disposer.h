/*
 * disposer: the one thread that removes files: what its choosers name, after that is on the disk.
 *
 * What is intended is committed durably (STORE_INTEND), then done, then what became of it is
 * committed (STORE_REMOVED). What is intended when it starts is taken up first, so a crash anywhere
 * in between leaves nothing half done. What fails stays intended and is tried again after 1 s, 2 s,
 * ... 10 min. It sleeps while there is nothing to do.
 */
#ifndef CARVED_CORE_DISPOSE_DISPOSER_H
#define CARVED_CORE_DISPOSE_DISPOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/dispose/choose.h"
#include "core/store/removal.h"

struct ages;
struct config;
struct disposer;
struct store;
struct store_op;
struct version;

/* Borrowed until disposer_free(); what is called is called by the disposer's thread. */
struct disposer_options {
	struct store *store;
	bool (*has_writer)(int fd); /* these three as in struct ground */
	bool (*hold)(int fd);
	bool (*drop)(int fd);
	/* A removal has its end, and that is committed. */
	void (*ended)(void *context, const struct removal *removal, const struct version *version);
	/* Something cannot be done (err), or the first thing could again (NULL). May be called
	 * often. */
	void (*fails)(void *context, const struct error *err);
	bool no_rules; /* there are none: RULES_SINK is no sink of the store */
	/* Asked one after the other when the rules have nothing any more; behind the last is one
	 * whose choose is NULL. */
	struct chooser others[3];
	const struct ages *ages; /* one of them looks; needed for retention: quarantine */
	/* There is nothing to do any more. */
	void (*idle)(void *context);
	void *context;
};

/* What the status says. */
struct disposer_status {
	uint64_t ended[REMOVAL_STATES];
	int64_t intended;
	int64_t silent_ms;    /* it has been at the same step for so long; -1: it rests */
	struct error trouble; /* code 0: none */
};

/** Opens the quarantine of config, starts the thread; *out is set before that, and NULL when it
 * fails. */
int disposer_new(struct disposer **out, const struct disposer_options *options,
		 struct config *config, struct error *err);
/** There may be something to do. Any thread. NULL is fine. */
void disposer_wake(struct disposer *disposer);
/** An operation came back whose owner is the disposer. Any thread. */
void disposer_committed(struct disposer *disposer);
/** Is there something to do that need not be waited for? Any thread. NULL is fine. */
bool disposer_busy(struct disposer *disposer);
/** Other rules from now on. Any thread. */
void disposer_configure(struct disposer *disposer, struct config *config);
/** Its thread has come a step further with what takes long: for its choosers. */
void disposer_step(struct disposer *disposer);
void disposer_status(struct disposer *disposer, struct disposer_status *out);
/** Ends the thread, when the file that it is at is through. Before store_close(); nothing comes
 * back to it any more. NULL is fine. */
void disposer_stop(struct disposer *disposer);
/** After store_close(). */
void disposer_free(struct disposer *disposer);
AUTO_DEFINE(disposer);

#endif
