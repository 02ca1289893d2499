/*
 * inside: what the parts of the watcher share: the watcher itself, and its roots.
 *
 * Arrows between the parts, all on the loop's thread: watcher.c takes bytes from reader, records
 * from decode, and hands them to dispatch; dispatch and walk ask adopt what stands at a place;
 * adopt and root put directories on the agenda; gap and notes keep what is to be told.
 */
#ifndef CARVED_WATCHER_INSIDE_H
#define CARVED_WATCHER_INSIDE_H

#include <sys/stat.h>

#include "watcher/agenda.h"
#include "watcher/moves.h"
#include "watcher/notes.h"
#include "watcher/place.h"
#include "watcher/reader.h"
#include "watcher/rooted.h"
#include "watcher/tree.h"
#include "watcher/watcher.h"

#define NEED_NEVER  UINT64_MAX /* a gap that no batch closes yet */
#define LISTING_BUF ((size_t)32 << 10)

/* Directories that lost their place: see limbo.h. */
struct limbo {
	struct link young;
	struct link old;
	struct link dead;
	uint64_t young_since;
	uint64_t old_since;
	uint64_t ticket; /* the old ones wait for this position */
	int64_t tick_ns; /* when young ones become old, and old ones due; 0: not ticking */
	bool due;
};

/* The directory that is being listed: see walk.h. */
struct listing {
	int fd;
	bool force;
	bool sweeping;
	bool foreign; /* changes made elsewhere are not told */
	bool pinned;  /* it holds a file that is mounted alone */
	int error;    /* negative errno: not everything could be read, so nothing is forgotten */
	uint32_t serial;
	struct node *sweep; /* the next child to look at */
	size_t at;
	size_t have;
	char *buffer; /* LISTING_BUF */
};

struct overflow {
	struct gap gap;
	bool waiting;	/* the walk begins at due_ns */
	uint64_t batch; /* that of the walk under way; 0: there is none */
	int64_t due_ns, began_ns, closed_ns;
	int64_t rested_ns; /* no walk begins earlier than this */
	unsigned step;	   /* how often the walk was put off */
};

/* The path of the directory that was spoken of last; most events repeat it. */
struct spoken {
	struct bytes path; /* the directory, a slash, a name */
	const struct node *dir;
	uint64_t version;
	size_t dir_len; /* without the slash */
	uint32_t root;
	bool attached;
};

struct watcher {
	int inotify_fd; /* negative errno: none to be had */
	int wake_fd;
	int timer_fd;
	int epoll_fd;
	struct reader *reader;
	struct tree tree;
	struct root **roots;
	uint32_t root_count;
	struct agenda agenda;
	struct listing listing;
	struct limbo limbo;
	struct moves moves;
	struct notes notes;
	struct overflow overflow;
	struct spoken spoken;
	struct bytes scratch; /* a path to open; used by one function at a time */
	struct statx stat;
	uint32_t serial;	  /* counts listings */
	uint64_t cause;		  /* older position that what is done goes back to, or UINT64_MAX */
	uint64_t walked_all_need; /* the batch whose end tells WATCHER_WALKED_ALL */
	uint64_t whole_need;	  /* the batch that walks a whole root: it is not told before */
	unsigned held_back;	  /* how often it was not told for that reason */
	bool listed;		  /* something was listed since it was told */
	bool mounts_waiting;	  /* mounts changed; looked at when mounts_due_ns has come */
	bool shadows;		  /* there may be directories that are watched elsewhere */
	bool shadows_may_end;	  /* and where they were watched something changed */
	int64_t mounts_due_ns;
	int64_t timer_ns; /* what timer_fd is set to; 0: disarmed */
	unsigned streak;  /* records since the last step of a walk */
	bool ready;	  /* event waits behind the notes */
	struct watcher_event event;
	size_t bound; /* of the reader's buffer, as asked for */
	bool started;
	int no_room;	      /* why the last watch was refused: a negative errno */
	uint64_t told_wanted; /* the limit of watches that was asked for; 0: none */
	uint64_t events, overflows, walks, entries_walked;
};

static inline struct root *root_of(const struct watcher *w, const struct node *node)
{
	return w->roots[tree_top(node)->root];
}

/** Makes watcher_fd() readable: there is work that no event announces. */
void watcher_kick(struct watcher *w);

/** Counts the version of the event stream at which something became known. */
static inline uint64_t watcher_position(const struct watcher *w)
{
	return reader_position(w->reader);
}

#endif
