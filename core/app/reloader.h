/*
 * reloader: makes a new engine on a thread of its own, so that compiling rules holds up nobody.
 *
 * The thread is started by the first wish and lives as long as the daemon: the helpers that it
 * starts die with the thread that started them (helper.h). One wish at a time.
 */
#ifndef CARVED_CORE_APP_RELOADER_H
#define CARVED_CORE_APP_RELOADER_H

#include <stdbool.h>

#include "core/base/error.h"

struct config;
struct config_overrides;
struct engine;
struct reloader;

struct reload_wish {
	const struct config_overrides *overrides; /* borrowed until it is fulfilled */
	struct config *config;	/* a reference, taken over; NULL: to be loaded anew */
	struct engine *earlier; /* a reference, taken over */
};

struct reload_result {
	bool anew;	       /* the configuration was loaded */
	bool other_history;    /* it names another one, which it is not given */
	struct config *config; /* a reference; NULL: refused */
	struct engine *engine; /* a reference; NULL: refused, err says why */
	struct error err;
};

int reloader_new(struct reloader **out, struct error *err);
/** Gives up what is under way, and drops it. NULL is fine. */
void reloader_free(struct reloader *reloader);
/** Readable once a wish is fulfilled. */
int reloader_fd(const struct reloader *reloader);
bool reloader_busy(const struct reloader *reloader);
/** Begins; not while it is busy. 0, or -errno when no thread can be had (the wish is dropped). */
int reloader_ask(struct reloader *reloader, const struct reload_wish *wish);
/** What came of it, the caller's; false: nothing yet. */
bool reloader_take(struct reloader *reloader, struct reload_result *out);

#endif
