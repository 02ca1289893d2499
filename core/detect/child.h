/*
 * child: one command, run to its end or to its deadline, with what it wrote.
 *
 * The child leads a session and process group of its own. As soon as its main process ends, or the
 * deadline passes, or cancel_fd becomes readable, the whole group gets SIGKILL; then the main
 * process is reaped. Descendants that left the group by setsid(2) are not found: keeping them in is
 * the work of the launcher that comes with the sandbox. Nothing that any of them does with the
 * pipes makes us wait. Any thread; each call is its own.
 */
#ifndef CARVED_CORE_DETECT_CHILD_H
#define CARVED_CORE_DETECT_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/clock.h"
#include "core/detect/capture.h"

struct error;
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
	int sample_fd; /* becomes descriptor 4; -1: none */
	int cancel_fd; /* -1: none */
	struct mono deadline;
	size_t output_limit; /* bytes of stdout and stderr that are kept from their beginning */
	size_t report_limit; /* bytes of descriptor 3 */
};

struct child_result {
	enum child_end end;
	int status;
	bool left_behind;   /* SIGKILL did not end it in time (uninterruptible sleep): not reaped */
	struct head output; /* stdout and stderr in the order in which they came */
	struct head report; /* descriptor 3 */
	struct tail out;    /* last bytes of stdout */
	struct tail err;    /* last bytes of stderr */
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
