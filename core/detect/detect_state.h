/*
 * detect_state: what a detector is opened with, and how an open one is. For classes that take
 * something over from the detector before them, and for who tells operators of it.
 */
#ifndef CARVED_CORE_DETECT_DETECT_STATE_H
#define CARVED_CORE_DETECT_DETECT_STATE_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct config_detector;

/* What open_after() works with. Borrowed; row and config stay until the detector is freed. */
struct detect_opening {
	const struct config_detector *row;
	const struct config *config;
	const void *earlier; /* state of the detector whose place this one takes, same class and
			      * name; NULL: none */
	int cancel_fd;	     /* readable: loading that takes long is to be given up; -1: none */
};

/* How an open detector is. Borrowed for as long as it is open. */
struct detect_report {
	uint64_t loaded;       /* rules in force */
	uint64_t failed;       /* files of rules that could not be loaded: it is degraded */
	uint64_t kept;	       /* of those, files whose last good state is in force */
	char *const *problems; /* words for the first of them */
	size_t problem_count;
	char *const *watch; /* files and directories whose change is to reload it; NULL: none */
};

#endif
