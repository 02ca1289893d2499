/* Tests of core/config/detector_rows.c. */
#include "config_support.h"

TestSuite(detector_rows, .init = support_setup, .fini = support_teardown);

#define API "example: {report: 'true'}\n"

Test(detector_rows, read_every_type_and_their_defaults)
{
	support_write("api.yml", API);
	support_write("list", "");
	struct config *config = support_load_good(
		"detectors:\n"
		"  - { type: hashlist, file: list }\n"
		"  - { type: command, name: macros, mime: [application/msword, '*'], timeout: 5s,\n"
		"      run: [olevba, -j, '{path}'], retries: 2, retry_pause: 0, read: [rules, /etc/x],\n"
		"      network: true }\n"
		"  - type: api\n"
		"    file: api.yml\n"
		"  - type: noop\n");
	cr_assert_eq(config->detector_count, 4);
	const struct config_detector *rows = config->detectors;
	char path[400];
	snprintf(path, sizeof path, "%s/list", support_dir);
	cr_assert_str_eq(rows[0].name, "hashlist");
	cr_assert_str_eq(rows[0].file, path);
	cr_assert_null(rows[0].mime);
	cr_assert_eq(rows[0].retries, 1);
	cr_assert_eq(rows[0].timeout_ms, 60000);
	cr_assert_str_eq(rows[1].name, "macros");
	snprintf(path, sizeof path, "%s/rules", support_dir);
	cr_assert_str_eq(rows[1].read[0], path);
	cr_assert_str_eq(rows[1].read[1], "/etc/x");
	cr_assert_null(rows[1].read[2]);
	cr_assert(rows[1].network);
	cr_assert_null(rows[2].read);
	cr_assert_not(rows[2].network);
	cr_assert_str_eq(rows[1].mime[1], "*");
	cr_assert_null(rows[1].mime[2]);
	cr_assert_str_eq(rows[1].run[2], "{path}");
	cr_assert_null(rows[1].run[3]);
	cr_assert_eq(rows[1].retries, 2);
	cr_assert_eq(rows[1].retry_pause_ms, 0);
	cr_assert_eq(rows[1].timeout_ms, 5000);
	cr_assert_eq(rows[2].retries, 3);
	cr_assert_not_null(rows[2].api);
	cr_assert_eq(rows[2].line, 6);
	cr_assert_eq(rows[3].retries, 1);
	config_unref(config);
}

Test(detector_rows, no_detectors_are_allowed_when_said)
{
	struct config *config = support_load_good("detectors: []\n");
	cr_assert_eq(config->detector_count, 0);
	config_unref(config);
}

Test(detector_rows, files_have_defaults)
{
	char text[600], path[400];
	setenv("CARVED_DATA_DIR", support_dir, 1);
	support_write("bad.sha256", "");
	support_write("api.yml", API);
	snprintf(text, sizeof text, "api_root: %s\ndetectors: [{type: hashlist}, {type: api}]\n",
		 support_dir);
	struct config *config = support_load_good(text);
	snprintf(path, sizeof path, "%s/bad.sha256", support_dir);
	cr_assert_str_eq(config->detectors[0].file, path);
	snprintf(path, sizeof path, "%s/api.yml", support_dir);
	cr_assert_str_eq(config->detectors[1].file, path);
	config_unref(config);
}

static void expect_types(const char *yaml, const char *const *types)
{
	struct config *config = support_load_good(yaml);
	size_t count = 0;
	for (; types[count]; count++) {
		cr_assert_lt(count, config->detector_count);
		cr_assert_str_eq(config->detectors[count].type, types[count]);
		cr_assert_eq(config->detectors[count].line, 0);
	}
	cr_assert_eq(config->detector_count, count);
	config_unref(config);
}

#define TYPES(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(detector_rows, built_in_detectors_need_no_file)
{
	char path[400];
	setenv("CARVED_DATA_DIR", support_dir, 1);
	unsetenv("CARVED_LIBEXEC_DIR");
	support_write("bad.sha256", "");
	expect_types("workers: 1\n", TYPES("hashlist"));
	expect_types("hash: never\n", (const char *const[]){ NULL });
	/* with their helper, those that need one */
	setenv("CARVED_LIBEXEC_DIR", support_dir, 1);
	support_write("carved-detect", "");
	snprintf(path, sizeof path, "%s/carved-detect", support_dir);
	cr_assert_eq(chmod(path, 0755), 0);
	expect_types("workers: 1\n", TYPES("hashlist", "magic", "yara"));
	expect_types("hash: never\n", TYPES("magic", "yara"));
}

Test(detector_rows, clamd_is_where_debian_has_it_unless_somebody_says)
{
	struct config *config = support_load_good("detectors:\n  - type: clamd\n"
						  "  - {type: clamd, name: other, socket: "
						  "'tcp://av:3310', max_file_size: 1G}\n");
	cr_assert_eq(config->detector_count, 2);
	cr_expect_str_eq(config->detectors[0].socket, "/run/clamav/clamd.ctl");
	cr_expect_eq(config->detectors[0].max_file_size, 25 << 20);
	cr_expect_eq(config->detectors[0].retries, 3);
	cr_expect_not(config->detectors[0].if_there);
	cr_expect_str_eq(config->detectors[1].socket, "tcp://av:3310");
	cr_expect_eq(config->detectors[1].max_file_size, 1 << 30);
	config_unref(config);
}

#define D "detectors:\n  - "

Test(detector_rows, say_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ "detectors: {}\n", "1:12", "detectors: expected a list, found a mapping", NULL },
		{ "detectors:\n", "1:11", "expected a list, found nothing", NULL },
		{ D "noop\n", "2:5", "expected a mapping with \"type\"", NULL },
		{ D "{name: x}\n", "2:5", "a detector needs the key \"type\"", NULL },
		{ D "{type: hashlst}\n", "2:12", "found \"hashlst\"", "hashlist" },
		{ D "{type: [noop]}\n", "2:12", "expected a single value", NULL },
		{ D "{type: noop, socket: /x}\n", "2:18", "belongs to type clamd, not to noop",
		  NULL },
		{ D "{type: noop, max_file_size: 1M}\n", "2:18",
		  "belongs to type yara and clamd, not to noop", NULL },
		{ D "{type: clamd, max_file_size: 0}\n", "2:34", "max_file_size: expected", NULL },
		{ D "{type: noop, url: 'http://x'}\n", "2:18",
		  "belongs to type remote, not to noop", NULL },
		{ D "{type: noop, rules: /x}\n", "2:18", "belongs to type yara, not to noop",
		  NULL },
		{ D "{type: noop, network: true}\n", "2:18",
		  "\"network\" belongs to type command and api", NULL },
		{ D "{type: noop, tiemout: 1s}\n", "2:18", "unknown key \"tiemout\"", "timeout" },
		{ D "{type: noop, hash: never}\n", "2:18", "belongs into the top level", NULL },
		{ D "{type: noop, type: noop}\n", "2:18", "stands already", NULL },
		{ D "{type: noop, file: /x}\n", "2:18",
		  "belongs to type hashlist and api, not to noop", NULL },
		{ D "{type: api, run: [x]}\n", "2:17", "belongs to type command, not to api",
		  NULL },
		{ D "{type: noop, timeout: 1ms}\n", "2:27", "from 10ms to 1d", NULL },
		{ D "{type: noop, retries: 0}\n", "2:27", "from 1 to 100", NULL },
		{ D "{type: noop, name: 'a b'}\n", "2:24", "name: expected at most 64", NULL },
		{ D "{type: noop, name: ''}\n", "2:24", "found an empty one", NULL },
		{ D "{type: noop, name: "
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
		  "2:24", "name: expected at most 64", NULL },
		{ D "{type: noop}\n  - {type: noop}\n", "3:5", "line 2 is called \"noop\" already",
		  NULL },
		{ D "{type: noop, name: x}\n  - {name: x, type: noop}\n", "3:12",
		  "is called \"x\" already", NULL },
		{ D "{type: noop, mime: []}\n", "2:24", "a list of texts with at least one", NULL },
		{ D "{type: noop, mime: {a: b}}\n", "2:24", "a list of texts", NULL },
		{ D "{type: noop, mime: [a/b, [c]]}\n", "2:30", "expected a text, found a list",
		  NULL },
		{ D "{type: noop, mime: [a/b, '']}\n", "2:30",
		  "expected a text, found an empty one", NULL },
		{ D "{type: noop, mime: [a/b, pdf]}\n", "2:30", "matches no MIME type", NULL },
		{ D "{type: noop, mime: pdf}\n", "2:24", "matches no MIME type", NULL },
		{ "hash: never\n" D "{type: hashlist, file: /x}\n", "3:5", "hash is never (line 1)",
		  NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}

Test(detector_rows, errors_of_api_yml_point_into_it)
{
	struct error err;
	support_write("api.yml", "example: {report: 'true'}\nvidoe: {}\n");
	cr_assert_null(support_load("detectors: [{type: api, file: api.yml}]\n", &err));
	char words[400];
	snprintf(words, sizeof words, "%s/api.yml:2:1: unknown key \"vidoe\"", support_dir);
	cr_assert_eq(strncmp(err.text, words, strlen(words)), 0, "%s", err.text);
	cr_assert_null(support_load("detectors: [{type: api, file: none.yml}]\n", &err));
	cr_assert_not_null(strstr(err.text, "none.yml: No such file"), "%s", err.text);
}

Test(detector_rows, are_bounded)
{
	char text[8192] = "detectors:\n";
	char *at = text + strlen(text);
	for (int i = 0; i < 65; i++)
		at += sprintf(at, "  - {type: noop, name: n%d}\n", i);
	const struct refusal refusal = { text, "2:3", "detectors: more than 64", NULL };
	support_expect_refusals(&refusal, 1);
}
