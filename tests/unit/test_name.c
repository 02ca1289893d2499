/* name: a path is cut into base name, parent and grandparent. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/entry/name.h"

static bool is(struct slice part, const char *text)
{
	return part.len == strlen(text) && memcmp(part.at, text, part.len) == 0;
}

Test(name, takes_the_last_three_components)
{
	static const struct {
		const char *path, *base, *parent, *grandparent;
	} cases[] = {
		{ "a", "a", "", "" },
		{ "b/a", "a", "b", "" },
		{ "c/b/a", "a", "b", "c" },
		{ "/d/c/b/a", "a", "b", "c" },
		{ "/a", "a", "", "" },
		{ "//a", "a", "", "" },
		{ "c//b///a", "a", "b", "c" },
		{ "a/", "", "a", "" },
		{ "/", "", "", "" },
		{ "", "", "", "" },
		{ "\xff/\n/x y", "x y", "\n", "\xff" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct name name;
		name_split(&name, cases[i].path, strlen(cases[i].path));
		cr_expect(is(name.base, cases[i].base), "base of \"%s\"", cases[i].path);
		cr_expect(is(name.parent, cases[i].parent), "parent of \"%s\"", cases[i].path);
		cr_expect(is(name.grandparent, cases[i].grandparent), "grandparent of \"%s\"",
			  cases[i].path);
	}
}

Test(name, sees_through_rsyncs_temporary_names)
{
	static const struct {
		const char *path, *inner; /* NULL: not of that form */
	} cases[] = {
		{ "ab/.mail.aB3dE9", "mail" }, { "..x.aB3dE9", ".x" },
		{ ".a.b.aB3dE9", "a.b" },      { "mail.aB3dE9", NULL },
		{ ".mail.aB3dE", NULL },       { ".mail.aB3dE99", NULL },
		{ ".mail.aB-dE9", NULL },      { "..aB3dE9", NULL },
		{ ".aB3dE9", NULL },	       { "", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct name name, inner = { 0 };
		name_split(&name, cases[i].path, strlen(cases[i].path));
		bool found = name_of_rsync(&name, &inner);
		cr_expect_eq(found, cases[i].inner != NULL, "\"%s\"", cases[i].path);
		cr_expect(!found || (cases[i].inner && is(inner.base, cases[i].inner)), "\"%s\"",
			  cases[i].path);
		cr_expect(!found || inner.parent.at == name.parent.at);
	}
}
