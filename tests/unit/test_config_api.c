/* Tests of core/config/api.c: which entries there are, in which order, and which one is found. */
#include "config_support.h"

TestSuite(config_api, .init = support_setup, .fini = support_teardown);

static struct api *load_good(const char *text)
{
	struct api *api = NULL;
	struct error err = { 0 };
	int r = api_load(&api, support_write("api.yml", text), &err);
	cr_assert_eq(r, 0, "%s", err.text);
	return api;
}

#define EXAMPLE "example: {report: 'true'}\n"

Test(config_api, order_is_of_types_then_of_the_file)
{
	struct api *api = load_good("text: {'*': {report: x}}\n" EXAMPLE
				    "application:\n  '*': {report: x}\n  PDF: {report: x}\n"
				    "audio:\nvideo: {mp4: {report: x}}\n");
	static const char *const order[] = { "application/*", "application/pdf", "text/*",
					     "video/mp4", "example" };
	cr_assert_eq(api->entry_count, 5);
	for (size_t i = 0; i < 5; i++)
		cr_expect_str_eq(api->entries[i].pattern, order[i]);
	cr_assert_str_eq(api_find(api, "application/pdf")->pattern, "application/*",
			 "first hit wins");
	cr_assert_str_eq(api_find(api, "video/mp4")->pattern, "video/mp4");
	cr_assert_str_eq(api_find(api, "video/mp4x")->pattern, "example");
	cr_assert_str_eq(api_find(api, "")->pattern, "example");
	cr_assert_str_eq(api_find(api, "audio/ogg")->pattern, "example");
	api_free(api);
}

Test(config_api, globs_are_python_s)
{
	struct api *api = load_good(EXAMPLE "application:\n"
					    "  vnd.ms-*: {report: a}\n"
					    "  'x-[!a]z': {report: b}\n"
					    "  'b\\?': {report: c}\n");
	cr_assert_str_eq(api_find(api, "application/vnd.ms-excel")->report.shell, "a");
	cr_assert_str_eq(api_find(api, "application/x-bz")->report.shell, "b");
	cr_assert_str_eq(api_find(api, "application/x-az")->pattern, "example");
	cr_assert_str_eq(api_find(api, "application/b\\x")->report.shell, "c",
			 "a backslash is no escape");
	api_free(api);
}

Test(config_api, aliases_and_merges_work)
{
	struct api *api = load_good("environment:\n  API_ROOT: ${BROAPT_API_ROOT}\n  N: 1\n  E:\n"
				    "application:\n"
				    "  vnd.a: &lmd\n"
				    "    workdir: d\n"
				    "    shared: group\n"
				    "    environ: {A: b}\n"
				    "    install: [i]\n"
				    "    report: r\n"
				    "  vnd.b: *lmd\n"
				    "  vnd.c: {<<: *lmd, report: other}\n" EXAMPLE);
	cr_assert_eq(api->environment_count, 3);
	cr_assert_str_eq(api->environment[0].value, "${BROAPT_API_ROOT}");
	cr_assert_str_eq(api->environment[1].value, "1");
	cr_assert_str_eq(api->environment[2].value, "");
	cr_assert_str_eq(api->entries[1].pattern, "application/vnd.b");
	cr_assert_str_eq(api->entries[1].report.shell, "r");
	cr_assert_str_eq(api->entries[1].shared, "group");
	cr_assert_eq(api->entries[1].line, api->entries[0].line);
	cr_assert_str_eq(api->entries[2].report.shell, "other");
	cr_assert_str_eq(api->entries[2].environ[0].value, "b");
	cr_assert_str_eq(api->entries[3].shared, "example");
	api_free(api);
}

/* BroAPT's own file names PATH and a subtype twice; it must load, and the last one counts. */
Test(config_api, what_stands_twice_counts_as_it_last_stands_and_is_noted)
{
	struct api *api = load_good("application:\n"
				    "  x:\n"
				    "    environ:\n"
				    "      PATH: $PATH:/a\n"
				    "      PATH: $PATH:/b\n"
				    "    report: one\n"
				    "  y: {report: y}\n"
				    "  X: {report: two}\n"
				    "audio:\n"
				    "  z:\n" EXAMPLE);
	cr_assert_eq(api->entry_count, 3);
	cr_assert_str_eq(api->entries[0].report.shell, "two");
	cr_assert_eq(api->note_count, 2);
	cr_assert_eq(api->notes[0].line, 5);
	cr_assert_not_null(strstr(api->notes[0].text, "PATH stands twice"));
	cr_assert_eq(api->notes[1].line, 8);
	cr_assert_not_null(strstr(api->notes[1].text, "application/x stands twice"));
	api_free(api);
}

Test(config_api, says_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ "", "1:1", "no \"example\" entry", NULL },
		{ "# nothing\n", "1:1", "no \"example\" entry: BroAPT and carved need it", NULL },
		{ "text: {}\n", "1:1", "no \"example\" entry", NULL },
		{ "example:\n", "1:1", "no \"example\" entry", NULL },
		{ "[a]\n", "1:1", "expected a mapping of media types, found a list", NULL },
		{ EXAMPLE "vidoe: {}\n", "2:1", "unknown key \"vidoe\"", "video" },
		{ EXAMPLE "enviroment: {}\n", "2:1", "unknown key", "environment" },
		{ EXAMPLE "text: 1\n", "2:7", "text: expected a mapping of subtypes, found a value",
		  NULL },
		{ EXAMPLE "text: {}\ntext: {}\n", "3:1", "stands already in line 2", NULL },
		{ EXAMPLE "text: {plain: x}\n", "2:15", "text/plain: expected a mapping", NULL },
		{ EXAMPLE "text:\n  report: x\n", "3:3", "put it below a subtype", NULL },
		{ EXAMPLE "environment: [a]\n", "2:14", "expected a mapping of variables", NULL },
		{ EXAMPLE "environment: {A: [b]}\n", "2:18", "A: expected a text, found a list",
		  NULL },
		{ EXAMPLE "environment: {A=B: c}\n", "2:15", "the name of a variable", NULL },
		{ EXAMPLE "a: &x [*x]\n", "2:8", "inside its own anchor", NULL },
	};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct api *api = NULL;
		struct error err = { 0 };
		const char *file = support_write("api.yml", refusals[i].text);
		int r = api_load(&api, file, &err);
		support_check(&refusals[i], file, r, &err);
		api_free(api);
	}
}

Test(config_api, bounds_patterns)
{
	char text[1000] = EXAMPLE "text: {";
	memset(text + strlen(text), 'a', 300);
	strcat(text, ": {report: x}}\n");
	struct api *api = NULL;
	struct error err = { 0 };
	cr_assert_lt(api_load(&api, support_write("api.yml", text), &err), 0);
	cr_assert_not_null(strstr(err.text, "a pattern longer than 255"), "%s", err.text);
}

Test(config_api, a_missing_file_is_the_error_of_reading)
{
	struct api *api = NULL;
	struct error err;
	cr_assert_eq(api_load(&api, "/nonexistent/api.yml", &err), -ENOENT);
	cr_assert_str_eq(err.text, "/nonexistent/api.yml: No such file or directory");
	api_free(NULL);
}
