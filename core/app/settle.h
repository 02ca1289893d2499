/*
 * settle: everything that waits for time: files that may have a writer, paths that seem gone, rows
 * that are due in the history to be seen. The loop's.
 */
#ifndef CARVED_CORE_APP_SETTLE_H
#define CARVED_CORE_APP_SETTLE_H

#include <stdbool.h>

#include "core/base/clock.h"

struct app;
struct job;

/** Takes what the workers handed back, and does what is due. To be called in each turn of the loop
 * once all is known that has happened before it. */
void settle_tick(struct app *app);
/** Gives rows to all that wait and have none, for the next start. */
void settle_leave(struct app *app);
/** Lets all that wait go on waiting in the history, as soon as their rows are known; false: none
 * waits. */
bool settle_put_off_all(struct app *app);
/** The earliest moment at which settle_tick() has something to do; ns INT64_MAX: never. */
struct mono settle_next(const struct app *app);

#endif
