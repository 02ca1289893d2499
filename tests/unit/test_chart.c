/* chart: bars, numbers, and labels that are anything. */
#include <criterion/criterion.h>

#include "core/cli/chart.c"

#define N(array) (sizeof(array) / sizeof *(array))

static void expect_rows(struct chart chart, const struct chart_row *rows, size_t count,
			const char *wanted)
{
	AUTO_STR out = STR_INIT;
	chart_rows(&chart, rows, count, &out);
	cr_expect_str_eq(str_text(&out), wanted);
}

Test(chart, bars_are_of_the_share_of_the_largest)
{
	static const struct chart_row rows[] = {
		{ "a", "100", 100 }, { "bb", "50", 50 }, { "c", "1", 0.001 }, { "d", "0", 0 }
	};
	expect_rows((struct chart){ .width = 40 }, rows, N(rows),
		    "  a   100  #############################\n"
		    "  bb   50  ###############\n"
		    "  c     1  #\n"
		    "  d     0\n");
	static const struct chart_row eighths[] = { { "a", "8", 8 }, { "b", "1", 1 } };
	expect_rows((struct chart){ .width = 1, .utf8 = true }, eighths, N(eighths),
		    "  a  8  ████████████████████████████████\n"
		    "  b  1  ████\n");
	expect_rows((struct chart){ .width = 1, .utf8 = true }, NULL, 0, "");
}

Test(chart, labels_are_escaped_and_cut)
{
	static const struct chart_row rows[] = {
		{ "\x1b[2J\n\xff", "1", 1 },
		{ "grün", "1", 0 },
		{ "a very long name that nobody gave to a detector ever", "1", 0 },
	};
	expect_rows((struct chart){ .width = 40, .utf8 = true }, rows, N(rows),
		    "  \\x1B[2J\\x0A\\xFF            1  ████████\n"
		    "  grün                       1\n"
		    "  a very long name that no~  1\n");
	expect_rows((struct chart){ .width = 40 }, rows, N(rows),
		    "  \\x1B[2J\\x0A\\xFF            1  ########\n"
		    "  gr\\xC3\\xBCn                1\n"
		    "  a very long name that no~  1\n");
}

Test(chart, values_that_leave_no_room_are_whole_all_the_same)
{
	static const struct chart_row rows[] = {
		{ "name", "0123456789012345678901234567890123456789", 1 }
	};
	expect_rows((struct chart){ .width = 40 }, rows, 1,
		    "  ~  0123456789012345678901234567890123456789\n");
}

Test(chart, numbers)
{
	static const struct {
		int64_t number;
		const char *text;
	} cases[] = { { 0, "0" },
		      { 999, "999" },
		      { 1000, "1,000" },
		      { 1234567, "1,234,567" },
		      { -123, "-123" },
		      { -1234, "-1,234" },
		      { INT64_MAX, "9,223,372,036,854,775,807" } };

	for (size_t i = 0; i < N(cases); i++) {
		AUTO_STR out = STR_INIT;
		chart_number(&out, cases[i].number);
		cr_expect_str_eq(str_text(&out), cases[i].text);
	}
}

Test(chart, times)
{
	static const struct {
		double ms;
		const char *text;
	} cases[] = { { 0, "0.00 ms" },
		      { 1.234, "1.23 ms" },
		      { 123.4, "123 ms" },
		      { 1500, "1.5 s" },
		      { 90000, "1.5 min" } };

	for (size_t i = 0; i < N(cases); i++) {
		AUTO_STR out = STR_INIT;
		chart_time(&out, cases[i].ms);
		cr_expect_str_eq(str_text(&out), cases[i].text);
	}
}

Test(chart, the_locale_decides)
{
	cr_assert_eq(setenv("LC_ALL", "C", 1), 0);
	cr_expect_not(chart_locale_is_utf8());
	cr_assert_eq(setenv("LC_ALL", "C.UTF-8", 1), 0);
	cr_expect(chart_locale_is_utf8());
	cr_assert_eq(setenv("LC_ALL", "xx_NOWHERE.UTF-8", 1), 0);
	cr_expect_not(chart_locale_is_utf8());
}
