/* Tests of core/config/settings.c: that the table is whole, and looking rows up. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/config/settings.h"

Test(settings, every_row_is_whole)
{
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];
		cr_expect(s->key && *s->key && s->description && *s->description, "row %zu", i);
		cr_expect_eq(setting_find(s->scope, s->key), s, "%s stands twice", s->key);
		bool worded = s->type == SETTING_CHOICE || s->type == SETTING_SWITCH;
		cr_expect_eq(worded, s->words != NULL, "%s", s->key);
		bool number = s->type == SETTING_COUNT || s->type == SETTING_BYTES ||
			      s->type == SETTING_DURATION || s->type == SETTING_DAYS ||
			      s->type == SETTING_PERCENT;
		cr_expect_eq(number, s->max > 0, "%s", s->key);
		cr_expect_leq(s->min, s->max, "%s", s->key);
	}
}

/* The first variable of each top-level setting is CARVED_ and its key, so that nobody must look. */
Test(settings, variables_are_called_like_their_keys)
{
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];
		if (!s->environment || strcmp(s->key, "roots") == 0)
			continue;
		char name[64];
		int len = snprintf(name, sizeof name, "CARVED_%s", s->key);
		for (int c = 0; c < len; c++)
			name[c] = (char)toupper((unsigned char)name[c]);
		cr_expect_str_eq(s->environment[0], name);
	}
}

Test(settings, finds_rows_of_their_scope_only)
{
	cr_assert_not_null(setting_find(SETTING_TOP, "workers"));
	cr_assert_null(setting_find(SETTING_ROOT, "workers"));
	cr_assert_null(setting_find(SETTING_TOP, "worker"));
	cr_assert_str_eq(setting_nearest(SETTING_TOP, "worker").word, "workers");
	cr_assert_str_eq(setting_nearest(SETTING_DETECTOR, "rule").word, "rules");
	cr_assert_str_eq(setting_elsewhere(SETTING_TOP, "timeout"), "an item of \"detectors\"");
	cr_assert_str_eq(setting_elsewhere(SETTING_ROOT, "hash"), "the top level");
	cr_assert_null(setting_elsewhere(SETTING_TOP, "nonsense"));
}

Test(settings, know_their_detector_types)
{
	const struct setting *file = setting_find(SETTING_DETECTOR, "file");
	cr_assert(setting_belongs(file, "hashlist"));
	cr_assert(setting_belongs(file, "api"));
	cr_assert_not(setting_belongs(file, "noop"));
	cr_assert(setting_belongs(setting_find(SETTING_DETECTOR, "mime"), "noop"));
}
