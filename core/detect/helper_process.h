/*
 * helper_process: one running carved-detect, seen from the daemon: its zygote, and the scanners
 * that it forks on demand.
 *
 * It is started by posix_spawn(3), never by fork. Each conversation with a zygote has a time limit;
 * one that passes it counts as hung and is to be ended. One thread at a time.
 */
#ifndef CARVED_CORE_DETECT_HELPER_PROCESS_H
#define CARVED_CORE_DETECT_HELPER_PROCESS_H

#include <sys/types.h>

#include <stdbool.h>

#include "core/helper/protocol.h"

struct channel_fds;
struct error;

struct helper_process {
	pid_t pid;
	int pidfd;   /* -1: it does not run */
	int channel; /* -1: nobody to talk to */
};

#define HELPER_PROCESS_NONE \
	{                   \
		-1, -1, -1  \
	}

/* One scanner. Not a child of ours: its zygote reaps it. */
struct helper_scanner {
	pid_t pid;
	int pidfd;
	int channel;
};

/** Starts program ("carved-detect") for an engine of type; name is for ps(1). It is killed when the
 * calling thread ends (prctl(2), PR_SET_PDEATHSIG). */
int helper_process_start(struct helper_process *out, const char *program, const char *type,
			 const char *name, struct error *err);

struct helper_wish {
	struct helper_load load;
	const struct channel_fds *fds; /* go with it; NULL: none */
	int timeout_ms;
	int cancel_fd; /* readable: it is given up, -ECANCELED; -1: none */
};

/** Lets it load. 0 with *out filled (owned), or a failure with the words of the helper or of its
 * end. */
int helper_process_load(struct helper_process *process, const struct helper_wish *wish,
			struct helper_hello *out, struct error *err);
/** A new scanner; -EAGAIN, -ENOMEM, -EMFILE: we have none left of something; otherwise the zygote
 * is of no use any more. One whose answer could not be had is dead in any case. */
int helper_process_fork(struct helper_process *process, struct helper_scanner *out,
			struct error *err);
/** True while it runs. */
bool helper_process_alive(const struct helper_process *process);
/** Ends it and all its scanners; waits a moment for it to do so by itself, then kills it. */
void helper_process_end(struct helper_process *process);

/** Ends a scanner (killing it unless it dies by itself within grace_ms) and has it reaped by its
 * zygote; a zygote that does not answer is killed. Of a zygote that is dead or has been ended, it
 * is reaped here if it is our child now. The wait status, -1: not known. Its descriptors are
 * closed. */
int helper_scanner_end(struct helper_scanner *scanner, struct helper_process *process,
		       int grace_ms);

#endif
