/*
 * op: one operation on the history, as it is given to the store's writer and comes back (store.h).
 */
#ifndef CARVED_CORE_STORE_OP_H
#define CARVED_CORE_STORE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/store/removal.h"
#include "core/store/version.h"

struct store_rescan;
struct store_rules;

enum store_verb {
	/* Records the version as it stands. id 0: inserts it; where its key (file, size, mtime,
	 * path) is in the history already, a queued row there is brought to the version's state,
	 * and a terminal row is left alone (STORE_KNOWN). id set: updates the row if it is still
	 * queued (path, entry, identity, state, due time). If it is not, the version is recorded as
	 * with id 0, so version->id may become another row's; and where another row has the
	 * version's key, that one stands for it and the queued row is deleted. Findings are
	 * inserted as scan rows with it. */
	STORE_SAVE,
	/* The same for id 0, but a row that is there is left alone whatever its state
	 * (STORE_KNOWN). */
	STORE_ADD,
	/* Row version->id, which is terminal, has its size, mtime and checked_ns brought up to
	 * date: the same content was found again. If version->identity.inode was unknown in the row
	 * it is filled in. Where the file had another content under that size and time, this is one
	 * more of those. */
	STORE_REFRESH,
	/* Row version->id, terminal and unscanned, becomes queued again (its reason is gone), with
	 * the version's identity and due time. */
	STORE_REQUEUE,
	/* The file at the version's path lacks a part: incomplete is set on the rows of that file
	 * (inode, birth time) at that path, and on those of the path that have the content which
	 * the entry's hash names; version->note gives them a note where they have none.
	 * STORE_WRITTEN: done, and a row that has its end is among them; STORE_KNOWN: such rows
	 * said so before; STORE_PENDING: there is none yet that has its end. */
	STORE_MARK,
	/* Deletes row version->id if it is queued: another row took its place. */
	STORE_FORGET,
	/* Row version->id, which is done, was looked at again: what op->rescan says. Findings that
	 * were made are inserted as scan rows of the version's attempt, and verdict, finished_ns
	 * and checked_ns brought to the version's. Its row in the queue of rescans goes, or says
	 * why not. STORE_KNOWN: there is no such row any more. */
	STORE_RESCAN,
	/* Notes the digests in op->rules as those in force, and asks for rescans: see rescan.h. */
	STORE_RULES,
	STORE_GAP_OPEN,	 /* inserts gap; gap->id is set */
	STORE_GAP_CLOSE, /* sets closed_ns and found of gap->id, opened through the same struct */
	/* Closes all gaps that are open and began before gap->opened_ns: an earlier run was killed.
	 */
	STORE_GAP_CLOSE_OLD,
	/* Queued rows and rescans that are due after gap->closed_ns, which the clock that set them
	 * must have been ahead for, are due at gap->opened_ns, and wait for detectors since then at
	 * the earliest. STORE_KNOWN: there are none. */
	STORE_DUE_BY,
	/* op->told->sink has told the events up to seq: those that all sinks have told go, some
	 * thousands at a time (left). */
	STORE_TOLD,
	/* Versions that ended long ago, and gaps, go for good: what op->expire says. */
	STORE_EXPIRE,
	/* Inserts op->removals as intended, where the version has none that is intended or done,
	 * and sets their ids (0: it had); with told, the same as STORE_TOLD. The commit is durable
	 * when the operation comes back, and so is all that was committed before. */
	STORE_INTEND,
	/* Brings the rows of op->removals, where they are intended still, or in the quarantine and
	 * to be deleted there, to what they say. */
	STORE_REMOVED,
	STORE_ALIVE, /* notes gap->opened_ns as the last time at which the daemon was known to run
		      */
};

enum store_result {
	STORE_WRITTEN = 0,
	STORE_KNOWN,   /* nothing written: the history says it already, or the row moved on */
	STORE_PENDING, /* STORE_MARK alone */
	STORE_REFUSED, /* nothing written: the row breaks a rule of the schema, which is a bug of
			  ours */
};

struct store_gap {
	int64_t id;
	char *root;	   /* owned; NULL: all roots */
	const char *cause; /* static: "down", "overflow", "mount", "limit", "root", "unreadable" */
	int64_t opened_ns;
	int64_t closed_ns;
	int64_t found;
};

struct store_told {
	const char *sink; /* static */
	int64_t seq;
	/* what was done */
	bool left; /* more would go: to be submitted once more, when there is nothing else to tell
		    */
};

struct store_expire {
	const int64_t *ids; /* versions that go, unless they wait or have finished since */
	size_t count;
	int64_t before_ns;  /* what finished before this may go */
	bool gaps;	    /* so do gaps that closed before */
	unsigned give_back; /* pages, at most, of those that are free, to the file system */
	/* what was done */
	size_t gone;	    /* versions */
	int64_t free_pages; /* that the file has, and how many pages in all */
	int64_t pages;
	int64_t took_ns;
};

/* One operation. Embedded by its owner, who keeps everything it points to alive and untouched from
 * store_submit() until the operation came back. */
struct store_op {
	struct list link;
	enum store_verb verb;
	struct version *version;
	struct store_gap *gap;
	struct store_rescan *rescan;	 /* STORE_RESCAN */
	struct store_rules *rules;	 /* STORE_RULES */
	struct store_told *told;	 /* STORE_TOLD; STORE_INTEND, or NULL */
	struct store_removals *removals; /* STORE_INTEND, STORE_REMOVED */
	struct store_expire *expire;	 /* STORE_EXPIRE */
	enum store_result result;
	void *owner; /* the caller's */
	/* the writer's own */
	int64_t dir_id;
	int64_t undo_id;
	unsigned undo_content;
};

#endif
