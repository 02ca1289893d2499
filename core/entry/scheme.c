/*
 * scheme: see scheme.h. The table of schemes and the order in which they are tried.
 *
 * The forms were chosen apart so that the order decides only two things: Security Onion's first
 * stage is a name of Zeek's scripts as well, and is reported as that; and BroAPT's pattern, which
 * takes nearly anything in front of "-F", comes last.
 */
#include "core/entry/scheme.h"

#include <string.h>

#include "core/entry/family.h"
#include "core/entry/pattern.h"

struct scheme {
	const char *word;
	enum scheme_result (*parse)(const struct name *name, struct entry *entry);
	/* Zeek and all that runs in it open a file once and close it when it is through. Suricata
	 * writes elsewhere and renames: somebody else closes a file under its final name. */
	bool closed_once;
	bool has_sidecars;
};

static const struct scheme schemes[] = {
	{ "strelka", strelka_parse, true, false },
	{ "suricata", suricata_parse, false, true },
	{ "bzar", bzar_parse, true, false },
	{ "malcolm", malcolm_parse, true, false },
	{ "zeek", zeek_parse, true, false },
	{ "securityonion", securityonion_parse, true, false },
	{ "broapt", broapt_parse, true, false },
	/* only when asked for by name */
	{ "broapt-exact", broapt_exact_parse, true, false },
};

enum {
	SCHEMES = sizeof schemes / sizeof schemes[0],
	SCHEMES_AUTO = SCHEMES - 1
};

struct scheme_set {
	const struct scheme *first, *end; /* a part of the table */
	struct pattern *pattern;	  /* or this one */
};

static bool is_auto(const char *spec)
{
	return !spec || strcmp(spec, "auto") == 0;
}

static const struct scheme *find_scheme(const char *word)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		if (strcmp(schemes[i].word, word) == 0)
			return &schemes[i];
	}
	return NULL;
}

const char *scheme_word(size_t i)
{
	return i < SCHEMES ? schemes[i].word : NULL;
}

int scheme_set_new(struct scheme_set **out, const char *spec, struct error *err)
{
	AUTO(scheme_set) struct scheme_set *set = xcalloc(1, sizeof *set);
	const struct scheme *one = is_auto(spec) ? NULL : find_scheme(spec);
	if (is_auto(spec)) {
		set->first = schemes;
		set->end = schemes + SCHEMES_AUTO;
	} else if (one) {
		set->first = one;
		set->end = one + 1;
	} else {
		int failed = pattern_new(&set->pattern, spec, err);
		if (failed)
			return failed;
	}
	*out = TAKE(set);
	return 0;
}

void scheme_set_free(struct scheme_set *set)
{
	if (!set)
		return;
	pattern_free(set->pattern);
	free(set);
}

static enum scheme_result parse_name(struct scheme_set *set, const struct name *name,
				     struct entry *entry)
{
	if (set->pattern) {
		if (!pattern_match(set->pattern, name->base, entry))
			return SCHEME_NO_MATCH;
		entry->scheme = SCHEME_OF_PATTERN;
		return SCHEME_FILE;
	}
	for (const struct scheme *s = set->first; s < set->end; s++) {
		enum scheme_result result = s->parse(name, entry);
		if (result == SCHEME_NO_MATCH)
			continue;
		entry->closed_once = result == SCHEME_FILE && s->closed_once;
		return result;
	}
	return SCHEME_NO_MATCH;
}

/* broapt-exact promises the pattern's answer for every name, so it knows no temporary names. */
static bool is_exact(const struct scheme_set *set)
{
	return set->first && set->first->parse == broapt_exact_parse;
}

/*
 * ".NAME.XXXXXX" is rsync's temporary file only if NAME is a name of the set itself: ".x.backup" is
 * not to be overlooked as a file in the making.
 */
static bool is_rsync_temporary(struct scheme_set *set, const struct name *name)
{
	struct name inner;
	struct entry unused = { 0 };
	return !is_exact(set) && name_of_rsync(name, &inner) &&
	       parse_name(set, &inner, &unused) != SCHEME_NO_MATCH;
}

enum scheme_result scheme_parse(struct scheme_set *set, const char *path, size_t len,
				struct entry *entry)
{
	struct name name;
	*entry = (struct entry){ 0 };
	name_split(&name, path, len);
	if (is_rsync_temporary(set, &name))
		return SCHEME_WORK_FILE;
	return parse_name(set, &name, entry);
}

bool scheme_may_be_sidecar(const struct scheme_set *set, const char *path, size_t len)
{
	struct name name;
	struct entry unused = { 0 };
	name_split(&name, path, len);
	for (const struct scheme *s = set->first; s < set->end; s++) {
		if (s->has_sidecars && s->parse(&name, &unused) == SCHEME_SIDECAR)
			return true;
	}
	return false;
}

unsigned long scheme_limits_hit(const struct scheme_set *set)
{
	return set->pattern ? pattern_limits_hit(set->pattern) : 0;
}
