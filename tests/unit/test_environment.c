/* Tests of core/config/environment.c: what wins over what. */
#include "config_support.h"

TestSuite(environment, .init = support_setup, .fini = support_teardown);

static struct config *load_with(const char *text, struct config_overrides overrides,
				struct error *err)
{
	struct config *config = NULL;
	overrides.file = support_file;
	support_write("carved.yml", text);
	*err = (struct error){ 0 };
	cr_assert_eq(config_load(&config, &overrides, err) == 0, config != NULL);
	return config;
}

Test(environment, command_line_over_environment_over_file_over_default)
{
	struct error err;
	struct config *config = support_load_good("max_file_size: 3M\n");
	cr_assert_eq(config->max_file_size, 3 << 20);
	cr_assert_eq(config->stop_grace_ms, 5000);
	config_unref(config);
	config = support_load_good("workers: 3\n");
	cr_assert_eq(config->workers, 3);
	config_unref(config);
	setenv("BROAPT_CPU", "8", 1);
	config = support_load_good("workers: 3\n");
	cr_assert_eq(config->workers, 8);
	config_unref(config);
	setenv("BROAPT_SCAN_CPU", "7", 1);
	setenv("BROAPT_APP_CPU", "6", 1);
	config = support_load_good("workers: 3\n");
	cr_assert_eq(config->workers, 6);
	config_unref(config);
	setenv("CARVED_WORKERS", "5", 1);
	config = support_load_good("workers: 3\n");
	cr_assert_eq(config->workers, 5);
	config_unref(config);
	config = load_with("workers: 3\n", (struct config_overrides){ .workers = 4 }, &err);
	cr_assert_eq(config->workers, 4);
	config_unref(config);
}

Test(environment, every_setting_has_its_variable)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "CARVED_HISTORY", "rel.db" },
		{ "CARVED_HASH", "never" },
		{ "CARVED_MAX_FILE_SIZE", "1K" },
		{ "CARVED_UNMATCHED", "ignore" },
		{ "CARVED_RESCAN_INTERVAL", "1m" },
		{ "CARVED_STOP_GRACE", "1s" },
		{ "CARVED_REUSE", "0" },
		{ "CARVED_API_ROOT", "/r" },
		{ "CARVED_API_LOGS", "/l" },
		{ "CARVED_RETRIES", "9" },
		{ "CARVED_RETRY_PAUSE", "2s" },
		{ "CARVED_ROOT", "/a:/b/:/c" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		setenv(rows[i].name, rows[i].value, 1);
	struct config *config = support_load_good(
		"roots: [/x]\n"
		"detectors: [{type: command, run: [x, '{fd}'], retries: 2}, {type: noop}]\n");
	cr_assert_str_eq(config->history, "rel.db");
	cr_assert_not(config->hash);
	cr_assert_eq(config->max_file_size, 1024);
	cr_assert_eq(config->unmatched, CONFIG_UNMATCHED_IGNORE);
	cr_assert_eq(config->rescan_interval_ms, 60000);
	cr_assert_eq(config->stop_grace_ms, 1000);
	cr_assert_eq(config->reuse_days, 0);
	cr_assert_str_eq(config->api_root, "/r");
	cr_assert_str_eq(config->api_logs, "/l");
	cr_assert_eq(config->detectors[0].retries, 9);
	cr_assert_eq(config->detectors[0].retry_pause_ms, 2000);
	cr_assert_eq(config->detectors[1].retries, 1);
	cr_assert_eq(config->root_count, 3);
	cr_assert_str_eq(config->roots[1].path, "/b");
	config_unref(config);
}

Test(environment, broapt_names_work)
{
	setenv("BROAPT_DUMP_PATH", "/dump:with/colon", 1);
	setenv("BROAPT_INTERVAL", "2.5", 1);
	setenv("BROAPT_MAX_RETRY", "4", 1);
	setenv("BROAPT_API_ROOT", "/broapt/api/", 1);
	setenv("BROAPT_API_LOGS", "/broapt/logs/", 1);
	struct config *config =
		support_load_good("detectors: [{type: command, run: [x, '{fd}']}]\n");
	cr_assert_eq(config->root_count, 1);
	cr_assert_str_eq(config->roots[0].path, "/dump:with/colon");
	cr_assert_eq(config->rescan_interval_ms, 2500);
	cr_assert_eq(config->detectors[0].retry_pause_ms, 2500);
	cr_assert_eq(config->detectors[0].retries, 4);
	cr_assert_str_eq(config->api_root, "/broapt/api/");
	cr_assert_str_eq(config->api_logs, "/broapt/logs/");
	config_unref(config);
	setenv("BROAPT_APP_INTERVAL", "3", 1);
	config = support_load_good("rescan_interval: 9s\n");
	cr_assert_eq(config->rescan_interval_ms, 3000);
	config_unref(config);
}

Test(environment, empty_variables_are_not_set)
{
	setenv("CARVED_WORKERS", "", 1);
	setenv("BROAPT_APP_CPU", "2", 1);
	struct config *config = support_load_good("workers: 3\n");
	cr_assert_eq(config->workers, 2);
	config_unref(config);
}

Test(environment, bad_values_name_the_variable)
{
	static const struct {
		const char *name, *value, *words;
	} rows[] = {
		{ "CARVED_WORKERS", "lots", "CARVED_WORKERS: workers: expected a whole number" },
		{ "BROAPT_CPU", "-1", "BROAPT_CPU: workers: expected" },
		{ "CARVED_HASH", "yes", "CARVED_HASH: hash: expected never or always" },
		{ "BROAPT_INTERVAL", "soon", "BROAPT_INTERVAL: rescan_interval: expected a time" },
		{ "BROAPT_MAX_RETRY", "0", "BROAPT_MAX_RETRY: retries: expected a whole number" },
		{ "CARVED_ROOT", "/a::/b", "CARVED_ROOT: expected the path of a directory" },
		{ "CARVED_UNMATCHED", "skip", "CARVED_UNMATCHED: unmatched: expected record" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct error err;
		setenv(rows[i].name, rows[i].value, 1);
		cr_expect_null(support_load("", &err), "%s", rows[i].name);
		cr_expect_eq(strncmp(err.text, rows[i].words, strlen(rows[i].words)), 0, "%s",
			     err.text);
		unsetenv(rows[i].name);
	}
}

Test(environment, bad_options_name_the_option)
{
	struct error err;
	const char *const roots[] = { "" };
	cr_assert_null(load_with("", (struct config_overrides){ .workers = 257 }, &err));
	cr_assert_not_null(strstr(err.text, "--workers: expected a whole number from 1 to 256"));
	cr_assert_null(load_with("", (struct config_overrides){ .history = "" }, &err));
	cr_assert_not_null(strstr(err.text, "--history: expected a path"));
	cr_assert_null(
		load_with("", (struct config_overrides){ .roots = roots, .root_count = 1 }, &err));
	cr_assert_not_null(strstr(err.text, "expected the path of a directory"));
}

Test(environment, roots_of_the_command_line_replace_the_others)
{
	struct error err;
	const char *const roots[] = { "/cli/", "/file" };
	setenv("CARVED_ROOT", "/env", 1);
	struct config *config =
		load_with("roots: [{path: /file, mode: poll, settle: 7s}, /gone]\n",
			  (struct config_overrides){ .roots = roots, .root_count = 2 }, &err);
	cr_assert_eq(config->root_count, 2);
	cr_assert_str_eq(config->roots[0].path, "/cli");
	cr_assert_eq(config->roots[1].mode, CONFIG_MODE_POLL,
		     "the variable that does not count took nothing away");
	config_unref(config);
	unsetenv("CARVED_ROOT");
	config = load_with("roots: [{path: /file, mode: poll, settle: 7s}, /gone]\n",
			   (struct config_overrides){ .roots = roots, .root_count = 2 }, &err);
	cr_assert_eq(config->roots[0].mode, CONFIG_MODE_AUTO);
	cr_assert_eq(config->roots[1].mode, CONFIG_MODE_POLL,
		     "a root keeps what the file says of it");
	cr_assert_eq(config->roots[1].settle_ms, 7000);
	config_unref(config);
}

Test(environment, a_root_is_the_same_with_and_without_a_slash_at_its_end)
{
	static const char *const written[][2] = { { "/file/", "/file" }, { "/file", "/file//" } };
	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		struct error err;
		char text[100];
		snprintf(text, sizeof text, "roots: [{path: %s, mode: poll}]\n", written[i][0]);
		struct config *config = load_with(
			text, (struct config_overrides){ .roots = &written[i][1], .root_count = 1 },
			&err);
		cr_expect_str_eq(config->roots[0].path, "/file");
		cr_expect_eq(config->roots[0].mode, CONFIG_MODE_POLL, "%s", text);
		config_unref(config);
	}
}

Test(environment, too_many_roots_are_refused)
{
	static char value[2000];
	for (int i = 0; i < 300; i++)
		strcat(value, "/a:");
	setenv("CARVED_ROOT", value, 1);
	struct error err;
	cr_assert_null(support_load("", &err));
	cr_assert_str_eq(err.text, "CARVED_ROOT: more than 256 roots");
}
