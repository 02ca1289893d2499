/*
 * tree: the directories below the roots, as nodes with a parent and a name.
 *
 * No node holds a path: after a rename above it, it would be wrong. A path is built by walking up.
 * A node is found by its parent and name (one hash table, keyed by a random number, because names
 * are written by attackers) or by its watch descriptor. A node that lost its place is "detached":
 * no longer found by name, but still able to say where it was. Not thread-safe.
 */
#ifndef CARVED_WATCHER_TREE_H
#define CARVED_WATCHER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watcher/own.h"
#include "watcher/wdmap.h"

/* Why a directory's events cannot be relied on; it is listed again at every retry. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_LIMIT,	    /* no watch to be had */
	TROUBLE_UNREADABLE, /* cannot be opened, watched or listed */
	TROUBLE_STARVED,    /* could not be opened or listed for want of descriptors or memory */
	TROUBLE_FOREIGN,    /* changes made elsewhere are not told: another file system */
	TROUBLE_PINNED,	    /* holds a file that is mounted alone: who replaces it elsewhere is not
			     * seen */
	TROUBLE_KINDS,
};

enum node_flag {
	NODE_SCANNED = 1,   /* a listing that followed its present watch has begun */
	NODE_QUEUED = 2,    /* link is in the agenda */
	NODE_FORCE = 4,	    /* the listing on the agenda must visit every directory below */
	NODE_ODD = 8,	    /* the agenda's batch has an odd number */
	NODE_DETACHED = 16, /* lost its place; link is in limbo */
	NODE_SHADOW = 32,   /* its directory is watched at another place; its files are not told */
	NODE_DEAD = 64,	    /* detached for good, unless its watch turns up after all */
};

struct node {
	struct node *parent; /* NULL: a root's top */
	struct node *child;
	struct node *next; /* siblings */
	struct node *previous;
	struct node *bucket; /* hash chain */
	struct link link;    /* agenda or limbo */
	char *name;
	uint64_t fsid;
	uint64_t ino;  /* which directory was met here last; 0: none yet, and for tops */
	int wd;	       /* 0: none */
	uint32_t seen; /* serial of the listing or event that last met it */

	union {
		uint32_t root; /* tops: index of the root */
		uint32_t dev;  /* others: device as of ino */
	};

	uint16_t name_len;
	uint8_t flags;	 /* enum node_flag */
	uint8_t trouble; /* enum trouble */
};

struct tree {
	struct node **buckets;
	size_t bucket_count; /* 0 or a power of two */
	size_t hashed;
	size_t count;	  /* all nodes, tops and detached ones included */
	uint64_t version; /* changes whenever a path may have changed */
	uint64_t key[2];
	struct wdmap wds;
};

void tree_init(struct tree *tree);
/** Frees the tables; every node must have been freed. */
void tree_done(struct tree *tree);

/** A new top for a root. */
struct node *tree_add_top(struct tree *tree, uint32_t root);
/** A new directory name of parent, which has none of that name. */
struct node *tree_add(struct tree *tree, struct node *parent, const char *name, size_t len);
/** The child of that name that is not detached, or NULL. */
struct node *tree_child(const struct tree *tree, const struct node *parent, const char *name,
			size_t len);
/** Takes the node's name away from it: it is no longer found, but keeps parent and name. */
void tree_detach(struct tree *tree, struct node *node);
/** Gives node (detached or not) a new place, which must be free and not lie below it. */
void tree_move(struct tree *tree, struct node *node, struct node *parent, const char *name,
	       size_t len);
/** Frees a node without children, with its entry in no list but the tree's own. */
void tree_free(struct tree *tree, struct node *node);

/** Maps wd to node, taking it from whoever had it; 0 takes node's own descriptor away. */
void tree_set_wd(struct tree *tree, struct node *node, int wd);

/** The top above node. */
const struct node *tree_top(const struct node *node);
/** True when node is above other or is it. */
bool tree_is_above(const struct node *node, const struct node *other);
/** True when neither node nor any directory above it is detached. */
bool tree_attached(const struct node *node);
/** Appends "/name" for every step from the top down to node; nothing for a top. */
void tree_append_path(const struct node *node, struct bytes *out);
/** The node after node in a walk over top and everything below it, parents first; NULL at the end.
 */
struct node *tree_next(const struct node *node, const struct node *top);

#endif
