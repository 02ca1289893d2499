/* expand: variables in texts, and how tainted ones stay out of what a shell parses. */
#include <criterion/criterion.h>

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
