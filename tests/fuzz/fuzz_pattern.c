/* A user's own pattern, and names for it: limits end what backtracks, whatever the pattern is. */
#include "core/base/error.h"
#include "core/entry/scheme.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	struct input first = input_until(&in, '\0');
	char *pattern = input_text(first.at, first.left);
	struct scheme_set *set = NULL;
	struct error err = { 0 };
	if (scheme_set_new(&set, pattern, &err) < 0) {
		must(has_words(err.text) && !set);
		free(pattern);
		return 0;
	}
	char *name = input_exact(in.at, in.left);
	struct entry entry;
	if (scheme_parse(set, name, in.left, &entry) == SCHEME_FILE) {
		must(entry.scheme);
		for (unsigned i = 0; i < ENTRY_FIELDS; i++)
			must(!entry.field[i].at ||
			     (entry.field[i].at >= name &&
			      entry.field[i].at + entry.field[i].len <= name + in.left));
	}
	free(name);
	scheme_set_free(set);
	free(pattern);
	return 0;
}
