/*
 * supervise: a command's parent, which sees to it that nothing of the command outlives it.
 *
 * The command leads a process group that none of its descendants can leave (the sandbox denies
 * setsid and setpgid), and all of them that lose their parent become our children (prctl(2)
 * PR_SET_CHILD_SUBREAPER). Once the command has ended, or SIGTERM says that its time is up, or the
 * daemon is gone (its death is a SIGTERM, too), the group is killed and everything is reaped; when
 * no child is left, nothing is. One process, one thread.
 */
#ifndef CARVED_CORE_LAUNCHER_SUPERVISE_H
#define CARVED_CORE_LAUNCHER_SUPERVISE_H

#include <sys/types.h>

struct error;

/** To be called first: from now on SIGTERM and SIGCHLD wait to be seen by supervise(), and the end
 * of parent is such a SIGTERM. -ESRCH when parent is gone already. */
int supervise_begin(pid_t parent, struct error *err);

/** Undoes, in the child that becomes the command, what must not be inherited, and makes it the
 * leader of its group; it dies with supervisor. */
int supervise_child(pid_t supervisor, struct error *err);

/** Waits for the end of the command, then ends all that is left of it. *out_status is as waitpid(2)
 * has it. 0; 1: it was SIGTERM that ended the wait. */
int supervise(pid_t command, int *out_status);

#endif
