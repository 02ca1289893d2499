#include "config_support.h"

TestSuite(engine_row, .init = support_setup, .fini = support_teardown);

#define D "detectors:\n  - "

Test(engine_row, rules_are_placed_below_the_file)
{
	char want[400];
	struct config *config =
		support_load_good(D "{type: yara, rules: [a.yar, /b], max_file_size: 2K}\n");
	snprintf(want, sizeof want, "%s/a.yar", support_dir);
	cr_assert_str_eq(config->detectors[0].rules[0], want);
	cr_assert_str_eq(config->detectors[0].rules[1], "/b");
	cr_assert_null(config->detectors[0].rules[2]);
	cr_assert_eq(config->detectors[0].max_file_size, 2048);
	config_unref(config);
	config = support_load_good(D "{type: yara, rules: one}\n");
	snprintf(want, sizeof want, "%s/one", support_dir);
	cr_assert_str_eq(config->detectors[0].rules[0], want);
	config_unref(config);
}

Test(engine_row, without_rules_the_shipped_ones_hold)
{
	char want[400];
	support_write("rules", "");
	setenv("CARVED_DATA_DIR", support_dir, 1);
	struct config *config = support_load_good(D "{type: yara}\n");
	snprintf(want, sizeof want, "%s/rules", support_dir);
	cr_assert_str_eq(config->detectors[0].rules[0], want);
	config_unref(config);
}

Test(engine_row, real_types_need_who_tells_them)
{
	struct config *config =
		support_load_good(D "{type: noop, match: real}\n  - {type: magic}\n");
	cr_assert_eq(config->detectors[0].match, CONFIG_MATCH_REAL);
	cr_assert_eq(config->detectors[1].match, CONFIG_MATCH_DECLARED);
	config_unref(config);
}

Test(engine_row, say_what_is_wrong_and_where)
{
	static const struct refusal refusals[] = {
		{ D "{type: yara, rules: []}\n", "2:25", "with at least one", NULL },
		{ D "{type: noop, match: real}\n", "2:5", "add { type: magic }", NULL },
		{ D "{type: noop, match: both}\n", "2:5", "add { type: magic }", NULL },
		{ D "{type: noop, match: reel}\n", "2:25", "declared, real or both", "real" },
		{ D "{type: noop, max_file_size: 1K}\n", "2:18", "belongs to type yara", NULL },
	};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct error err = { 0 };
		struct config *config = support_load(refusals[i].text, &err);
		support_check(&refusals[i], support_file, config ? 0 : -1, &err);
		config_unref(config);
	}
}
