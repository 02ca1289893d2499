/* interpreter: words that are program text are known as such. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/detect/interpreter.h"

/* "X" is the word that is asked for. */
static const struct {
	bool runs;
	const char *argv[9];
} cases[] = {
	{ true, { "sh", "-c", "X" } },
	{ true, { "/bin/sh", "-c", "X", "sh" } },
	{ true, { "bash", "-ec", "X" } },
	{ true, { "bash", "-o", "pipefail", "-c", "X" } },
	{ true, { "bash", "-eo", "pipefail", "-c", "X" } },
	{ true, { "sh", "-c", "--", "X" } },
	{ true, { "sh", "-c", "-x", "X" } },
	{ true, { "timeout", "5", "sh", "-c", "X" } },
	{ true, { "env", "A=b", "bash", "-c", "X" } },
	{ true, { "busybox", "sh", "-c", "X" } },
	{ true, { "python3", "-c", "X" } },
	{ true, { "/usr/bin/python3.11", "-W", "ignore", "-c", "X" } },
	{ true, { "perl", "-ne", "X" } },
	{ true, { "su", "nobody", "-c", "X" } },
	{ true, { "runuser", "-u", "nobody", "--", "sh", "-c", "X" } },
	{ true, { "python3", "wrapper.py", "sh", "-c", "X" } },
	{ true, { "su", "--command", "X", "nobody" } },
	{ true, { "su", "nobody", "--session-command", "X" } },
	{ true, { "runuser", "-u", "nobody", "--comm", "X" } },
	{ true, { "fish", "--command", "X" } },
	{ true, { "node", "--eval", "X" } },
	{ true, { "node", "--print", "X" } },
	{ true, { "php", "--run", "X" } },
	{ true, { "bash", "--rcfile", "/etc/rc", "-c", "X" } },
	{ true, { "bash", "--norc", "-c", "X" } },
	{ false, { "bash", "--norc", "script.sh", "X" } },
	{ false, { "X" } },
	{ false, { "clamscan", "X" } },
	{ false, { "sh", "-c", "scan \"$1\"", "sh", "X" } },
	{ false, { "sh", "script.sh", "X" } },
	{ false, { "sh", "script.sh", "-c", "X" } },
	{ false, { "python3", "scan.py", "-c", "X" } },
	{ false, { "clamscan", "-c", "X" } },
	{ false, { "shred", "-c", "X" } },
	{ false, { "sh-tool", "-c", "X" } },
};

Test(interpreter, knows_program_text)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *argv[9];
		size_t at = 0;
		for (size_t n = 0; n < 9; n++) {
			argv[n] = (char *)cases[i].argv[n];
			if (argv[n] && strcmp(argv[n], "X") == 0)
				at = n;
		}
		cr_expect_eq(interpreter_runs(argv, at), cases[i].runs, "case %zu: %s", i, argv[0]);
	}
}

Test(interpreter, knows_text_inside_an_option)
{
	char *joined[] = { "python3", "-cX", NULL };
	char *named[] = { "node", "--eval=X", NULL };
	char *plain[] = { "tool", "--eval=X", NULL };
	cr_assert(interpreter_runs(joined, 1));
	cr_assert(interpreter_runs(named, 1));
	cr_assert_not(interpreter_runs(plain, 1));
}
