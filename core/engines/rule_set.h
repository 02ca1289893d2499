/*
 * rule_set: all rules of one configuration, compiled, ready to scan with.
 *
 * Most files go into one set of compiled rules, so that a sample is searched once. A file that does
 * not compile (any more) is left out, or stands beside it in its last good state. One thread.
 */
#ifndef CARVED_CORE_ENGINES_RULE_SET_H
#define CARVED_CORE_ENGINES_RULE_SET_H

#include <stddef.h>
#include <yara.h>

#include "core/base/mem.h"

struct engine_start;
struct error;
struct helper_hello;

struct rule_set {
	YR_RULES **sets; /* owned, each to be scanned with */
	size_t count;
};

/** Loads what start names, or restores what was kept; fills hello but for ok. Fails when no rule
 * is left that could be in force. libyara must be initialised. */
int rule_set_load(struct rule_set **out, const struct engine_start *start,
		  struct helper_hello *hello, struct error *err);
void rule_set_free(struct rule_set *set);
AUTO_DEFINE(rule_set);

#endif
