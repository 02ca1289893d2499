/* producer: whether a root's producer is a scheme or a pattern that can be used. It stands alone so
 * that the rest of the room does not need the schemes. */
#include <string.h>

#include "core/base/error.h"
#include "core/config/loading.h"
#include "core/entry/scheme.h"

/* A word is meant, not a pattern, when nothing in it is special in a pattern. */
static bool looks_like_a_word(const char *spec)
{
	return !spec[strspn(spec,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- ")];
}

int producer_check(const char *spec, struct error *err)
{
	AUTO(scheme_set) struct scheme_set *set = NULL;
	int r = scheme_set_new(&set, spec, err);
	if (r == 0)
		return 0;
	if (!looks_like_a_word(spec))
		return error_prefix(err, "producer");
	struct nearest nearest = { 0 };
	nearest_offer(&nearest, spec, "auto");
	for (size_t i = 0; scheme_word(i); i++)
		nearest_offer(&nearest, spec, scheme_word(i));
	char hint[64];
	return error_set(err, -r,
			 "producer: expected auto, a scheme or a PCRE2 pattern with named groups, "
			 "found \"%.80s\"%s",
			 spec, nearest_hint(&nearest, "scheme", hint, sizeof hint));
}
