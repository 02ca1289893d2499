/*
 * job: one path that is being dealt with, from the first hint to the commit.
 *
 * Owned by the flight table and moved between rooms by its state; exactly one thread works on a job
 * at a time: the loop (WAITING, PARKED, LIMBO), a worker (RUNNING), the store's writer (SAVING).
 * While it is RUNNING or SAVING the loop touches only the fields marked "loop".
 */
#ifndef CARVED_CORE_APP_JOB_H
#define CARVED_CORE_APP_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/app/lease.h"
#include "core/app/shed.h"
#include "core/base/clock.h"
#include "core/base/identity.h"
#include "core/base/list.h"
#include "core/base/table.h"
#include "core/pool/pool.h"
#include "core/store/store.h"
#include "core/store/version.h"

struct app;
struct hashes;
struct store_rescan;
struct twin;

enum job_state {
	JOB_WAITING, /* not known to be complete, or its settling time runs; due says until when */
	JOB_RUNNING, /* given to the pool */
	JOB_SAVING,  /* given to the store */
	JOB_PARKED, /* the same inode is in flight at another path; decided when that one is through
		     */
	JOB_LIMBO,  /* its path is gone; decided when the events before that are drained */
	JOB_STATES,
};

/* Why a path is looked at: what the loop was told of it. */
enum job_hint {
	HINT_APPEARED, /* it was created; may have a writer */
	HINT_TOUCHED,  /* its metadata changed */
	HINT_WALKED,   /* a walk met it; may have a writer */
	HINT_QUEUED,   /* a queued row of the history names it */
	HINT_COMPLETE, /* a close, a move, or a settling time says that it is complete */
};

/* What says that the file is complete, each more than the one before. */
enum job_told {
	TOLD_NOTHING,
	TOLD_CLOSED, /* somebody closed it: enough where the producer opens a file only once */
	TOLD_WHOLE,  /* moved here, rested for the settling time, or known from before */
};

/* What a worker says of a job that it does not give to the store itself. */
enum job_result {
	JOB_GONE,      /* there is nothing at the path */
	JOB_LINKED,    /* a directory above it is a symbolic link */
	JOB_WRITER,    /* somebody has it open for writing */
	JOB_UNSETTLED, /* leases do not work and nothing says that it is complete */
	JOB_CHANGED,   /* another file, or another content than when the scan began */
	JOB_LATER,     /* we could not (no descriptors, no memory): not the file's fault */
	JOB_SIDECAR,   /* it is a sidecar, and was read; job->shortened is set */
	JOB_CANCELLED, /* the daemon stops */
	JOB_HELD,      /* it was not begun with: there is a pause */
};

/* grouped by who may touch what, not by size */
struct job { // NOLINT(clang-analyzer-optin.performance.Padding)
	struct pool_job pool_job;
	struct app *app;
	struct version *version; /* owned */
	uint32_t root;
	char *absolute; /* absolute path for detectors, set when dispatched; owned */
	size_t below;	/* where the part below the root begins in it */

	/* a version that is done is looked at again: its place in that queue; owned. NULL: a file
	 * that is new, or may be. The prior hash below is then that of its row */
	struct store_rescan *rescan;

	/* what the loop found out before */
	bool sidecar; /* by its name: it gets no row */
	enum job_told told;
	int64_t sighting_of; /* row whose outcomes are taken over (same file elsewhere), 0: none */
	int64_t prior_id;    /* row of the same file and path with another size or mtime, 0: none */
	bool prior_stands;   /* it has this very key, or was imported: no queued row beside it can
			      * wait in the history, so the job does in memory */
	bool prior_imported; /* the prior row was imported by its path alone and stands for the
			      * file, once nobody writes to it */
	bool prior_has_sha256;
	uint8_t prior_sha256[32];
	int64_t later_id; /* row of the same file and path that was looked at after the prior one,
			   * under another size or time, 0: none */
	uint8_t later_sha256[32];

	/* the worker's */
	bool hashed;	       /* version->sha256 belongs to version->identity */
	struct hashes *hashes; /* further ones (hashing.h), NULL: none; owned */
	struct twin *twin;     /* guarded by the twins' lock */
	struct list twin_link; /* among a twin's followers; guarded by the twins' lock */
	bool twin_failed;      /* it waited for a leader in vain, and waits for none any more */
	enum job_result result;
	int result_errno;
	enum lease_sight lease; /* whether its writers could be seen, once that was tried */
	int lease_error;	/* LEASE_BLIND: why not, an errno */
	uint32_t links; /* names that the file had when it was looked at last; 0: it was not */
	const char *shortened; /* a sidecar: why its file is not whole; static, NULL: it is */
	struct list result_link;

	/* the store's */
	atomic_bool submitted; /* it is on its way there from a worker; read by the loop */
	struct store_op op;

	/* loop */
	enum job_state state;
	enum job_hint hint;
	bool written; /* since it was admitted a close was told, or a move from where none is, its
		       * times were set while it waited, or the file was met by a walk at another
		       * path: no older look at it holds */
	bool reads;   /* its content is read, whatever is known of the file at other paths */
	bool again;   /* something happened at the path meanwhile */
	enum job_told again_told; /* and it says so much of the file's being complete */
	bool again_unanswered; /* it was met as it is known; to be looked at again if it could not
				  be */
	bool touched;	       /* its metadata changed meanwhile, or the name was made anew */
	int64_t row;	       /* id of the row that it goes on with, 0: none that is known here; by
				* flight_claim_row() alone, so that no two jobs have the same */
	bool hides_row; /* a queued row of its path, not its own, was passed over because of it */
	enum job_shed shed;
	bool row_taken;	  /* another job went on with its row, at the path where the file is now */
	bool recorded;	  /* the history has, or gets, a row that says queued */
	uint64_t interim; /* ordinal of that row's operation, while its id is not known here */
	bool from_walk;	  /* found by a walk, for gap.found */
	int dir;	  /* of the newest event at its path: for watcher_directory(), 0: none */
	dev_t dev; /* of the file system that the version's fsid is of, 0: not looked at yet */
	struct identity seen; /* as the loop last saw it, or the job before this one at its path */
	struct mono due;
	unsigned waits;		    /* how often it waited, for the backoff */
	unsigned directory_awaited; /* how often it waited to hear where its directory has gone */
	uint64_t ticket;	    /* LIMBO, or linked: watcher_ticket() */
	bool linked;		    /* a symbolic link was above it when ticket was taken */
	struct mono admitted;
	struct table_link by_path;
	struct table_link by_inode;
	struct table_link by_row;
	bool in_inode_table;
	struct list state_link; /* in the list of its state */
	struct list parked;	/* jobs PARKED behind this one, by state_link */
};

/** Whether enough was told to take the file for complete where nobody can see writers. */
static inline bool job_is_whole(const struct job *job)
{
	return job->told == TOLD_WHOLE ||
	       (job->told == TOLD_CLOSED && job->version->entry.closed_once);
}

#endif
