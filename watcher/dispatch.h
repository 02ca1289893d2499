/*
 * dispatch: what a record means. Files become events; directories become a look at the disk
 * (adopt.h); what concerns a root's own path becomes a check of the root.
 */
#ifndef CARVED_WATCHER_DISPATCH_H
#define CARVED_WATCHER_DISPATCH_H

#include "watcher/decode.h"
#include "watcher/inside.h"

/** Handles one record: adds notes, and sets w->event and w->ready when it is an event of its own.
 */
void dispatch(struct watcher *w, const struct change *change);

#endif
