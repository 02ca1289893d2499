/*
 * forget: with history_keep, versions that ended longer ago leave the history, and so do gaps.
 *
 * A thread of its own, at low priority, from when history_keep is set first. Once an hour it looks
 * at what has become old enough, and once a day at all that is; what goes, the store's writer
 * deletes, a few milliseconds' worth at a time.
 */
#ifndef CARVED_CORE_APP_FORGET_H
#define CARVED_CORE_APP_FORGET_H

struct app;
struct error;
struct store_op;
struct str;

/** Begins, or goes by the configuration in force from now on. The loop, once the history is open.
 * 0, or -errno with err when the thread cannot be made. */
int forget_begin(struct app *app, struct error *err);
/** A STORE_EXPIRE came back. The loop. */
void forget_committed(struct app *app, const struct store_op *op);
/** Appends what the status says of it, with a comma before. The loop. */
void forget_status(struct app *app, struct str *out);
/** Ends the thread; before the store is closed. */
void forget_stop(struct app *app);
/** Behind it. */
void forget_free(struct app *app);

#endif
