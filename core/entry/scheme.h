/*
 * scheme: from a name to an entry, by the naming schemes of the producers.
 *
 * A scheme_set is the list of schemes that are tried for a root: all of them (specific ones first,
 * "broapt" last), the ones of one producer, or a user's own PCRE2 pattern with named groups.
 * A set holds scratch memory of PCRE2: one thread at a time.
 */
#ifndef CARVED_CORE_ENTRY_SCHEME_H
#define CARVED_CORE_ENTRY_SCHEME_H

#include <stddef.h>

#include "core/base/mem.h"
#include "core/entry/entry.h"

struct error;
struct scheme_set;

/* The scheme that entries of a user's own pattern report: it stands where BroAPT's FILE_REGEX does,
 * and every reported scheme begins with one of the eight words. */
#define SCHEME_OF_PATTERN "broapt-pattern"

enum scheme_result {
	SCHEME_FILE = 0,  /* an extracted file; the entry is filled */
	SCHEME_NO_MATCH,  /* no scheme knows the name */
	SCHEME_SIDECAR,	  /* metadata beside a file (Suricata's .json, .meta) */
	SCHEME_WORK_FILE, /* a file in the making (Suricata's tmp/file.N, *.tmp; rsync's) */
};

/**
 * A set for spec: NULL or "auto" (all schemes), a scheme word ("broapt", "broapt-exact", "zeek",
 * "malcolm", "securityonion", "bzar", "suricata", "strelka"), or else a PCRE2 pattern with at least
 * one named group that is an entry field (it is matched against the base name, anchored at its
 * start). On failure err says what is wrong with the pattern and where (-EINVAL).
 */
int scheme_set_new(struct scheme_set **out, const char *spec, struct error *err);
void scheme_set_free(struct scheme_set *set);
AUTO_DEFINE(scheme_set);

/** The words above except "auto", one for each i from 0 on, then NULL; static. */
const char *scheme_word(size_t i);

/**
 * Parses path (bytes, may carry directories: the last components matter to Suricata and to BroAPT's
 * <type>/<subtype>/). The entry's slices point into path. Never fails: a name that exhausts the
 * match limits is SCHEME_NO_MATCH and counted by scheme_limits_hit().
 */
enum scheme_result scheme_parse(struct scheme_set *set, const char *path, size_t len,
				struct entry *entry);
/** False when scheme_parse() would not say SCHEME_SIDECAR; costs less than to find out what else it
 * would say. */
bool scheme_may_be_sidecar(const struct scheme_set *set, const char *path, size_t len);
/** How many names ran into PCRE2's match limits so far. */
unsigned long scheme_limits_hit(const struct scheme_set *set);

#endif
