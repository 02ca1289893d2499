/*
 * met: files that a walk met, many at a time, so that those that the history knows cost little.
 *
 * A walk meets a million files that were looked at long ago. Each of them would become a job, only
 * to be dropped; and asked for one by one, in the order of their directories, they would have the
 * history's pages read again and again. So what a walk tells is gathered, looked up in the order of
 * the history's key, and only what is not plainly known is told on (hints), in the same order, in
 * which it is written soonest. What else the watcher tells comes after all that was met before it.
 * The loop's.
 */
#ifndef CARVED_CORE_APP_MET_H
#define CARVED_CORE_APP_MET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"

struct app;
struct met;
struct watcher_event;

struct met *met_new(void);
void met_free(struct met *met);
AUTO_DEFINE(met);

/** Keeps a copy of a file that a walk met, if that is what the event tells, and there is room for
 * it. False: it is to be told as any other, once met_tell() is through. */
bool met_add(struct app *app, const struct watcher_event *event);
/** Looks up what was added since the last time, and tells what is not known while there is room for
 * jobs (pull_has_room). True when nothing is left: only then more may be added, or told. */
bool met_tell(struct app *app);
/** Gives the memory back until something is met again. Nothing may be kept. */
void met_rest(struct met *met);
/** Nothing is kept. */
bool met_is_empty(const struct met *met);

#endif
