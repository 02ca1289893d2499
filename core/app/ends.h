/*
 * ends: the three ways in which the daemon ends: stop, join (BroAPT's SIGUSR1), and once. The
 * loop's.
 */
#ifndef CARVED_CORE_APP_ENDS_H
#define CARVED_CORE_APP_ENDS_H

#include <stdbool.h>

struct app;

/** SIGTERM, SIGINT: no new work; running detectors get stop_grace; the rest stays queued. A second
 * call gives no more grace. */
void ends_stop(struct app *app);
/** The loop could not go on: what was not begun is not, and no detector is waited for. */
void ends_abandon(struct app *app);
/** SIGUSR1: no new files; what is queued is finished. */
void ends_join(struct app *app);
/** Whether the loop is through. Moves a stopping or joining daemon along. */
bool ends_reached(struct app *app);
/** After the loop: tells app_options.left and cut_short what was left undone. */
void ends_tell(struct app *app);

#endif
