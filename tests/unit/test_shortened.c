#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/app/shortened.h"

Test(shortened, knows_what_was_added_until_it_is_removed)
{
	struct shortened *s = shortened_new();
	cr_expect_null(shortened_find(s, "/a", 2));
	cr_expect(shortened_add(s, "/a", 2, "cut"));
	cr_expect(shortened_add(s, "/a", 2, "other"));
	cr_expect(shortened_add(s, "/ab", 3, "gaps"));
	cr_expect_str_eq(shortened_find(s, "/abc", 2), "cut");
	cr_expect_str_eq(shortened_find(s, "/ab", 3), "gaps");
	shortened_remove(s, "/a", 2);
	shortened_remove(s, "/a", 2);
	cr_expect_null(shortened_find(s, "/a", 2));
	cr_expect_str_eq(shortened_find(s, "/ab", 3), "gaps");
	shortened_free(s);
}

Test(shortened, beyond_its_bound_the_oldest_is_given_up_and_that_is_told)
{
	struct shortened *s = shortened_new();
	char path[32];
	for (unsigned i = 0; i < SHORTENED_MAX; i++) {
		int len = snprintf(path, sizeof path, "/%u", i);
		cr_assert(shortened_add(s, path, (size_t)len, "cut"));
	}
	cr_expect_not(shortened_add(s, "/new", 4, "cut"));
	cr_expect_null(shortened_find(s, "/0", 2));
	cr_expect_not_null(shortened_find(s, "/1", 2));
	cr_expect_not_null(shortened_find(s, "/new", 4));
	shortened_free(s);
}
