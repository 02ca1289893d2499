/*
 * mountinfo: one line of /proc/self/mountinfo (proc(5)). Pure; any thread.
 */
#ifndef CARVED_WATCHER_MOUNTINFO_H
#define CARVED_WATCHER_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

/* Strings are borrowed from the line that was parsed, with its escapes undone. */
struct mountinfo {
	uint32_t id;
	uint32_t parent;
	uint32_t dev;	   /* as place_dev32() counts them */
	const char *root;  /* what of the file system is mounted */
	const char *point; /* where: a path below this process's root */
	const char *type;
};

/** Takes a line apart, in place (it is changed; a newline at its end is fine). False when it is not
 * of that form. */
bool mountinfo_parse(char *line, struct mountinfo *out);

/**
 * What of the path point lies below the path top, both absolute: "/rest"; "" when point is top or
 * lies above it, so that what is mounted there is what top lies on; NULL when the two have nothing
 * to do with each other. Borrowed from point.
 */
const char *mountinfo_below(const char *point, const char *top);

#endif
