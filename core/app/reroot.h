/*
 * reroot: the roots of a new configuration take the place of those in force. The loop's.
 *
 * Who is no root any more is watched until all that the kernel had queued of it by then is taken
 * in; only then do new ones begin, as they may be the same directories. Its files in hand, and its
 * rows that wait, are looked at as ever. A root that is new begins as one that was missing: with a
 * gap, until it is walked.
 */
#ifndef CARVED_CORE_APP_REROOT_H
#define CARVED_CORE_APP_REROOT_H

#include "core/config/config.h"
#include "watcher/watcher.h"

struct app;
struct error;
struct reroot;
struct str;

enum watcher_mode reroot_mode(enum config_mode mode);

/** Makes what can be refused; nothing changes yet. 0, or -errno with err. */
int reroot_prepare(const struct app *app, const struct config *config, struct reroot **out,
		   struct error *err);
/** Puts it in force, frees it, and adds a line to notes for each root that is treated otherwise
 * now. */
void reroot_apply(struct app *app, struct reroot *plan, const struct config *config,
		  struct str *notes);
/** Goes on with that; each turn of the loop. */
void reroot_tick(struct app *app);

#endif
