/* Tests of core/config/api_entry.c: commands, variables and the other keys of one entry. */
#include "config_support.h"

TestSuite(api_entry, .init = support_setup, .fini = support_teardown);

static struct api *load(const char *text, struct error *err)
{
	struct api *api = NULL;
	*err = (struct error){ 0 };
	cr_assert_eq(api_load(&api, support_write("api.yml", text), err) == 0, api != NULL);
	return api;
}

Test(api_entry, reads_commands_as_texts_and_lists)
{
	struct error err;
	struct api *api = load("example:\n"
			       "  install: one command\n"
			       "  scripts:\n"
			       "    - text ${A}\n"
			       "    - [prog, 'arg with space', 3]\n"
			       "    - >\n"
			       "      folded\n"
			       "      text\n"
			       "    - |\n"
			       "      first\n"
			       "      second\n"
			       "  report: [prog, '']\n"
			       "  remote: yes\n"
			       "  shared: 7\n",
			       &err);
	cr_assert_not_null(api, "%s", err.text);
	const struct api_entry *entry = &api->entries[0];
	cr_assert_eq(entry->install_count, 1);
	cr_assert_str_eq(entry->install[0].shell, "one command");
	cr_assert_eq(entry->script_count, 4);
	cr_assert_str_eq(entry->scripts[0].shell, "text ${A}");
	cr_assert_null(entry->scripts[0].argv);
	cr_assert_eq(entry->scripts[0].line, 4);
	cr_assert_null(entry->scripts[1].shell);
	cr_assert_str_eq(entry->scripts[1].argv[1], "arg with space");
	cr_assert_str_eq(entry->scripts[1].argv[2], "3");
	cr_assert_null(entry->scripts[1].argv[3]);
	cr_assert_str_eq(entry->scripts[2].shell, "folded text\n");
	cr_assert_str_eq(entry->scripts[3].shell, "first\nsecond\n");
	cr_assert_str_eq(entry->report.argv[0], "prog");
	cr_assert_str_eq(entry->report.argv[1], "");
	cr_assert(entry->remote);
	cr_assert_str_eq(entry->shared, "7");
	cr_assert_str_eq(entry->workdir, ".");
	cr_assert_eq(entry->line, 2);
	api_free(api);
}

Test(api_entry, empty_values_are_passed_over)
{
	struct error err;
	struct api *api =
		load("example:\n  install:\n  scripts: []\n  environ:\n  report: x\n", &err);
	cr_assert_not_null(api, "%s", err.text);
	cr_assert_eq(api->entries[0].install_count + api->entries[0].script_count, 0);
	cr_assert_eq(api->entries[0].environ_count, 0);
	cr_assert_not(api->entries[0].remote);
	api_free(api);
}

Test(api_entry, says_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ "example: [x]\n", "1:10", "example: expected a mapping with \"report\"", NULL },
		{ "example: {workdir: x}\n", "1:10", "example: no \"report\"", NULL },
		{ "example:\n  report:\n", "2:10", "report: expected a command", NULL },
		{ "example: {report: ''}\n", "1:19", "found an empty text", NULL },
		{ "example: {report: ' '}\n", "1:19", "found an empty text", NULL },
		{ "example: {report: {a: b}}\n", "1:19", "a command: a text or a list", NULL },
		{ "example: {report: []}\n", "1:19", "report: expected a program, found nothing",
		  NULL },
		{ "example: {report: ['']}\n", "1:19", "expected a program", NULL },
		{ "example: {report: [x, [y]]}\n", "1:23", "a text in a command's list", NULL },
		{ "example: {reprot: x}\n", "1:11", "unknown key \"reprot\" for example",
		  "report" },
		{ "example: {scanner: [x], report: x}\n", "1:11", "unknown key \"scanner\"", NULL },
		{ "example: {report: x, report: y}\n", "1:22", "stands already in line 1", NULL },
		{ "example: {report: x, scripts: {a: b}}\n", "1:31", "a list of commands", NULL },
		{ "example: {report: x, scripts: [a, {b: c}]}\n", "1:35", "a command", NULL },
		{ "example: {report: x, install: ['']}\n", "1:32", "found an empty text", NULL },
		{ "example: {report: x, remote: maybe}\n", "1:30", "true or false, found \"maybe\"",
		  NULL },
		{ "example: {report: x, remote: }\n", "1:30", "true or false, found nothing",
		  NULL },
		{ "example: {report: x, workdir: [a]}\n", "1:31", "workdir: expected a text",
		  NULL },
		{ "example: {report: x, workdir: }\n", "1:31", "workdir: expected a text", NULL },
		{ "example: {report: x, shared: {}}\n", "1:30", "shared: expected a text", NULL },
		{ "example: {report: x, environ: [a]}\n", "1:31", "a mapping of variables", NULL },
		{ "example: {report: x}\ntext:\n  plain:\n    wrkdir: x\n    report: y\n", "4:5",
		  "unknown key \"wrkdir\" for text/plain", "workdir" },
	};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct error err;
		struct api *api = load(refusals[i].text, &err);
		char file[600];
		snprintf(file, sizeof file, "%s/api.yml", support_dir);
		support_check(&refusals[i], file, api ? 0 : -1, &err);
		api_free(api);
	}
}

Test(api_entry, survives_garbage)
{
	static const char sample[] =
		"environment: {A: $B}\ntext:\n  plain: &a\n    scripts: [x, [y, z]]\n"
		"    report: r\n  html: *a\nexample: {report: r, remote: no}\n";
	static const char alphabet[] = "[]{}:,-?&*!|>'\" \n\t#a";
	unsigned seed = 11;
	char text[sizeof sample];
	for (int round = 0; round < 3000; round++) {
		memcpy(text, sample, sizeof sample);
		for (int i = 0; i < 3; i++)
			text[(size_t)rand_r(&seed) % (sizeof sample - 1)] =
				alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
		struct error err;
		struct api *api = load(text, &err);
		cr_assert(api || *err.text);
		api_free(api);
	}
}
