/*
 * watcher: what changed on disk below the roots. Knows only libc; nothing of entries, scans or SQL.
 *
 * One inotify instance for all roots. A reader thread copies the kernel's events into a bounded
 * buffer and does nothing else; when the buffer is full it stops reading, so that the kernel's
 * overflow is the only one. Everything else (the tree of directories, walks) belongs to the one
 * thread that calls watcher_next(): the loop.
 *
 * Events are hints and may repeat: a file can be told by its walk, by its directory's walk and by
 * an event. The state on disk is the truth; start, new directory, moved-in directory, overflow,
 * watch limit, remount and polling are one walk (watch, then list).
 */
#ifndef CARVED_WATCHER_WATCHER_H
#define CARVED_WATCHER_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watcher/event.h"

struct watcher;

enum watcher_mode {
	WATCHER_AUTO,
	WATCHER_INOTIFY,
	WATCHER_POLL
};

/* Roots at most, those that were left included. */
#define WATCHER_ROOTS_MOST UINT32_C(4096)

struct watcher_options {
	size_t buffer_bytes; /* bound of the reader's buffer; 0: 8 MiB */
};

enum watcher_result {
	WATCHER_NOTHING = 0, /* nothing now; wait for watcher_fd() */
	WATCHER_EVENT,	     /* *out is filled */
	WATCHER_BUSY,	     /* a bounded piece of work was done without an event; call again */
};

/**
 * Makes a watcher; no thread runs yet. Without an inotify instance (max_user_instances,
 * descriptors) all roots are polled, with a gap, until watcher_retry() gets one, and a
 * WATCHER_COMPLAINT names the limit; with WATCHER_INOTIFY roots added then, watcher_add_root()
 * fails with -EMFILE. Returns -errno only for failures that leave nothing
 * usable.
 */
int watcher_new(struct watcher **out, const struct watcher_options *options);
/** Stops the reader, closes everything. NULL is fine. */
void watcher_free(struct watcher *watcher);

/**
 * Adds a root, which need not exist: a missing one is said (gap "root", complaint) and looked for
 * at every watcher_retry(). Its walk begins with the next watcher_next(). path is copied. -EEXIST:
 * the directory is a root already or lies below or above one (text of the clash by a complaint).
 */
int watcher_add_root(struct watcher *watcher, const char *path, enum watcher_mode mode,
		     uint32_t *out_index);

/** Keeps a number for a root that is not watched yet: watcher_begin_root() begins. path is copied.
 * -E2BIG: there are too many, those that were left included. */
int watcher_reserve_root(struct watcher *watcher, const char *path, uint32_t *out_index);
/** Begins to watch a root that was reserved or left, or anew in another mode, with a gap "root"
 * until it was walked; WATCHER_WALKED_ALL is told in any case. A clash with another root is said
 * (complaint) and looked at again at every watcher_retry(), as a root is that is missing. */
void watcher_begin_root(struct watcher *watcher, uint32_t root, enum watcher_mode mode);
/** Watches nothing of the root any more; its number stays. What the kernel had queued of it and was
 * not returned yet is dropped: to have it, wait until a ticket has passed. */
void watcher_leave_root(struct watcher *watcher, uint32_t root);

/** Starts the reader thread, with every signal blocked in it. 0 (also without an inotify instance,
 * when there is nothing to read), or -errno. */
int watcher_start(struct watcher *watcher);

/** A descriptor that is readable (poll, epoll) when watcher_next() may have something. */
int watcher_fd(const struct watcher *watcher);

/**
 * The next event. Bounded work a call (one event, or up to about a thousand directory entries). The
 * caller may stop calling when it has no room: the buffer, then the kernel's queue fill up, and the
 * overflow is told as a gap. Returns a watcher_result, or -errno when watching cannot go on.
 */
int watcher_next(struct watcher *watcher, struct watcher_event *out);

/** Walks all roots again (SIGUSR2, a reader's doubt). Repeats while one is running are coalesced.
 */
void watcher_reconcile(struct watcher *watcher);
/** True while watcher_retry() is worth calling every rescan interval: a root is missing, a
 * directory unwatched or unreadable, or a root is polled. */
bool watcher_needs_retry(const struct watcher *watcher);
/** Looks for missing roots, tries unwatched directories again, walks polled roots. */
void watcher_retry(struct watcher *watcher);
/** To be called when /proc/self/mountinfo changed: resolves the roots anew, walks what of them is
 * mounted otherwise now, if anything, and tells WATCHER_WALKED_ALL. */
void watcher_mounts_changed(struct watcher *watcher);
/** To be called when the caller has no room for long: closes the directory that is being listed,
 * which keeps its mount busy. Its listing begins again. */
void watcher_let_go(struct watcher *watcher);

/**
 * A ticket for this moment: once watcher_passed(ticket), every event that the kernel had queued
 * before has been returned by watcher_next(), and so has what it led to: the listing of a directory
 * that was made or moved, the other half of a rename. Used to decide that a path is really gone.
 * What an overflow dropped was queued no more: it is told by the walk that closes the gap.
 */
uint64_t watcher_ticket(struct watcher *watcher);
bool watcher_passed(struct watcher *watcher, uint64_t ticket);

/**
 * Where the directory of an earlier event (its dir) is now: its path, borrowed until the next call
 * of any function here; NULL when that is not known. Renames of directories may become known in
 * another order than they were made in, so that their WATCHER_DIR_MOVED need not lead there.
 */
const char *watcher_directory(struct watcher *watcher, int dir, size_t *out_len);
/** True when it is not known because the directory, or one above it, is on its way: it was told
 * from where it went, and is about to be told where to, or is gone. */
bool watcher_directory_moves(const struct watcher *watcher, int dir);
/** The number, as event's dir, of the directory with this path below (or of) a root; 0: it has no
 * watch. */
int watcher_directory_at(const struct watcher *watcher, uint32_t root, const char *path,
			 size_t len);

/** True when root is polled (its mode, no events on its file system, or no inotify instance). */
bool watcher_root_polled(const struct watcher *watcher, uint32_t root);
/** True when root is there and watched or walked. */
bool watcher_root_present(const struct watcher *watcher, uint32_t root);

struct watcher_stats {
	uint64_t events, overflows, walks, entries_walked;
	uint64_t watches, directories;
	uint64_t granted;   /* watches that this user may have, in all its programs; UINT64_MAX: not
			       known */
	uint64_t unwatched; /* directories whose events cannot be relied on, and of these: */
	uint64_t without_watch, unreadable, foreign;
	uint64_t buffer_used, buffer_high; /* bytes */
};

void watcher_stats(struct watcher *watcher, struct watcher_stats *out);

#endif
