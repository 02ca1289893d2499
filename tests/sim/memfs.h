/*
 * memfs: a file system in memory with the habits of the kernel's inotify, for simulations.
 *
 * There is one of it, as there is one kernel; mem_begin() makes it anew. What processes do is done
 * by the verbs below; what the watcher asks comes in through watcher/view.h (memview.c). Nothing
 * runs at the same time: whoever wants a race calls verbs from mem_hook, which the view calls
 * before it answers. Not modelled: file contents, users, hard limits other than that of watches.
 *
 * Verbs return 0 or -errno. Objects are borrowed until they are removed.
 */
#ifndef CARVED_TESTS_MEMFS_H
#define CARVED_TESTS_MEMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_NAME_MOST 24
#define MEM_TICK_NS   INT64_C(4000000) /* how fine the file system's clock is */

enum mem_kind {
	MEM_DIR,
	MEM_FILE,
	MEM_LINK, /* symbolic */
	MEM_FIFO
};

enum mem_mode {
	MEM_READ = 1,
	MEM_SEARCH = 2,
	MEM_ALL = 3
};

struct mem_fs {
	uint32_t dev;
	uint64_t magic;
	uint64_t next_ino;
	uint64_t free_inos[64]; /* given out again, the latest first */
	size_t free_count;
	unsigned mounts;
};

struct mem_inode {
	struct mem_inode *next; /* of all */
	struct mem_fs *fs;
	uint64_t serial; /* never used again, unlike ino */
	uint64_t ino;
	enum mem_kind kind;
	unsigned mode;
	unsigned links;
	unsigned holds; /* descriptors and working directories */
	bool dead;	/* a directory that was removed */
	int64_t btime_ns;
	int64_t mtime_ns;
	int64_t ctime_ns;
	uint64_t size;
	struct mem_inode *parent; /* of a directory */
	struct mem_entry *entries;
	char target[64];
	unsigned paths; /* of a directory, below the roots: the oracle's */
	int wd;		/* 0: not watched */
	uint32_t mask;
};

struct mem_entry {
	struct mem_entry *next; /* of its directory */
	struct mem_inode *dir;
	struct mem_inode *inode;
	uint32_t offset; /* where a listing meets it */
	uint64_t put;	 /* changes whenever it is put somewhere */
	char name[MEM_NAME_MOST];
};

struct mem_mount {
	struct mem_mount *next;
	uint64_t id;
	struct mem_mount *parent; /* NULL: the first one, or taken away */
	struct mem_inode *point;
	struct mem_inode *root;
	unsigned holds;
};

/* Where a path leads. */
struct mem_spot {
	struct mem_mount *mount;
	struct mem_inode *inode;
};

/* A file open for writing. entry: the name that it was opened by, wherever that is now; NULL once
 * it was removed. */
struct mem_open {
	struct mem_open *next;
	struct mem_inode *inode;
	struct mem_entry *entry;
};

struct mem_event {
	int wd;
	uint32_t mask;
	uint32_t cookie;
	char name[MEM_NAME_MOST];
};

struct mem {
	int64_t now_ns;
	uint64_t random; /* for what nobody decides: offsets, sizes of listings */
	bool reuse_inos;
	bool all_seeing;    /* mem_resolve() is not held up by modes */
	bool unknown_types; /* listings do not say what kind an entry is */
	struct mem_inode *inodes;
	size_t inode_count;
	struct mem_mount *mounts;
	struct mem_mount *first;
	struct mem_open *opens;
	uint64_t structure; /* changes with every name and mount */
	/* inotify */
	struct mem_event *queue;
	size_t queue_at;
	size_t queue_len;
	size_t queue_capacity;
	size_t queue_most;
	bool overflowed; /* an overflow is in the queue */
	uint64_t queued; /* events that were ever put in, in bytes */
	uint64_t dropped;
	int next_wd;
	uint32_t next_cookie;
	size_t watches;
	size_t watches_most;
	bool instance; /* there is one */
	bool no_instance;
	/* what the view had to answer */
	uint64_t answered_limit; /* no watch, no instance */
	uint64_t answered_unreadable;
	uint64_t answered_fault;
	size_t descriptors;
};

extern struct mem mem;
/* Called by the view before it answers, unless NULL. */
extern void (*mem_hook)(void);
/* The same: an errno that the view answers with instead, or 0. */
extern int (*mem_fault)(const char *what);

void mem_begin(uint64_t random);
void mem_end(void);
uint32_t mem_random(uint32_t below);

/* ------- names ------- */

struct mem_entry *mem_find(const struct mem_inode *dir, const char *name);
struct mem_inode *mem_root(void);
/** The directory entry of a directory; NULL for the root of a file system. */
struct mem_entry *mem_entry_of(const struct mem_inode *dir);
/** Goes through whatever is mounted there. */
void mem_cross(struct mem_spot *spot);
/** Follows a path from the first root, symlinks too. */
int mem_resolve(const char *path, struct mem_spot *out);
/** The same from a directory. */
int mem_resolve_at(struct mem_spot from, const char *path, struct mem_spot *out);
bool mem_is_above(const struct mem_inode *dir, const struct mem_inode *other);

/* ------- what processes do ------- */

/** target: of a symlink, else NULL. */
int mem_make(struct mem_inode *dir, const char *name, enum mem_kind kind, const char *target);
/** Opens for writing; NULL when there are too many. */
struct mem_open *mem_open_write(struct mem_entry *entry);
/** A file without a name, open for writing. */
struct mem_open *mem_tmpfile(struct mem_inode *dir);
void mem_write(struct mem_open *open);
void mem_close(struct mem_open *open);
int mem_unlink(struct mem_entry *entry);
int mem_rmdir(struct mem_entry *entry);
/** rm -r, as far as it gets. */
void mem_remove_tree(struct mem_entry *entry);
int mem_rename(struct mem_entry *entry, struct mem_inode *dir, const char *name);
int mem_exchange(struct mem_entry *one, struct mem_entry *other);
int mem_link(struct mem_inode *inode, struct mem_inode *dir, const char *name);
void mem_chmod(struct mem_inode *dir, unsigned mode);
void mem_touch(struct mem_entry *entry);
/** A process enters (or leaves) a directory. */
void mem_hold(struct mem_inode *dir);
void mem_release(struct mem_inode *dir);
/** Mounts a new, empty file system (root NULL) or a directory (bind) on spot. */
int mem_mount(struct mem_spot spot, struct mem_inode *root, uint64_t magic);
/** lazy: also while it is busy. */
int mem_umount(struct mem_mount *mount, bool lazy);

/* ------- inotify (memnotify.c) ------- */

void mem_notify(struct mem_inode *inode, uint32_t mask, uint32_t cookie, const char *name);
/** What happened to entry's inode: told to the directory by name, then to itself. */
void mem_notify_entry(const struct mem_entry *entry, uint32_t mask);
int mem_watch(struct mem_inode *inode, uint32_t mask);
/** Ends a watch with IN_IGNORED. */
void mem_unwatch(struct mem_inode *inode);
size_t mem_queue_left(void);
/** The same in bytes, as they are read. */
uint64_t mem_queue_bytes(void);
const struct mem_event *mem_queue_first(void);
void mem_queue_pop(void);
/** Bytes of an event as read(2) gives them. */
size_t mem_event_size(const struct mem_event *event);

/* ------- for the watcher's own descriptors (memfs.c) ------- */

void mem_let_go(struct mem_mount *mount, struct mem_inode *inode);
void mem_take_hold(struct mem_mount *mount, struct mem_inode *inode);

#endif
