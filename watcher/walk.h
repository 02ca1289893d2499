/*
 * walk: listing the directories on the agenda, one at a time and a bounded piece a call.
 *
 * Each directory is opened, watched, and only then listed: what appears in between is told by an
 * event and by the listing, never by neither. Files are told as WATCHER_WALKED; directories go on
 * the agenda; known ones that a complete listing did not meet have lost their place.
 */
#ifndef CARVED_WATCHER_WALK_H
#define CARVED_WATCHER_WALK_H

#include "watcher/inside.h"

/** Goes on: WATCHER_EVENT (*out is filled), WATCHER_BUSY, or WATCHER_NOTHING when there is nothing
 * to list. */
int walk_step(struct watcher *w, struct watcher_event *out);
/** The node is about to get another place: no cursor may stand on it. */
void walk_step_over(struct watcher *w, const struct node *node);
/** The node is about to be freed. */
void walk_forget(struct watcher *w, const struct node *node);
/** Closes the directory that is being listed, if any; its listing begins again with the next step.
 */
void walk_let_go(struct watcher *w);
/** Gives up the listing under way, if any. */
void walk_abandon(struct watcher *w);

/** Since when what is being done was known: a listing and a look for something lost go back to
 * older events, and tickets for those wait for all that it leads to. */
static inline uint64_t watcher_since(const struct watcher *w)
{
	uint64_t position = watcher_position(w);
	return w->cause < position ? w->cause : position;
}

#endif
