/* Tests of core/config/config.c: where the file is found, who owns what, and matching MIME types.
 */
#include "config_support.h"

TestSuite(config, .init = support_setup, .fini = support_teardown);

Test(config, defaults_hold_when_the_file_says_nothing)
{
	static const char *const texts[] = { "", "# nothing\n", "~\n", "{}\n" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct config *config = support_load_good(texts[i]);
		cr_assert_eq(config->root_count, 0);
		cr_assert(config->workers >= 1 && config->workers <= 4);
		cr_assert(config->hash);
		cr_assert_eq(config->max_file_size, 256 << 20);
		cr_assert_eq(config->unmatched, CONFIG_UNMATCHED_RECORD);
		cr_assert_eq(config->rescan_interval_ms, 10000);
		cr_assert_eq(config->stop_grace_ms, 5000);
		cr_assert_eq(config->reuse_days, 30);
		cr_assert_str_eq(config->api_root, "/api/");
		cr_assert_str_eq(config->api_logs, "/var/log/bro/api/");
		cr_assert_not_null(config->history);
		config_unref(config);
	}
}

Test(config, the_file_is_named_by_option_then_variable)
{
	struct config *config = NULL;
	char named[400];
	strcpy(named, support_write("named.yml", "workers: 9\n"));
	support_write("carved.yml", "workers: 8\n");
	setenv("CARVED_CONFIG", named, 1);
	cr_assert_eq(config_load(&config, NULL, NULL), 0);
	cr_assert_eq(config->workers, 9);
	cr_assert_str_eq(config->file, named);
	config_unref(config);
	struct config_overrides overrides = { .file = support_file };
	cr_assert_eq(config_load(&config, &overrides, NULL), 0);
	cr_assert_eq(config->workers, 8);
	config_unref(config);
	overrides.file = "/nonexistent/carved.yml";
	struct error err;
	config = NULL;
	cr_assert_eq(config_load(&config, &overrides, &err), -ENOENT);
	cr_assert_str_eq(err.text, "/nonexistent/carved.yml: No such file or directory");
	cr_assert_null(config);
}

Test(config, failures_are_told_also_without_a_place_for_words)
{
	struct config *config = NULL;
	struct config_overrides overrides = { .file = support_file };
	support_write("carved.yml", "workers: x\n");
	cr_assert_lt(config_load(&config, &overrides, NULL), 0);
	support_write("carved.yml", "");
	setenv("CARVED_WORKERS", "x", 1);
	cr_assert_lt(config_load(&config, &overrides, NULL), 0);
	cr_assert_null(config);
}

Test(config, relative_paths_lie_below_the_file_wherever_we_stand)
{
	struct config *config = NULL;
	cr_assert_eq(chdir(support_dir), 0);
	support_write("carved.yml", "roots: [sub]\n");
	cr_assert_eq(config_load(&config, &(struct config_overrides){ .file = "carved.yml" }, NULL),
		     0);
	char want[400];
	snprintf(want, sizeof want, "%s/sub", support_dir);
	cr_assert_str_eq(config->roots[0].path, want);
	config_unref(config);
}

Test(config, the_root_directory_keeps_its_slash)
{
	struct error err;
	cr_assert_null(support_load("roots: [//]\nhistory: /x/h\n", &err));
	cr_assert_not_null(strstr(err.text, "below the root \"/\""), "%s", err.text);
}

Test(config, lives_until_the_last_user_is_gone)
{
	struct config *config = support_load_good("");
	cr_assert_eq(config_ref(config), config);
	config_unref(config);
	cr_assert_not_null(config->history);
	config_unref(config);
	config_unref(NULL);
}

Test(config, mime_globs)
{
	static const struct {
		const char *glob, *mime;
		bool matches;
	} rows[] = {
		{ "*", "", true },
		{ "*", "application/pdf", true },
		{ "application/*", "application/pdf", true },
		{ "application/*", "application/x/y", true },
		{ "application/*", "text/plain", false },
		{ "application/*", "", false },
		{ "*/*", "", false },
		{ "**", "", false },
		{ "?*", "", false },
		{ "application/vnd.ms-*", "application/vnd.ms-excel", true },
		{ "application/pdf", "application/pdfx", false },
		{ "[at]*/*", "text/plain", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *globs[] = { (char[]){ "none/none" }, strdup(rows[i].glob), NULL };
		cr_expect_eq(config_mime_matches(globs, rows[i].mime), rows[i].matches, "%s of %s",
			     rows[i].glob, rows[i].mime);
		free(globs[1]);
	}
	cr_assert(config_mime_matches(NULL, ""));
}

/* What is shipped as the commented default must load, as it stands and with every key turned on. */
static char *read_shipped(const char *name)
{
	char path[600];
	char *list = config_shipped_hashlist();
	cr_assert_not_null(list);
	snprintf(path, sizeof path, "%.*s/%s", (int)(strrchr(list, '/') - list), list, name);
	free(list);
	FILE *file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	char *text = calloc(1, 65536);
	cr_assert_gt(fread(text, 1, 65535, file), 0);
	fclose(file);
	return text;
}

Test(config, the_shipped_file_loads_with_every_key_turned_on)
{
	char *text = read_shipped("carved.yml");
	config_unref(support_load_good(text));
	/* "#key" and what is indented below it is a key that is off, "# words" are words */
	char *on = calloc(1, 65536);
	char *to = on;
	bool key = false;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		key = *line == '#' &&
		      ((line[1] >= 'a' && line[1] <= 'z') || (key && strncmp(line, "#  ", 3) == 0));
		to += sprintf(to, "%s\n", line + key);
	}
	setenv("BROAPT_API_ROOT", support_dir, 1);
	struct error err;
	struct config *config = support_load(on, &err);
	cr_assert_not_null(config, "%s\n--- of\n%s", err.text, on);
	cr_assert_geq(config->root_count, 2);
	cr_assert_geq(config->detector_count, 3);
	config_unref(config);
	free(text);
	free(on);
}

Test(config, the_shipped_api_yml_loads)
{
	char *text = read_shipped("api.yml");
	struct api *api = NULL;
	struct error err = { 0 };
	cr_assert_eq(api_load(&api, support_write("api.yml", text), &err), 0, "%s", err.text);
	cr_assert_eq(api->note_count, 0);
	cr_assert_str_eq(api_find(api, "zz/none")->pattern, "example");
	api_free(api);
	free(text);
}
