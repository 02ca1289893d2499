/*
 * settle: everything that waits for time: files that may have a writer, paths that seem gone, rows
 * that are due in the history to be seen. The loop's.
 */
#ifndef CARVED_CORE_APP_SETTLE_H
#define CARVED_CORE_APP_SETTLE_H

#include <stddef.h>

#include "core/base/clock.h"

struct app;
struct job;

/** Does what is due. */
void settle_tick(struct app *app);
/** Gives rows to all that wait and have none, for the next start; how many. */
size_t settle_leave(struct app *app);
/** The earliest moment at which settle_tick() has something to do; ns INT64_MAX: never. */
struct mono settle_next(const struct app *app);
/** Takes what the workers handed back. */
void settle_results(struct app *app);

#endif
