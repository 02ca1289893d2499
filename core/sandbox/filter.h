/*
 * filter: which system calls a process may make from now on, by libseccomp.
 *
 * A filter is a table: rows that name a system call, perhaps a condition on one of its arguments,
 * and what it answers. Names of calls that only other machines have are passed over; one that
 * libseccomp does not know is an error. What is newer than the tables is newer.h's. Calls of
 * another architecture (32-bit programs) end the process by SIGSYS. One thread.
 */
#ifndef CARVED_CORE_SANDBOX_FILTER_H
#define CARVED_CORE_SANDBOX_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct sandbox_policy;

enum filter_when {
	FILTER_ALWAYS,
	FILTER_EQUAL,	  /* argument == value */
	FILTER_UNEQUAL,	  /* argument != value */
	FILTER_ALL_CLEAR, /* (argument & value) == 0 */
	FILTER_ANY_SET,	  /* (argument & value) != 0 */
	FILTER_NOT_AMONG, /* argument is the number of no bit that is set in value */
};

/* A row's answer: an errno; 0 answers "done" and does nothing; or the call is made. */
#define FILTER_PERMIT (-1)

struct filter_rule {
	const char *name;
	int answer;
	enum filter_when when;
	unsigned argument; /* counted from 0 */
	uint64_t value;	   /* of arguments, which are ints, the lower 32 bits are compared */
};

struct filter_table {
	const struct filter_rule *rules;
	size_t count;
};

/* filter_command.c, filter_engine.c. Each table ends its own concern; several are put together. */
extern const struct filter_table filter_command, filter_command_offline, filter_command_online,
	filter_engine, filter_engine_files;

/** 0 when the kernel has seccomp filters, else -errno. Any thread. */
int filter_available(void);

/** Sets the filter of the policy's kind for the calling process. 0, or -errno with words. */
int filter_confine(const struct sandbox_policy *policy, struct error *err);

#endif
