/*
 * prune: commands let old versions go, beside a running daemon or without one. Its own connection
 * waits for the daemon's transactions, and commits in small batches.
 */
#ifndef CARVED_CORE_STORE_PRUNE_H
#define CARVED_CORE_STORE_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct old_version;

struct store_prune_options {
	int64_t before_ns; /* what finished before this goes, and gaps that closed before it */
	bool dry_run;	   /* only count */
	/* Asked for each version; what it affirms is kept, as a file that is still on disk would be
	 * found and scanned again; and once more when it is gone. NULL: nothing is kept. */
	bool (*keep)(void *context, const struct old_version *version);
	void *context;
};

struct store_pruned {
	int64_t versions;
	int64_t given_back; /* bytes, to the file system */
	int64_t free;	    /* bytes that the file has left over, to be used again */
	bool untold;	    /* some were kept, as a sink is yet to tell their events */
	/* Of some, keep said so only when they were gone: the daemon may have met the file in
	 * between and taken it for known, so it is to walk. */
	bool came_back;
};

/** Deletes versions that have their end and wait for nothing, with their scan rows, unless a sink
 * is yet to tell of them, and gives what that frees back to the file system, where the history was
 * made for it. 0, or -errno with err. */
int store_prune(const char *path, const struct store_prune_options *options,
		struct store_pruned *out, struct error *err);

/** Writes the whole history anew, without what is free in it, so that it is made for giving pages
 * back from then on. Nobody else may have it open: -EBUSY, and so when a daemon runs. -ENOSPC when
 * the disk has not the room for it that is needed meanwhile. *saved: bytes. */
int store_vacuum(const char *path, int64_t *saved, struct error *err);

#endif
