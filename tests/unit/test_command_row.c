/* Tests of core/config/command_row.c. */
#include "config_support.h"

TestSuite(command_row, .init = support_setup, .fini = support_teardown);

#define D "detectors:\n  - {type: command, "

Test(command_row, says_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ D "name: x}\n", "2:5", "needs the key \"run\"", NULL },
		{ D "run: []}\n", "2:26", "a list of texts with at least one", NULL },
		{ D "run: [x]}\n", "2:26", "expected {path} or {fd}", NULL },
		{ D "run: [x, '{mime}']}\n", "2:26", "expected {path} or {fd}", NULL },
		{ D "run: [x, '{path}', '{sha256}']}\n", "2:40", "unknown placeholder \"{sha256}\"",
		  NULL },
		{ D "run: [x, '{pth}']}\n", "2:30", "unknown placeholder \"{pth}\"", "path" },
		{ D "run: ['{path}', x]}\n", "2:27", "expected a program first", NULL },
		{ D "run: ['{x} {path}']}\n", "2:27", "unknown placeholder", NULL },
		{ D "run: '{path}'}\n", "2:26", "expected a program first", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}

Test(command_row, braces_that_are_no_placeholders_stay)
{
	struct config *config = support_load_good(
		D "run: [awk, '{print $1} {} { } {A} {path', 'a{fd}b{name}{mime}']}\n");
	cr_assert_str_eq(config->detectors[0].run[1], "{print $1} {} { } {A} {path");
	config_unref(config);
}

Test(command_row, programs_with_a_slash_lie_below_the_file)
{
	struct config *config =
		support_load_good("detectors:\n"
				  "  - {type: command, name: a, run: [bin/x, '{fd}']}\n"
				  "  - {type: command, name: b, run: [x, '{fd}']}\n"
				  "  - {type: command, name: c, run: [/bin/x, '{fd}']}\n");
	char path[400];
	snprintf(path, sizeof path, "%s/bin/x", support_dir);
	cr_assert_str_eq(config->detectors[0].run[0], path);
	cr_assert_str_eq(config->detectors[1].run[0], "x");
	cr_assert_str_eq(config->detectors[2].run[0], "/bin/x");
	config_unref(config);
}

Test(command_row, arguments_are_bounded)
{
	char text[4096] = D "run: [";
	char *at = text + strlen(text);
	for (int i = 0; i < 257; i++)
		at += sprintf(at, "x, ");
	strcpy(at, "'{path}']}\n");
	const struct refusal refusal = { text, "2:26", "run: more than 256 items", NULL };
	support_expect_refusals(&refusal, 1);
}
