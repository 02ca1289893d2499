/*
 * rooted: what the watcher knows of one root.
 */
#ifndef CARVED_WATCHER_ROOTED_H
#define CARVED_WATCHER_ROOTED_H

#include "watcher/place.h"
#include "watcher/tree.h"
#include "watcher/watcher.h"

#define CAUSES (WATCHER_CAUSE_UNREADABLE + 1)

struct gap {
	bool open;
	uint32_t complaints; /* since it was opened */
	uint64_t need;	     /* the batch whose end closes it */
};

/* A directory above a root that is watched for changes of the root's path. */
struct lookout {
	int wd;
	bool deletions; /* of any directory in it: the root's own name may be none of its path */
	size_t name_len;
	char *name; /* the one that matters, owned; NULL: none, only the directory itself */
};

struct mounts;

struct root {
	char *path; /* as written, without slashes at the end; "" is "/" */
	size_t path_len;
	bool absolute;
	enum watcher_mode mode;
	uint8_t polled; /* enum poll_reason (see way.h), 0: it is not */
	bool present;
	bool left;	     /* nobody asks for it now: its place is kept for its number */
	bool adding;	     /* watcher_add_root() is at work: a clash is its result */
	bool clashed;	     /* absent because another root has the directory */
	bool told_absent;    /* the complaint about its absence was made */
	uint64_t magic;	     /* type of its file system, as of when its way was chosen */
	bool told_foreign;   /* the complaint about its file system was made */
	uint8_t told_pinned; /* complaints about files that are mounted alone */
	struct node *top;    /* NULL unless present */
	struct place_id id;
	struct place_id *chain; /* the directory and those above it, when it was resolved */
	size_t chain_len;
	bool armed;	       /* lookouts stand where the path leads */
	bool short_of_watches; /* not all of them could be had */
	struct place_id armed_id;
	struct lookout *lookouts;
	size_t lookout_count;
	uint8_t hindrance;		 /* enum hindrance: see gap.h */
	struct mounts *mounts;		 /* that it lies on, and below it: see mounts.h */
	uint64_t trouble[TROUBLE_KINDS]; /* directories in each kind of trouble */
	struct gap gaps[CAUSES];
};

#endif
