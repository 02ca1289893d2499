/* Tests of core/config/setting_value.c: texts into fields. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/config/settings.h"

static int apply(struct config *config, const char *key, const char *text, struct error *err)
{
	return setting_apply(setting_find(SETTING_TOP, key), config, text, "/base", err);
}

Test(setting_value, stores_each_type_in_its_field)
{
	struct config config = { 0 };
	cr_assert_eq(apply(&config, "workers", "7", NULL), 0);
	cr_assert_eq(config.workers, 7);
	cr_assert_eq(apply(&config, "max_file_size", "1G", NULL), 0);
	cr_assert_eq(config.max_file_size, INT64_C(1) << 30);
	cr_assert_eq(apply(&config, "stop_grace", "250ms", NULL), 0);
	cr_assert_eq(config.stop_grace_ms, 250);
	cr_assert_eq(apply(&config, "reuse", "2w", NULL), 0);
	cr_assert_eq(config.reuse_days, 14);
	cr_assert_eq(apply(&config, "hash", "always", NULL), 0);
	cr_assert(config.hash);
	cr_assert_eq(apply(&config, "hash", "never", NULL), 0);
	cr_assert_not(config.hash);
	cr_assert_eq(apply(&config, "unmatched", "ignore", NULL), 0);
	cr_assert_eq(config.unmatched, CONFIG_UNMATCHED_IGNORE);
	cr_assert_eq(apply(&config, "rescan", "auto", NULL), 0);
	cr_assert_eq(config.rescan, CONFIG_RESCAN_AUTO);
	cr_assert_eq(apply(&config, "history", "x.db", NULL), 0);
	cr_assert_str_eq(config.history, "/base/x.db");
	cr_assert_eq(apply(&config, "history", "/y.db", NULL), 0);
	cr_assert_str_eq(config.history, "/y.db");
	free(config.history);
}

Test(setting_value, says_what_it_expected)
{
	static const struct {
		const char *key, *text, *words;
	} rows[] = {
		{ "workers", "many",
		  "workers: expected a whole number from 0 to 256, found \"many\"" },
		{ "workers", "257",
		  "workers: expected a whole number from 0 to 256, found \"257\"" },
		{ "max_file_size", "0",
		  "max_file_size: expected a size such as 256M from 1 to 1024T, found \"0\"" },
		{ "rescan_interval", "1ms",
		  "rescan_interval: expected a time such as 10s from 100ms to 1d, found \"1ms\"" },
		{ "reuse", "1h",
		  "reuse: expected a number of days such as 30d from 0 to 36500d, found \"1h\"" },
		{ "hash", "nevr",
		  "hash: expected never or always, found \"nevr\" (did you mean \"never\"?)" },
		{ "unmatched", "xyz", "unmatched: expected record, scan or ignore, found \"xyz\"" },
		{ "history", "", "history: expected a path, found an empty one" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config config = { .workers = 99, .history = NULL };
		struct error err = { 0 };
		cr_expect_lt(apply(&config, rows[i].key, rows[i].text, &err), 0, "%s",
			     rows[i].text);
		cr_expect_str_eq(err.text, rows[i].words);
		cr_expect_eq(config.workers, 99);
	}
}

Test(setting_value, lists_replace_lists)
{
	struct config_detector row = { 0 };
	const struct setting *mime = setting_find(SETTING_DETECTOR, "mime");
	for (int i = 0; i < 2; i++) {
		char **texts = xcalloc(2, sizeof *texts);
		texts[0] = xstrdup("*");
		setting_apply_texts(mime, &row, texts);
	}
	cr_assert_str_eq(row.mime[0], "*");
	cr_assert_lt(setting_apply(mime, &row, "x", NULL, NULL), 0);
	texts_free(row.mime);
	texts_free(NULL);
}

Test(setting_value, defaults_come_from_the_table)
{
	struct config_root root = { 0 };
	settings_default(SETTING_ROOT, &root);
	cr_assert_str_eq(root.producer, "auto");
	cr_assert_eq(root.mode, CONFIG_MODE_AUTO);
	cr_assert_eq(root.settle_ms, 2000);
	free(root.producer);
	struct config_detector row = { 0 };
	settings_default(SETTING_DETECTOR, &row);
	cr_assert_eq(row.timeout_ms, 60000);
	cr_assert_eq(row.retry_pause_ms, 10000);
	cr_assert_null(row.name);
}
