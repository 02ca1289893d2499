/*
 * name: a path cut into what naming schemes look at: its base name and the two directories above.
 *
 * Slices of the path, borrowed as long as it lives. Pure; any thread.
 */
#ifndef CARVED_CORE_ENTRY_NAME_H
#define CARVED_CORE_ENTRY_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "core/entry/entry.h"

struct name {
	struct slice base;   /* after the last '/'; may be empty */
	struct slice parent; /* Suricata's "ab", BroAPT's <subtype>; empty when there is none */
	struct slice grandparent; /* BroAPT's <type>; empty when there is none */
};

/** Cuts path; several slashes in a row count as one. */
void name_split(struct name *out, const char *path, size_t len);

/**
 * True when the base name has the form of rsync's temporary names, ".NAME.XXXXXX" (receiver.c,
 * get_tmpname: mkstemp letters and digits); out is then the same name with NAME as its base.
 */
bool name_of_rsync(const struct name *name, struct name *out);

#endif
