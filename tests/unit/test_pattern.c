/* pattern: a user's PCRE2 pattern. */
#include <errno.h>

#include "core/entry/pattern.h"
#include "tests/unit/entry_case.h"

Test(pattern, named_groups_are_entry_fields)
{
	static const struct entry_case cases[] = {
		{ "dir/HTTP_F1.text.html",
		  "broapt-pattern protocol=HTTP fuid=F1 media_type=text subtype=html mime=text/html" },
		{ "dir/HTTP_F1", "broapt-pattern protocol=HTTP fuid=F1" },
		{ "xHTTP/F1", "no match" },
		{ "-HTTP_F1", "no match" }, /* anchored at the start */
		{ "", "no match" },
	};
	ENTRY_CASES(
		"(?<protocol>[A-Z]+)_(?<fuid>F\\w+)(\\.(?<media_type>\\w+)\\.(?<subtype>\\w+))?",
		cases);
}

Test(pattern, matches_bytes)
{
	static const struct entry_case cases[] = {
		{ "\xff\xfe.exe", "broapt-pattern pcap=\xff\xfe extension=exe" },
		{ "\u00e9.exe", "broapt-pattern pcap=\u00e9 extension=exe" },
	};
	ENTRY_CASES("(?<pcap>..)\\.(?<extension>.*)", cases);
}

Test(pattern, other_groups_may_be_named_and_a_name_may_repeat)
{
	static const struct entry_case cases[] = {
		{ "aF1", "broapt-pattern fuid=F1" },
		{ "bF2", "broapt-pattern fuid=F2" },
	};
	ENTRY_CASES("(?J)(?<kind>\\w)(?:(?<=a)(?<fuid>F1)|(?<fuid>F2))", cases);
}

Test(pattern, says_what_is_wrong_and_where)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "(?<fuid>x", "at byte 9" },	    { "zeeek", "names no field" },
		{ "(?<kind>x)", "names no field" }, { "", "names no field" },
		{ "(*UTF)(?<fuid>x)", "UTF" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pattern *pattern = NULL;
		struct error err = { 0 };
		cr_expect_eq(pattern_new(&pattern, cases[i].text, &err), -EINVAL);
		cr_expect_null(pattern);
		cr_expect(strstr(err.text, cases[i].word), "%s: %s", cases[i].text, err.text);
	}
}

Test(pattern, has_a_longest_length)
{
	AUTO_FREE char *text = xcalloc(1, PATTERN_MAX + 2);
	memset(text, 'x', PATTERN_MAX + 1);
	memcpy(text, "(?<fuid>x)", 10);
	struct pattern *pattern = NULL;
	struct error err = { 0 };
	cr_expect_eq(pattern_new(&pattern, text, &err), -EINVAL);
	text[PATTERN_MAX] = '\0';
	cr_expect_eq(pattern_new(&pattern, text, &err), 0);
	pattern_free(pattern);
	pattern_free(NULL);
}

Test(pattern, a_name_that_exhausts_the_limits_is_no_match_and_counted)
{
	AUTO(pattern) struct pattern *pattern = NULL;
	struct error err = { 0 };
	struct entry entry = { 0 };
	char name[255];
	memset(name, 'x', sizeof name);
	cr_assert_eq(pattern_new(&pattern, "(?<fuid>(\\S+)+)[\\r\\t]", &err), 0, "%s", err.text);
	cr_expect_not(pattern_match(pattern, (struct slice){ name, sizeof name }, &entry));
	cr_expect_eq(pattern_limits_hit(pattern), 1);
	cr_expect(pattern_match(pattern, (struct slice){ "x\t", 2 }, &entry));
	cr_expect_eq(pattern_limits_hit(pattern), 1);
}

Test(pattern, a_group_that_took_no_part_is_not_there)
{
	AUTO(pattern) struct pattern *pattern = NULL;
	struct error err = { 0 };
	struct entry entry = { 0 };
	cr_assert_eq(pattern_new(&pattern, "(?<fuid>F(?<pcap>\\w))(?<hash>x)?", &err), 0);
	cr_assert(pattern_match(pattern, (struct slice){ "F1", 2 }, &entry));
	cr_expect_eq(entry.field[ENTRY_FUID].len, 2);
	cr_expect_eq(entry.field[ENTRY_PCAP].len, 1);
	cr_expect_null(entry.field[ENTRY_HASH].at);
}
