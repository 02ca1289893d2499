/* expand: variables in texts, and how tainted ones stay out of what a shell parses. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/detect/expand.h"

static char *const process[] = { "HOME=/root", "A=process", "DOLLAR=$HOME", "E=", NULL };

static struct variables make(void)
{
	struct variables variables = { .process = process };
	variables_set(&variables, "P", "$(touch x)", true);
	variables_set(&variables, "A", "old", false);
	variables_set(&variables, "A", "own", false);
	return variables;
}

Test(expand, replaces_what_it_knows_once)
{
	static const struct {
		const char *text, *all, *trusted;
	} cases[] = {
		{ "", "", "" },
		{ "plain", "plain", "plain" },
		{ "$HOME/${A}x$A", "/root/ownxown", "/root/ownxown" },
		{ "$Ax ${Ax} $1 $$ $ ${A", "$Ax ${Ax} $1 $$ $ ${A", "$Ax ${Ax} $1 $$ $ ${A" },
		{ "${} $-A ${A-b}", "${} $-A ${A-b}", "${} $-A ${A-b}" },
		{ "[$E]", "[]", "[]" },
		{ "$DOLLAR", "$HOME", "$HOME" },
		{ "'$A' \\$A", "'own' \\own", "'own' \\own" },
		{ "x \"$P\" ${P}", "x \"$(touch x)\" $(touch x)", "x \"$P\" ${P}" },
	};
	__attribute__((cleanup(variables_cleanup))) struct variables variables = make();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool tainted = true;
		AUTO_FREE char *all = expand(&variables, cases[i].text, EXPAND_ALL, &tainted);
		AUTO_FREE char *trusted = expand(&variables, cases[i].text, EXPAND_TRUSTED, NULL);
		cr_expect_str_eq(all, cases[i].all);
		cr_expect_str_eq(trusted, cases[i].trusted);
		cr_expect_eq(tainted, i == 8);
	}
}

/* Each value is twice the one before: forty lines of a file would be a terabyte. What is cut is too
 * long to run, so that it cannot pass for the whole. */
Test(expand, values_do_not_grow_without_end)
{
	static char name[16], text[32];
	__attribute__((cleanup(variables_cleanup))) struct variables variables = { 0 };
	variables_set(&variables, "A0", "0123456789abcdef", false);
	size_t longest = 0;
	for (int i = 1; i < 40 && longest < 2 * EXPAND_MAX; i++) {
		(void)snprintf(name, sizeof name, "A%d", i);
		(void)snprintf(text, sizeof text, "$A%d$A%d", i - 1, i - 1);
		AUTO_FREE char *value = expand(&variables, text, EXPAND_ALL, NULL);
		variables_set(&variables, name, value, false);
		longest = strlen(value);
	}
	cr_assert_eq(longest, EXPAND_MAX + 1);
	variables_set(&variables, "P", "path", true);
	bool tainted = false;
	AUTO_FREE char *value = expand(&variables, "$A39$P.", EXPAND_ALL, &tainted);
	cr_assert_eq(strlen(value), EXPAND_MAX + 2);
	cr_assert(tainted);
}
