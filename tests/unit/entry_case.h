/*
 * entry_case: names and what a scheme is to say of them, written as one line.
 *
 *	{ "HTTP-Fab.exe", "zeek-source-fuid-ext protocol=HTTP fuid=Fab extension=exe" }
 *
 * "no match", "sidecar" and "work file" stand for the other results.
 */
#ifndef CARVED_TESTS_UNIT_ENTRY_CASE_H
#define CARVED_TESTS_UNIT_ENTRY_CASE_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/entry/scheme.h"

struct entry_case {
	const char *path;
	const char *expected;
};

#define MD5    "9e04a788281c727566873d9df263aec1"
#define SHA1   "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA256 "ab46c7b740a7a994608c4210ae8c4d253e49cc23cc8b63e89d0400ea83b1ae77"
#define UUID4  "0b1c2d3e-4f50-4a61-8b72-8394a5b6c7d8"

static inline void entry_case_describe(struct str *out, enum scheme_result result,
				       const struct entry *entry)
{
	static const char *const results[] = {
		[SCHEME_NO_MATCH] = "no match",
		[SCHEME_SIDECAR] = "sidecar",
		[SCHEME_WORK_FILE] = "work file",
	};
	str_puts(out, result == SCHEME_FILE ? entry->scheme : results[result]);
	for (unsigned i = 0; i < ENTRY_FIELDS; i++) {
		if (!entry->field[i].at)
			continue;
		str_printf(out, " %s=", entry_field_name(i));
		str_append(out, entry->field[i].at, entry->field[i].len);
	}
	if (entry->mime[0])
		str_printf(out, " mime=%s", entry->mime);
}

static inline void entry_case_check(const char *spec, const struct entry_case *cases, size_t count)
{
	AUTO(scheme_set) struct scheme_set *set = NULL;
	struct error err = { 0 };
	cr_assert_eq(scheme_set_new(&set, spec, &err), 0, "%s", err.text);
	for (size_t i = 0; i < count; i++) {
		AUTO_STR got = STR_INIT;
		struct entry entry;
		enum scheme_result result =
			scheme_parse(set, cases[i].path, strlen(cases[i].path), &entry);
		entry_case_describe(&got, result, &entry);
		cr_expect_str_eq(str_text(&got), cases[i].expected,
				 "%s: \"%s\" is \"%s\", not \"%s\"", spec ? spec : "auto",
				 cases[i].path, str_text(&got), cases[i].expected);
	}
}

#define ENTRY_CASES(spec, cases) entry_case_check(spec, cases, sizeof(cases) / sizeof(cases)[0])

#endif
