/* Tests of core/cli/check_api.c: which entries of an api.yml are flagged, and in which line. The
 * file is taken in whole, so that its words arrive here instead of on a terminal. */
#include <stdarg.h>

#include "config_support.h"
#include "core/cli/check_api.c"

TestSuite(check_api, .init = support_setup, .fini = support_teardown);

static char said[8192];

void check_warn(struct check *check, const char *format, ...)
{
	size_t len = strlen(said);
	va_list args;
	va_start(args, format);
	vsnprintf(said + len, sizeof said - len, format, args);
	va_end(args);
	strncat(said, "\n", sizeof said - strlen(said) - 1);
	check->warnings++;
}

static unsigned warnings_of(const char *text)
{
	struct check check = { 0 };
	struct error err = { 0 };
	struct config_detector row = { .file = (char[]){ "api.yml" } };
	*said = '\0';
	cr_assert_eq(api_load(&row.api, support_write("api.yml", text), &err), 0, "%s", err.text);
	check_api(&check, &row);
	api_free(row.api);
	return check.warnings;
}

Test(check_api, flags_what_cannot_work)
{
	static const struct {
		const char *entry, *words;
	} rows[] = {
		{ "report: 'false'", "api.yml:3: this always fails" },
		{ "report: [/bin/false, x]", "this always fails" },
		{ "report: ' exit 1 '", "this always fails" },
		{ "scripts: ['maldet -f \"$BROAPT_PATH\"'], report: x", "expected maldet -a PATH" },
		{ "report: [/usr/sbin/maldet, --file-list, x]", "expected maldet -a PATH" },
		{ "install: [apt-get update], report: x", "carved check --install" },
		{ "install: ['${PYTHON} -m pip install x'], report: x", "carved check --install" },
		{ "install: ['a \\ b'], report: x", "a backslash stands before a space" },
		{ "report: ['${PYTHON} detect.py']", "a single item with spaces" },
		{ "report: x $BROAPT_PATH", "without double quotes" },
		{ "report: 'x ${BROAPT_PATH} \"y\"'", "without double quotes" },
		{ "report: 'x \"$(y $BROAPT_PATH)\"'", "without double quotes" },
		{ "report: 'x \"$(y \"a\") $(z)\" $BROAPT_PATH'", "without double quotes" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[400];
		snprintf(text, sizeof text, "text:\n  plain:\n    {%s}\nexample: {report: x}\n",
			 rows[i].entry);
		cr_expect_eq(warnings_of(text), 1, "%s: %s", rows[i].entry, said);
		cr_expect_not_null(strstr(said, rows[i].words), "expected \"%s\" in: %s",
				   rows[i].words, said);
	}
}

Test(check_api, leaves_what_works_alone)
{
	cr_assert_eq(
		warnings_of(
			"example:\n"
			"  install: ['echo aptly', 'make pipeline']\n"
			"  scripts: ['x \"$BROAPT_PATH\" --file-list=1', '"
			"[ \"$(y \"$BROAPT_PATH\" | z)\" = \"(\" ] && x \"$BROAPT_PATH\"', 'falsehood', 'maldet -a x']\n"
			"  report: [x, '${BROAPT_PATH} and more']\n"),
		0, "%s", said);
}

Test(check_api, a_remote_entry_is_installed_elsewhere)
{
	cr_assert_eq(warnings_of("example: {remote: true, install: [apt-get update], report: x}\n"),
		     0, "%s", said);
}

Test(check_api, aliases_are_flagged_once_and_notes_are_shown)
{
	cr_assert_eq(
		warnings_of("text:\n  a: &a {report: 'false', environ: {P: a, P: b}}\n  b: *a\n"
			    "example: {report: x}\n"),
		2, "%s", said);
	cr_assert_not_null(strstr(said, "P stands twice"));
}
