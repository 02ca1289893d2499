/* Tests of core/config/consistency.c. */
#include "config_support.h"

TestSuite(consistency, .init = support_setup, .fini = support_teardown);

static void expect_words(const char *text, const char *first, const char *second)
{
	struct error err;
	struct config *config = support_load(text, &err);
	cr_assert_null(config, "accepted:\n%s", text);
	cr_expect_not_null(strstr(err.text, first), "expected \"%s\" in: %s", first, err.text);
	cr_expect_not_null(strstr(err.text, second), "expected \"%s\" in: %s", second, err.text);
}

Test(consistency, overlapping_roots_are_named_both)
{
	char text[1000];
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mkdir("real", 0700), 0);
	cr_assert_eq(symlink("real", "link"), 0);
	expect_words("roots: [real, link]\nhistory: /x/y\n",
		     "carved.yml:1:15: ", "are the same directory");
	expect_words("roots: [real, real/]\nhistory: /x/y\n",
		     "carved.yml:1:15: ", "the same directory");
	expect_words("roots: [real, link/sub]\nhistory: /x/y\n",
		     "link/sub\" lies below the root \"", "real\": leave one out");
	expect_words("roots:\n  - real/sub\n  - link\nhistory: /x/y\n",
		     "carved.yml:3:5: ", "real/sub\" lies below the root \"");
	struct config *config = support_load_good("roots: [real, real2, none]\nhistory: /x/y\n");
	cr_assert_eq(config->root_count, 3);
	config_unref(config);
	snprintf(text, sizeof text, "%s/real:%s/link", support_dir, support_dir);
	setenv("CARVED_ROOT", text, 1);
	expect_words("", "CARVED_ROOT: the roots", "the same directory");
}

Test(consistency, the_history_lies_outside_every_root)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mkdir("real", 0700), 0);
	cr_assert_eq(symlink("real", "link"), 0);
	expect_words("roots: [real]\nhistory: real/h.db\n", "carved.yml:2:10: the history \"",
		     "lies below the root \"");
	expect_words("roots: [real]\nhistory: link/h.db\n", "2:10: ", "lies below the root \"");
	expect_words("roots: [real]\nhistory: link/none/h.db\n",
		     "2:10: ", "lies below the root \"");
	expect_words("roots: [/]\nhistory: h.db\n", "2:10: ", "lies below the root \"/\"");
	setenv("CARVED_HISTORY", "real/h.db", 1);
	expect_words("roots: [real]\n", "CARVED_HISTORY: the history \"real/h.db\"",
		     "below the root");
	unsetenv("CARVED_HISTORY");
	setenv("STATE_DIRECTORY", "real", 1);
	expect_words("roots:\n  - real\n", "carved.yml:2:5: the history \"real/history.db\"",
		     "--history");
	unsetenv("STATE_DIRECTORY");
	config_unref(support_load_good("roots: [real]\nhistory: real.db\n"));
	config_unref(support_load_good("roots: [real]\nhistory: real2/h.db\n"));
}

/* SQLite follows the link and puts its journal beside what it leads to; the lock is beside the
 * link. */
Test(consistency, neither_a_linked_history_nor_its_link_lies_below_a_root)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mkdir("real", 0700), 0);
	support_write("real/h.db", "");
	cr_assert_eq(symlink("real/h.db", "h.db"), 0);
	expect_words("roots: [real]\nhistory: h.db\n", "2:10: ", "lies below the root \"");
	cr_assert_eq(symlink("../x.db", "real/x.db"), 0);
	support_write("x.db", "");
	expect_words("roots: [real]\nhistory: real/x.db\n", "2:10: ", "lies below the root \"");
}

/* What a command printed would be a file to scan, whose command prints something. */
Test(consistency, the_logs_of_api_lie_outside_every_root)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mkdir("real", 0700), 0);
	support_write("api.yml", "example: { report: 'true' }\n");
	static const char with[] = "detectors: [{type: api, file: api.yml}]\n";
	static const char without[] = "detectors: [{type: noop}]\n";
	char text[200];
	snprintf(text, sizeof text, "roots: [real]\nhistory: h.db\napi_logs: real/logs\n%s", with);
	expect_words(text, "carved.yml:1:9: ", "real/logs\" lies below the root \"");
	snprintf(text, sizeof text, "roots: [real]\nhistory: h.db\napi_logs: real/logs\n%s",
		 without);
	config_unref(support_load_good(text));
	snprintf(text, sizeof text, "roots: [real]\nhistory: h.db\napi_logs: logs\n%s", with);
	config_unref(support_load_good(text));
}

Test(consistency, a_hashlist_needs_hashes_wherever_they_were_turned_off)
{
	expect_words("detectors: [{type: noop}, {type: hashlist, file: x}]\nhash: never\n",
		     "carved.yml:1:27: a hashlist needs hashes", "hash is never (line 2)");
	setenv("CARVED_HASH", "never", 1);
	expect_words("detectors: [{type: hashlist, file: x}]\n",
		     "carved.yml:1:13: a hashlist needs hashes", "hash is never (CARVED_HASH)");
	config_unref(support_load_good("detectors: [{type: noop}]\n"));
}

Test(consistency, rescans_by_themselves_need_days_to_look_back)
{
	expect_words("rescan: auto\nreuse: 0d\n", "carved.yml:1:9: ", "reuse, which is 0");
	config_unref(support_load_good("rescan: manual\nreuse: 0d\n"));
	config_unref(support_load_good("rescan: auto\nreuse: 1d\n"));
	setenv("CARVED_RESCAN", "auto", 1);
	expect_words("reuse: 0d\n", "CARVED_RESCAN: ", "reuse, which is 0");
	unsetenv("CARVED_RESCAN");
}

Test(consistency, retention_has_limits_that_go_together)
{
	expect_words("retention: { disk_low: 50% }\n", "1:12: ", "no disk_high");
	expect_words("retention: { disk_high: 50%, disk_low: 60% }\n",
		     "1:12: ", "disk_low is 60%, disk_high 50%");
	expect_words("shed: [image/*]\nretention: { age: 1d }\n", "1:7: ", "no disk_high");
	struct config *config = support_load_good("shed: [image/*, '*']\n"
						  "retention: { disk_high: 90% }\n");
	cr_expect_eq(config->retention.disk_low_percent, 80);
	cr_expect_str_eq(config->retention.shed[1], "*");
	cr_expect_not(config->retention.unscanned);
	config_unref(config);
	config = support_load_good("retention: { disk_high: 5% }\n");
	cr_expect_eq(config->retention.disk_low_percent, 2);
	config_unref(config);
	config = support_load_good("retention: { age: 2d, count: 5, bytes: 1K, unscanned: delete,"
				   " quarantine: 1d }\n");
	cr_expect_eq(config->retention.age_ms, 2 * INT64_C(86400000));
	cr_expect_eq(config->retention.count, 5);
	cr_expect_eq(config->retention.bytes, 1024);
	cr_expect(config->retention.unscanned);
	cr_expect_eq(config->retention.quarantine_ms, INT64_C(86400000));
	cr_expect_eq(config->retention.disk_high_percent, 0);
	config_unref(config);
}

Test(consistency, the_pressure_file_lies_outside_every_root)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mkdir("real", 0700), 0);
	expect_words("roots: [real]\nhistory: h.db\npressure: real/p\n", "1:9: pressure \"",
		     "lies below the root");
	config_unref(support_load_good("roots: [real]\nhistory: h.db\npressure: p\n"));
}

Test(consistency, what_is_written_has_a_name_of_its_own)
{
	cr_assert_eq(chdir(support_dir), 0);
	cr_assert_eq(mknod("h.db", S_IFREG | 0600, 0), 0);
	cr_assert_eq(symlink("h.db", "link"), 0);
	expect_words("history: h.db\npressure: h.db\n", "pressure \"",
		     "is a file of the history \"");
	expect_words("history: h.db\nevents: link\n", "events \"", "a name of its own");
	expect_words("history: h.db\nevents: h.db-wal\n", "events \"", "of the history \"");
	expect_words("history: h.db\nquarantine: h.db.scratch\n", "quarantine \"", "history \"");
	expect_words("events: e\npressure: ./e\n", "pressure \"", "of the events \"");
	expect_words("pressure: carved.yml\n", "pressure \"", "of the configuration \"");
	config_unref(support_load_good("history: h.db\nevents: h.db.json\npressure: h.db-p\n"));
}
