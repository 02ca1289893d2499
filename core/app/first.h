/*
 * first: what is asked of the first process of a container, process 1 of its PID namespace.
 *
 * The kernel gives it every process whose parent has ended, to be waited for, and keeps from it all
 * signals that it has no handler for. The program waits for its own children only, each by its
 * number, and may not take another's status; so in a container it runs as a child, and the first
 * process does nothing but reap and pass signals on.
 */
#ifndef CARVED_CORE_APP_FIRST_H
#define CARVED_CORE_APP_FIRST_H

#include "core/base/error.h"

/** Runs program(argc, argv) in a child; its return value, below 256, is the child's exit status.
 * The caller gets every signal that can be caught and passes those on that a process has sent,
 * waits for whoever becomes its child meanwhile, and returns once the program's process has ended:
 * its exit status, or 128 and the number of the signal that it died of, as a shell does. Then all
 * signals are as they were, and what the caller had not yet written by stdio is still there.
 * A negative value, with words in err: there is no child. Call it while there is one thread. */
int first_run(int (*program)(int argc, char **argv), int argc, char **argv, struct error *err);

#endif
