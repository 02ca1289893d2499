/*
 * gap: spans in which events may have been lost, what caused them, and when they are made up for.
 *
 * A gap is opened once and closed by the end of a batch of the agenda that began after the cause
 * had ended ("need"). Directories in trouble keep the gap of their root and cause open while there
 * are any. Complaints say what to mend; a gap makes a bounded number of them, since a sensor's
 * volume can hold a million directories with the same fault.
 */
#ifndef CARVED_WATCHER_GAP_H
#define CARVED_WATCHER_GAP_H

#include "watcher/inside.h"

/* What keeps a root from being looked at as it should, beside troubles of directories below it. */
enum hindrance {
	HINDERED_NOT,
	HINDERED_LOOKOUTS, /* no watches for all the directories above it */
	HINDERED_INSTANCE, /* no inotify instance: polled, though it should not be */
	HINDERED_FILES,	   /* no descriptors or memory to open it */
};

/** Opens the gap, or keeps it open: no batch closes it until gap_heals(). */
void gap_open(struct watcher *w, struct root *root, enum watcher_cause cause);
/** The cause has ended and the walk that makes up for it belongs to batch. Nothing when not open.
 */
void gap_heals(struct root *root, enum watcher_cause cause, uint64_t batch);
/** Nobody asks for the root any more: its gaps are told to be closed. */
void gap_close_all(struct watcher *w, struct root *root);
/** What makes up for the gaps of root belongs to the batch that is filling, not to an earlier one.
 */
void gap_put_off(struct watcher *w, struct root *root);
/** Says what is wrong at path (raw bytes, or NULL) and what to mend; printf-like text follows the
 * path, shown. root may be NULL. */
void gap_complain(struct watcher *w, const struct root *root, const char *path, const char *format,
		  ...) __attribute__((format(printf, 4, 5)));
/** True (and counted) while the gap may still complain of one more thing. */
bool gap_may_complain(struct gap *gap);

/** Marks a directory that could not be watched or listed; error is the negative errno. */
void gap_trouble(struct watcher *w, struct node *node, enum trouble trouble, int error);
/** The directory is all right again, or is to be forgotten. */
void gap_trouble_over(struct watcher *w, struct node *node);

/** Something keeps the root as a whole from being looked at as it should (error: the negative
 * errno, for words), or HINDERED_NOT: nothing does, any more. */
void gap_hinder(struct watcher *w, struct root *root, enum hindrance hindrance, int error);

/** The kernel dropped events: opens the gap and plans a walk of everything. */
void gap_overflow(struct watcher *w);
/** True while a moment is waited for, overflow.due_ns, at which the walk may begin. */
bool gap_overflow_waits(const struct watcher *w);
/** Begins the walk that an overflow waits for, when it is due and none is under way. */
void gap_overflow_due(struct watcher *w, int64_t now_ns);

/** Not everything is known yet: the walk of a whole root is still to come
 * (asked a bounded number of times: mounts may change, and walks be asked for, without an end). */
bool gap_holds_back(struct watcher *w);
/** A batch is finished: closes what it closes and tells WATCHER_WALKED_ALL. */
void gap_batch_finished(struct watcher *w, uint64_t batch);

#endif
