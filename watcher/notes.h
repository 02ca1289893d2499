/*
 * notes: events that wait to be returned by watcher_next(): gaps, complaints, directories, and what
 * a record caused beside its own event. They own their strings. Not thread-safe.
 */
#ifndef CARVED_WATCHER_NOTES_H
#define CARVED_WATCHER_NOTES_H

#include "watcher/own.h"
#include "watcher/watcher.h"

struct notes {
	struct link waiting;
	struct note *told; /* the one whose strings the caller holds */
};

void notes_init(struct notes *notes);
void notes_done(struct notes *notes);
/** Appends a copy of event; path_len bytes of path, and from and text as strings, are copied. */
void notes_add(struct notes *notes, const struct watcher_event *event);
/** Fills *out with the oldest, borrowed until the next notes_pop(); false when there is none. */
bool notes_pop(struct notes *notes, struct watcher_event *out);
bool notes_empty(const struct notes *notes);

/** Bytes of a path before its last slash. */
size_t notes_dir_len(const char *path, size_t len);

#endif
