/*
 * event: what the watcher tells (watcher.h).
 */
#ifndef CARVED_WATCHER_EVENT_H
#define CARVED_WATCHER_EVENT_H

#include <stddef.h>
#include <stdint.h>

struct statx;

enum watcher_kind {
	WATCHER_CLOSED, /* a descriptor open for writing was closed (IN_CLOSE_WRITE) */
	WATCHER_MOVED,	/* a non-directory was moved to path (IN_MOVED_TO); from is set when its old
			 * place lies below a root and its IN_MOVED_FROM was seen lately */
	WATCHER_CREATED, /* a non-directory appeared (IN_CREATE): open for writing, link, special
			    file */
	WATCHER_TOUCHED, /* metadata of a non-directory changed (IN_ATTRIB) */
	WATCHER_WALKED,	 /* a walk met a non-directory; stat is set unless it could not be had, and
			  * then it may be anything */
	WATCHER_GONE,	 /* a non-directory was deleted or moved away from path */
	WATCHER_DIR_MOVED,  /* the directory from is now path; its files follow as WATCHER_WALKED */
	WATCHER_DIR_GONE,   /* a directory was deleted or moved out of every root; told for the
			     * topmost   one only, and not when another one stands at path by now */
	WATCHER_GAP_OPENED, /* events of root may have been lost from now on, or were; see cause */
	WATCHER_GAP_CLOSED, /* the walk that makes up for it is through */
	WATCHER_WALKED_ALL, /* every present root is watched and walked (told once after each time
			     * that walking was needed: start, retry, new or moved directory). Not
			     * all is known yet while an overflow's gap is open */
	WATCHER_COMPLAINT,  /* text says what could not be watched or read, and what to mend */
};

enum watcher_cause {
	WATCHER_CAUSE_OVERFLOW, /* the kernel's queue ran over */
	WATCHER_CAUSE_MOUNT,	/* mounts changed below or above the root */
	WATCHER_CAUSE_LIMIT, /* no watch, instance, descriptor or memory left; what is short of it
			      * is walked every rescan instead */
	WATCHER_CAUSE_ROOT,  /* the root was missing, deleted or replaced */
	WATCHER_CAUSE_UNREADABLE, /* a directory could not be opened or listed */
};

#define WATCHER_NO_ROOT UINT32_MAX

/* One event. Pointers are borrowed until the next call of watcher_next(). */
struct watcher_event {
	enum watcher_kind kind;
	enum watcher_cause cause; /* gaps only */
	uint32_t root;	  /* index given by watcher_add_root(); WATCHER_NO_ROOT: all of them */
	const char *path; /* the root as written, a slash, and the rest; NUL-terminated raw bytes */
	size_t path_len;
	size_t dir_len; /* bytes of path before the last slash (the directory; 0 for "/name") */
	int dir; /* of a non-directory: for watcher_directory(); 0: its directory has no watch */
	const char *from;	  /* WATCHER_MOVED, WATCHER_DIR_MOVED: the old path, or NULL */
	uint64_t fsid;		  /* f_fsid of the directory's file system */
	const struct statx *stat; /* WATCHER_WALKED: basic stats and birth time, link not followed;
				   * or NULL */
	const char *text;	  /* WATCHER_COMPLAINT */
};

#endif
