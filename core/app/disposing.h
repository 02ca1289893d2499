/*
 * disposing: the disposer (core/dispose) within the daemon: when there is one, and what is said of
 * it.
 */
#ifndef CARVED_CORE_APP_DISPOSING_H
#define CARVED_CORE_APP_DISPOSING_H

#include <stdbool.h>

#include "core/dispose/retention.h"

struct app;
struct config;
struct error;
struct store_op;
struct str;

/** Whether the configuration has anything removed. */
bool disposing_wanted(const struct config *config);
/** Whether events are gone through by rules since the start, whatever they are now. The loop. */
bool disposing_by_rules(const struct app *app);
/** The same of the limits of retention. The loop. */
bool disposing_by_limits(const struct app *app);
/** Starts it, if it is wanted; the history and the outbox are there. */
int disposing_start(struct app *app, struct error *err);
/** Something was committed. The loop. */
void disposing_wake(struct app *app);
/** An operation of the disposer's came back. The loop. */
void disposing_committed(const struct store_op *op);
/** Is there something to remove, that need not be waited for? The outbox wakes the loop when there
 * is nothing any more. The loop. */
bool disposing_busy(struct app *app);
/** Does what retention asked the loop for; each turn of it. */
void disposing_tick(struct app *app);
/** What retention says of the disks. Any thread, once it was started. */
struct retention_report disposing_report(struct app *app);
/** app->config is another one. The loop. */
void disposing_configure(struct app *app);
/** Appends what the status says of it, with a comma before. The loop. */
void disposing_status(struct app *app, struct str *out);
/** Ends its thread; before the store is closed. */
void disposing_stop(struct app *app);
/** Behind it. */
void disposing_free(struct app *app);

#endif
