/*
 * gaps: spans in which events may have been lost, kept in the history with their cause and what the
 * reconcile found. The loop's.
 */
#ifndef CARVED_CORE_APP_GAPS_H
#define CARVED_CORE_APP_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct gaps;
struct store_op;
struct str;
struct watcher_event;

struct gaps *gaps_new(void);
void gaps_free(struct gaps *gaps);

/** The daemon was not running since opened_ns (0: never ran on this history); closed by
 * gaps_walked_all(). */
void gaps_down(struct app *app, int64_t opened_ns);
/** Rows of earlier runs that wait longer than anything may, as the clock was set back since, are
 * due at once. */
void gaps_clock(struct app *app, int64_t longest_ms);
/** WATCHER_GAP_OPENED or WATCHER_GAP_CLOSED. */
void gaps_event(struct app *app, const struct watcher_event *event);
/** A file that came and went before it was looked at has no row and gets none, as the history
 * spares its room for what makes some: a gap of its root tells of that, until gaps_tick() finds
 * that it does so no more. */
void gaps_unrecorded(struct app *app, uint32_t root);
void gaps_tick(struct app *app);
/** Every root was walked: closes the gap of the downtime, and what an earlier run left open. */
void gaps_walked_all(struct app *app);
/** A version was found by a walk that no event had told of. */
void gaps_found(struct app *app, uint32_t root);
/** One of our operations was committed. */
void gaps_committed(struct app *app, struct store_op *op);
/** True while what the kernel dropped has not been made up for. */
bool gaps_overflow_open(const struct app *app);
/** Appends those that are open as a JSON array: cause, root (null: all), opened_ns, found. */
void gaps_json(const struct app *app, struct str *out);
/** Gaps that are open now. */
size_t gaps_open(const struct app *app);

#endif
