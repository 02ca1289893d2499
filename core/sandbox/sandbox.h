/*
 * sandbox: one process confines itself, for ever, together with everything that it will start.
 *
 * Three parts of the kernel, each of which may be missing: resource limits and capabilities,
 * Landlock (which files), seccomp (which system calls). A part that is missing is left out and told
 * in struct sandbox_parts; only a part that is there and refuses is an error. Calls are made by a
 * process with one thread; whatever it needs beyond its policy it opens before.
 */
#ifndef CARVED_CORE_SANDBOX_SANDBOX_H
#define CARVED_CORE_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct str;

enum sandbox_kind {
	/* A program of somebody else's: everything is permitted but what the table in
	 * filter_command.c names. */
	SANDBOX_COMMAND,
	/* A parser loop of ours: nothing is permitted but what the table in filter_engine.c names
	 * (reading, anonymous memory, fork, messages on sockets that are open or come from
	 * socketpair(2), files named by "read" opened for reading). No execve, no other socket, no
	 * mapping that can be executed. Sockets it is given must not be SOCK_DGRAM: those send to
	 * any path. */
	SANDBOX_ENGINE,
};

/* Resource limits of each process; 0: as inherited. Core files are never written. The number of
 * processes (RLIMIT_NPROC) is not limited: it is counted per user, so that the limit would depend
 * on what else the user runs, and does not hold for root. */
struct sandbox_limits {
	uint64_t address_space; /* bytes */
	uint64_t cpu_s;
	uint64_t file_size; /* bytes of one file written */
	uint64_t open_files;
};

/* What is permitted. Paths are absolute; a file stands for itself (the inode that is there now), a
 * directory for all below it; one that is not there is passed over. Lists end with NULL and may be
 * NULL. Borrowed for the call. */
struct sandbox_policy {
	enum sandbox_kind kind;
	bool network;		  /* SANDBOX_COMMAND only: sockets of the Internet and of unix */
	const char *const *read;  /* to be read; a directory also listed */
	const char *const *run;	  /* to be read and executed */
	const char *const *write; /* read and written where it is, no new names: devices */
	const char *scratch;	  /* a directory to write in (nothing is run there); NULL: none */
	int read_fd;		  /* an open file to be read by whatever path, too; -1: none */
	struct sandbox_limits limits;
};

/* What this kernel can do, or what was done. */
struct sandbox_parts {
	int landlock_abi;   /* version of the interface, 0: missing */
	int landlock_error; /* errno: why it is missing */
	int seccomp_error;  /* errno: why it is missing; 0: there */
};

/**
 * Confines the calling process: no new privileges, no capabilities but reading what permissions
 * deny (the list of files decides), limits, Landlock, seccomp, in this order. 0: done as far as
 * *out tells. Negative: half-confined, to be ended; err says at what.
 */
int sandbox_enter(const struct sandbox_policy *policy, struct sandbox_parts *out,
		  struct error *err);

/** The limits alone, and no core files. 0, or -errno with words. */
int sandbox_limit(const struct sandbox_limits *limits, struct error *err);

/** Asks the kernel what there is, without doing anything. Any thread. */
void sandbox_probe(struct sandbox_parts *out);

/** True when nothing is missing that the policies make use of. */
bool sandbox_whole(const struct sandbox_parts *parts);

/** Appends one line for people: what there is, what is missing, why, and what that means. */
void sandbox_words(const struct sandbox_parts *parts, struct str *out);

#endif
