/*
 * pattern: a user's own PCRE2 pattern whose named groups are entry fields.
 *
 *	(?<protocol>[A-Z]+)_(?<fuid>F\w+)\.(?<extension>\w+)$
 *
 * Matched against the base name's bytes, anchored at its start: names need not be UTF-8, so "." is
 * one byte and \w is ASCII. A pattern that backtracks is stopped by limits, which count as no
 * match. Compiled by JIT where the process may map executable memory, interpreted otherwise.
 *
 * Match data, context and JIT stack are made once and used again: one thread at a time.
 */
#ifndef CARVED_CORE_ENTRY_PATTERN_H
#define CARVED_CORE_ENTRY_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"
#include "core/entry/entry.h"

struct error;
struct pattern;

/* Longest pattern, in bytes. */
#define PATTERN_MAX 16384

/** Compiles text; -EINVAL and words when it does not compile or names no entry field. */
int pattern_new(struct pattern **out, const char *text, struct error *err);
void pattern_free(struct pattern *pattern);
AUTO_DEFINE(pattern);

/** True when base matches; the entry, which comes in empty, is then filled from the groups. */
bool pattern_match(struct pattern *pattern, struct slice base, struct entry *entry);
/** How many names ran into the limits so far. */
unsigned long pattern_limits_hit(const struct pattern *pattern);

#endif
