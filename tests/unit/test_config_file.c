/* Tests of core/config/config_file.c: what each key does, and what is said of wrong ones. */
#include "config_support.h"

TestSuite(config_file, .init = support_setup, .fini = support_teardown);

Test(config_file, reads_every_key)
{
	struct config *config = support_load_good(
		"roots:\n"
		"  - path: /data/zeek/\n"
		"    producer: zeek\n"
		"    mode: poll\n"
		"    settle: 500ms\n"
		"  - /data/other//\n"
		"  - { path: rel/dir, producer: '(?P<fuid>F\\w+)' }\n"
		"history: h.db\n"
		"workers: 3\n"
		"hash: never\n"
		"max_file_size: 1.5G\n"
		"unmatched: scan\n"
		"rescan_interval: 30\n"
		"stop_grace: 0\n"
		"reuse: 7d\n"
		"api_root: /opt/api\n"
		"api_logs: logs\n"
		"dispose: { malicious: keep, clean: keep, unknown: keep, suspicious: keep }\n"
		"detectors:\n"
		"  - { type: noop, mime: 'Image/*' }\n");
	char path[400];
	cr_assert_eq(config->root_count, 3);
	cr_assert_str_eq(config->roots[0].path, "/data/zeek");
	cr_assert_str_eq(config->roots[0].producer, "zeek");
	cr_assert_eq(config->roots[0].mode, CONFIG_MODE_POLL);
	cr_assert_eq(config->roots[0].settle_ms, 500);
	cr_assert_str_eq(config->roots[1].path, "/data/other");
	cr_assert_str_eq(config->roots[1].producer, "auto");
	cr_assert_eq(config->roots[1].settle_ms, 2000);
	snprintf(path, sizeof path, "%s/rel/dir", support_dir);
	cr_assert_str_eq(config->roots[2].path, path);
	snprintf(path, sizeof path, "%s/h.db", support_dir);
	cr_assert_str_eq(config->history, path);
	snprintf(path, sizeof path, "%s/logs", support_dir);
	cr_assert_str_eq(config->api_logs, path);
	cr_assert_str_eq(config->api_root, "/opt/api");
	cr_assert_eq(config->workers, 3);
	cr_assert_not(config->hash);
	cr_assert_eq(config->max_file_size, 1610612736);
	cr_assert_eq(config->unmatched, CONFIG_UNMATCHED_SCAN);
	cr_assert_eq(config->rescan_interval_ms, 30000);
	cr_assert_eq(config->stop_grace_ms, 0);
	cr_assert_eq(config->reuse_days, 7);
	cr_assert_eq(config->detector_count, 1);
	cr_assert_str_eq(config->detectors[0].mime[0], "image/*");
	cr_assert_eq(config->detectors[0].line, 20);
	cr_assert_str_eq(config->file, support_file);
	config_unref(config);
}

Test(config_file, says_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ "rots: []\n", "1:1", "unknown key \"rots\"", "roots" },
		{ "workers: 1\nhistroy: /x\n", "2:1", "unknown key \"histroy\"", "history" },
		{ "worker_count: 1\n", "1:1", "unknown key", "workers" },
		{ "timeout: 3s\n", "1:1", "belongs into an item of \"detectors\"", NULL },
		{ "workers: 1\nworkers: 2\n", "2:1", "\"workers\" stands already in line 1", NULL },
		{ "workers: many\n", "1:10", "expected a whole number from 0 to 256", NULL },
		{ "workers: -1\n", "1:10", "found \"-1\"", NULL },
		{ "workers: 257\n", "1:10", "found \"257\"", NULL },
		{ "workers:\n", "1:9", "workers: expected a single value, found nothing", NULL },
		{ "workers: [1]\n", "1:10", "expected a single value, found a list", NULL },
		{ "hash: sometimes\n", "1:7", "expected never or always", NULL },
		{ "hash: {a: b}\n", "1:7", "found a mapping", NULL },
		{ "unmatched: scna\n", "1:12", "record, scan or ignore", "scan" },
		{ "max_file_size: 10MB\n", "1:16", "a size such as 256M", NULL },
		{ "rescan_interval: 5ms\n", "1:18", "from 100ms to 1d", NULL },
		{ "history: ''\n", "1:10", "expected a path, found an empty one", NULL },
		{ "- a\n", "1:1", "expected a mapping of settings, found a list", NULL },
		{ "just words\n", "1:1", "expected a mapping of settings, found a value", NULL },
		{ "roots: /x\n", "1:8", "roots: expected a list, found a value", NULL },
		{ "roots:\n", "1:7", "roots: expected a list, found nothing", NULL },
		{ "roots:\n  - \n", "2:4", "expected a path or a mapping with \"path\"", NULL },
		{ "roots:\n  - [a]\n", "2:5", "expected a path or a mapping with \"path\"", NULL },
		{ "roots:\n  - ''\n", "2:5", "found an empty one", NULL },
		{ "roots:\n  - {mode: poll}\n", "2:5", "a root needs the key \"path\"", NULL },
		{ "roots:\n  - path: /x\n    pth: 1\n", "3:5", "unknown key \"pth\"", "path" },
		{ "roots:\n  - path: /x\n    workers: 1\n", "3:5", "belongs into the top level",
		  NULL },
		{ "roots:\n  - path: /x\n    path: /y\n", "3:5", "stands already in line 2", NULL },
		{ "roots:\n  - path: /x\n    mode: fanotify\n", "3:11", "auto, inotify or poll",
		  NULL },
		{ "roots:\n  - path: /x\n    producer: zeeek\n", "3:15", "producer: ", "zeek" },
		{ "roots:\n  - path: /x\n    producer: '(unnamed'\n", "3:15", "producer: ", NULL },
		{ "roots:\n  - path: /x\n    settle: 2 weeks\n", "3:13", "a time such as 10s",
		  NULL },
		{ "retention: 30d\n", "1:12", "expected a mapping of limits", NULL },
		{ "retention: {age: 0}\n", "1:18", "from 1s to 36500d", NULL },
		{ "retention: {disk_high: 100%}\n", "1:24", "a share such as 90% from 2% to 99%",
		  NULL },
		{ "retention: {ages: 1d}\n", "1:13", "unknown key", "age" },
		{ "disk_high: 90%\n", "1:1", "belongs into \"retention\"", NULL },
		{ "dispose: keep\n", "1:10", "expected a mapping of verdicts", NULL },
		{ "dispose: {malicios: keep}\n", "1:11", "unknown key", "malicious" },
		{ "workers: 1\n--- \nworkers: 2\n", "2:1", "a second YAML document", NULL },
		{ "workers:\t1\n\tx: 2\n", "2:1", "not YAML", NULL },
		{ "workers: \xff\n", "1:10", "UTF-8", NULL },
		{ "[a]: 1\n", "1:1", "expected a word as the key", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}

Test(config_file, bounds_roots)
{
	char text[16384] = "roots:\n";
	char *at = text + strlen(text);
	for (int i = 0; i < 257; i++)
		at += sprintf(at, "  - /r%d\n", i);
	const struct refusal refusal = { text, "2:3", "roots: more than 256", NULL };
	support_expect_refusals(&refusal, 1);
}

Test(config_file, merged_settings_count_and_errors_point_at_the_anchor)
{
	struct config *config = support_load_good("roots:\n"
						  "  - &base { path: /a, settle: 3s }\n"
						  "  - { <<: *base, path: /b }\n");
	cr_assert_eq(config->roots[1].settle_ms, 3000);
	cr_assert_str_eq(config->roots[1].path, "/b");
	config_unref(config);
	static const struct refusal refusal = { "roots:\n  - &base { path: /a, settle: x }\n"
						"  - { <<: *base, path: /b }\n",
						"2:31", "a time", NULL };
	support_expect_refusals(&refusal, 1);
}

/* Whatever the file holds, a configuration or an error that names the file comes out. */
Test(config_file, survives_garbage)
{
	static const char sample[] =
		"roots:\n  - path: /zz-carved-nowhere\n    producer: zeek\nhistory: /zz-history/x.db\n"
		"detectors:\n  - { type: command, run: [x, '{path}'], timeout: 5s }\n"
		"  - { type: noop, mime: ['a/*'] }\ndispose: { clean: keep }\n";
	static const char alphabet[] = "[]{}:,-?&*!|>'\" \n\t#x9";
	unsigned seed = 7;
	char text[sizeof sample];
	for (int round = 0; round < 3000; round++) {
		memcpy(text, sample, sizeof sample);
		for (int i = 0; i < 3; i++)
			text[(size_t)rand_r(&seed) % (sizeof sample - 1)] =
				alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
		if (round % 3 == 0)
			text[(size_t)rand_r(&seed) % (sizeof sample - 1)] = '\0';
		struct error err;
		struct config *config = support_load(text, &err);
		cr_assert(config || strncmp(err.text, support_file, strlen(support_file)) == 0,
			  "%s\n--- of\n%s", err.text, text);
		config_unref(config);
	}
}
