/*
 * sinks: who is told of events besides the log and --json: the file of events, and whom
 * to alert.
 */
#ifndef CARVED_CORE_APP_SINKS_H
#define CARVED_CORE_APP_SINKS_H

struct app;
struct error;
struct store_op;
struct str;

/** The names of the sinks that are configured, NULL-terminated, for store_options. Static, until
 * the next call. NULL for a scan, which leaves the telling to the daemon: two must not write one
 * file. */
const char *const *sinks_names(const struct app *app);
/** Starts them; the history is open. */
int sinks_start(struct app *app, struct error *err);
/** Something was committed. The loop. */
void sinks_wake(struct app *app);
/** A STORE_TOLD came back. The loop. */
void sinks_committed(const struct store_op *op);
/** Appends what the status says of them, with a comma before. The loop. */
void sinks_status(struct app *app, struct str *out);
/** The end was asked for: an alert that is being told has stop_grace from now on. The loop. */
void sinks_end(struct app *app);
/** Tells what is there and ends their threads; before the store is closed. */
void sinks_stop(struct app *app);
/** Behind it. */
void sinks_free(struct app *app);

#endif
