/*
 * pull: taking events from the watcher, as many as there is room for. The loop's.
 *
 * When there is no room the loop stops pulling: the reader's buffer fills, then the kernel's queue,
 * and an overflow is a gap that a walk makes up for. Memory stays bounded whatever the sensors do.
 */
#ifndef CARVED_CORE_APP_PULL_H
#define CARVED_CORE_APP_PULL_H

#include <stdbool.h>

#include "core/base/clock.h"

struct app;
struct error;

/** Takes a bounded number of events; 0, or -errno when watching cannot go on. */
int pull_events(struct app *app, struct error *err);
bool pull_has_room(struct app *app);
/** When there may be room although nothing else happens; ns 0: not by time. */
struct mono pull_room_at(const struct app *app);
/** Lets the directory that is being listed go once there has been no room for a while, because it
 * keeps its mount busy. */
void pull_rest(struct app *app, bool room);
/** When pull_rest() wants to be called again; ns 0: not by time. */
struct mono pull_rest_at(const struct app *app);
/** The moment of the next rescan, counted from now. */
struct mono pull_next_rescan(const struct app *app);

#endif
