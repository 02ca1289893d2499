/*
 * child: one command, run to its end or to its deadline, with what it wrote.
 *
 * The command runs confined by carved-launch (cage.h), which leads a session of its own and stays
 * beside it. As soon as the command's main process ends, or the deadline passes, or cancel_fd
 * becomes readable, its whole group gets SIGKILL, and we come back when all of it is dead: nothing
 * that the command started outlives the call, and the scratch directory in which it wrote is gone.
 * Removing that is no part of the deadline: who filled it with many files has its worker wait for
 * their removal. (Where the kernel has no seccomp, carved-launch ends one by one what has left the
 * group.) Only what SIGKILL does not end within seconds is left behind, and told. Should the daemon
 * die, carved-launch does the same; should carved-launch be killed or stopped, we do. Nothing that
 * any of them does with the pipes makes us wait. Any thread; each call is its own.
 */
#ifndef CARVED_CORE_DETECT_CHILD_H
#define CARVED_CORE_DETECT_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/detect/capture.h"

struct cage;
struct spawn_plan;

enum child_end {
	CHILD_EXITED,	 /* status is its exit status */
	CHILD_SIGNALED,	 /* status is the signal */
	CHILD_TIMEOUT,	 /* killed at the deadline */
	CHILD_CANCELLED, /* killed for cancel_fd */
};

/* What to run. Borrowed for the call. */
struct child_job {
	const struct spawn_plan *plan;
	const struct cage *cage;
	int sample_fd; /* may be read by its path, and becomes descriptor 4 when the cage keeps it;
			  -1: none */
	int cancel_fd; /* -1: none */
	const char *input; /* what it reads on stdin, to the end; NULL: nothing */
	size_t input_len;
	struct mono deadline;
	size_t output_limit; /* bytes of stdout and stderr that are kept from their beginning */
	size_t report_limit; /* bytes of descriptor 3 */
};

struct child_result {
	enum child_end end;
	int status;
	bool left_behind;     /* SIGKILL did not end it in time (uninterruptible sleep) */
	struct error scratch; /* why its scratch directory could not be removed; code 0: it was */
	struct head output;   /* stdout and stderr in the order in which they came */
	struct head report;   /* descriptor 3 */
	struct tail out;      /* last bytes of stdout */
	struct tail err;      /* last bytes of stderr */
};

/**
 * Runs the job. 0: out is filled, to be released by child_result_done(). When the deadline has
 * passed or cancel_fd is readable already, nothing is started. Negative: it could not be run, err
 * says why and out holds nothing.
 */
int child_run(const struct child_job *job, struct child_result *out, struct error *err);
void child_result_done(struct child_result *result);

static inline void child_result_cleanup(struct child_result *result)
{
	child_result_done(result);
}

#endif
