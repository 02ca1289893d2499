/* disposal: what becomes of which file, by the first rule that fits; where the quarantine may lie.
 */
#include "config_support.h"
#include "core/base/str.h"
#include "core/config/disposal.h"

TestSuite(disposal, .init = support_setup, .fini = support_teardown);

Test(disposal, nothing_is_removed_unless_it_is_said)
{
	struct config *config =
		support_load_good("dispose: { clean: keep, malicious: { '*': keep } }\n");
	cr_expect(!config_disposes(config));
	cr_expect(config_disposal(config, OUTCOME_MALICIOUS, "a/b") == CONFIG_KEEP);
	config_unref(config);
	config = support_load_good("history: /zz-carved/h.db\n");
	cr_expect(!config_disposes(config) && config->disposal_count == 0);
	cr_expect_str_eq(config->quarantine, "/zz-carved/quarantine");
	config_unref(config);
}

/* What is in there is known by its path, from wherever it is asked for. */
Test(disposal, the_quarantine_is_absolute)
{
	struct config_overrides overrides = { .history = "h.db", .file = "/dev/null" };
	struct config *config = NULL;
	char want[600];
	cr_assert_eq(chdir(support_dir), 0);
	snprintf(want, sizeof want, "%s/quarantine", support_dir);
	cr_assert(config_load(&config, &overrides, NULL) == 0);
	cr_expect_str_eq(config->quarantine, want);
	config_unref(config);
	cr_assert(setenv("CARVED_QUARANTINE", "there/q", 1) == 0);
	snprintf(want, sizeof want, "%s/there/q", support_dir);
	cr_assert(config_load(&config, &overrides, NULL) == 0);
	cr_expect_str_eq(config->quarantine, want);
	config_unref(config);
}

Test(disposal, the_first_that_fits_counts)
{
	struct config *config = support_load_good(
		"dispose:\n  malicious: quarantine\n  suspicious: delete\n"
		"  clean: { 'image/svg+xml': keep, 'IMAGE/*': delete, '*': quarantine }\n"
		"  unknown: { 'text/*': delete }\n");
	cr_expect(config_disposes(config));
	cr_expect(config_disposal(config, OUTCOME_MALICIOUS, "") == CONFIG_QUARANTINE);
	cr_expect(config_disposal(config, OUTCOME_SUSPICIOUS, "a/b") == CONFIG_DELETE);
	cr_expect(config_disposal(config, OUTCOME_CLEAN, "image/svg+xml") == CONFIG_KEEP);
	cr_expect(config_disposal(config, OUTCOME_CLEAN, "image/png") == CONFIG_DELETE);
	cr_expect(config_disposal(config, OUTCOME_CLEAN, "") == CONFIG_QUARANTINE);
	cr_expect(config_disposal(config, OUTCOME_UNKNOWN, "text/plain") == CONFIG_DELETE);
	cr_expect(config_disposal(config, OUTCOME_UNKNOWN, "") == CONFIG_KEEP);
	cr_expect(config_disposal(config, OUTCOME_ERROR, "text/plain") == CONFIG_KEEP);
	cr_expect(config_disposal(config, OUTCOMES, "text/plain") == CONFIG_KEEP);
	config_unref(config);
}

Test(disposal, what_is_wrong_is_refused_at_its_place)
{
	static const struct refusal refusals[] = {
		{ "dispose: {clean: remove}\n", "1:18",
		  "clean: expected keep, delete or quarantine", NULL },
		{ "dispose: {clean: [keep]}\n", "1:18", "or a mapping of MIME types", NULL },
		{ "dispose: {clean: }\n", "1:18", "clean: expected keep, delete or quarantine",
		  NULL },
		{ "dispose: {clean: {'a/*': x}}\n", "1:26", "found \"x\"", NULL },
		{ "dispose: {clean: {'a/*': {}}}\n", "1:26", "found a mapping", NULL },
		{ "dispose: {error: delete}\n", "1:11", "unknown key", NULL },
		{ "roots: [/zz/r]\nquarantine: /zz/r/q\ndispose: {clean: delete}\n", "1:9",
		  "lies below the root", NULL },
		{ "roots: [/zz/r]\nquarantine: /zz/r\ndispose: {clean: delete}\n", "1:9",
		  "the root", NULL },
		{ "roots: [/zz/r/s]\nquarantine: /zz/r\ndispose: {clean: delete}\n", "1:9",
		  "lies above the root", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}

Test(disposal, has_so_many_rules_and_no_more)
{
	AUTO_STR yaml = STR_INIT;
	str_puts(&yaml, "dispose:\n  clean:\n");
	for (int i = 0; i < 1024; i++)
		str_printf(&yaml, "%s    'a/%d': delete\n", i == 1000 ? "  unknown:\n" : "", i);
	struct config *config = support_load_good(str_text(&yaml));
	cr_expect_eq(config->disposal_count, 1024);
	config_unref(config);
	str_puts(&yaml, "    'a/b': delete\n");
	const struct refusal refusals[] = {
		{ str_text(&yaml), "1028:12", "more than 1024 rules", NULL },
	};
	SUPPORT_EXPECT_REFUSALS(refusals);
}

Test(disposal, where_nothing_is_removed_the_quarantine_does_not_matter)
{
	config_unref(support_load_good("roots: [/zz/r]\nquarantine: /zz/r/q\n"));
}
