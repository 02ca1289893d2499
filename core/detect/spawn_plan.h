/*
 * spawn_plan: one command made ready to run: argv, environment and working directory, as values.
 *
 * Whatever a plan is made from (config, names of files), it is executed as it stands: no shell, no
 * search beyond PATH, nothing of the daemon's environment. Children come into being only by
 * posix_spawn(3), which uses vfork's sharing and is safe in a threaded process. One thread at a
 * time.
 */
#ifndef CARVED_CORE_DETECT_SPAWN_PLAN_H
#define CARVED_CORE_DETECT_SPAWN_PLAN_H

#include <sys/types.h>

#include <stddef.h>

struct error;

struct spawn_plan {
	char *program; /* owned; NULL: argv[0], looked up in the PATH of envp */
	char **argv;   /* NULL-terminated, owned */
	size_t argc;
	char **envp; /* NULL-terminated, owned, "NAME=value" */
	size_t envc;
	char *cwd; /* owned; NULL: the daemon's own */
};

/* Descriptors above 9 that a child gets as 1, 2, 3, 4 and 5; -1: none. Borrowed. */
struct spawn_fds {
	int in; /* as 0; 0 or less: /dev/null */
	int out;
	int err;
	int report;
	int sample;
	int launch; /* what carved-launch tells of the command's end */
};

/** Appends one argument of len bytes (no NUL among them). */
void spawn_plan_arg(struct spawn_plan *plan, const char *text, size_t len);
/** Sets a variable; an earlier one of that name is replaced. */
void spawn_plan_env(struct spawn_plan *plan, const char *name, const char *value);
/** Sets what every child has: PATH and LANG. */
void spawn_plan_base_env(struct spawn_plan *plan);
/** Frees what it holds; harmless on a zeroed or half-built plan. */
void spawn_plan_done(struct spawn_plan *plan);

static inline void spawn_plan_cleanup(struct spawn_plan *plan)
{
	spawn_plan_done(plan);
}

/** The file that the plan runs, owned; NULL, with words, when there is none. */
char *spawn_plan_find(const struct spawn_plan *plan, struct error *err);

/**
 * Starts the plan in a session and process group of its own, the descriptors of fds and no others,
 * no signal blocked or ignored, and no new privileges (prctl(2) PR_SET_NO_NEW_PRIVS: it is set on
 * the calling thread, which keeps it, for the child inherits it). The caller reaps *out_pid. On
 * failure nothing runs and err names the program or directory.
 *
 * Resource limits are those of the calling process: posix_spawn cannot set them, and prlimit(2) on
 * a running child would come after its first instructions. Setting them, and keeping descendants
 * from leaving, is done by carved-launch, which is what plans of detectors start (cage.h).
 */
int spawn_plan_start(const struct spawn_plan *plan, const struct spawn_fds *fds, pid_t *out_pid,
		     struct error *err);

/**
 * Runs the plan for a person at a terminal (`carved check --install`): stdio and process group are
 * the caller's, so that Ctrl-C reaches it. Waits for its end without a deadline. *out_status is the
 * exit status, or 128 + the signal's number, as shells say it.
 */
int spawn_plan_run_foreground(const struct spawn_plan *plan, int *out_status, struct error *err);

#endif
