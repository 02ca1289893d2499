/* pychar: Python's \w, \s and IGNORECASE, at their edges. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/entry/pychar.h"

static struct slice text(const char *bytes)
{
	return (struct slice){ bytes, strlen(bytes) };
}

Test(pychar, word_is_alphanumeric_in_unicode_or_an_underscore)
{
	static const char *const words[] = {
		"a",	  "Z",		"0",	      "_",	    "\u00aa", "\u00b2",
		"\u00bd", "\u00e9",	"\u0660",     "\u2167",	    "\u2460", "\u4e2d",
		"\uff11", "\U0001d7d8", "\U00020000", "\U0003134a",
	};
	static const char *const others[] = {
		"-",
		".",
		" ",
		"\x7f",
		"\u00d7",
		"\u0301",
		"\u203f",
		"\u200b",
		"\ue000",
		"\U0001f600",
		"\U0010ffff",
		"\x80",
		"\xff",
		"\xc0\xaf",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xe4\xb8",
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		cr_expect_eq(pychar_word_end(text(words[i]), 0), strlen(words[i]), "word %zu", i);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		cr_expect_eq(pychar_word_end(text(others[i]), 0), 0, "other %zu", i);
}

Test(pychar, space_is_what_python_strips)
{
	static const char *const spaces[] = {
		"\t",	  "\n",	    "\x0b",   "\x0c",	  "\r",	    "\x1c",   "\x1d",
		"\x1e",	  "\x1f",   " ",      "\xc2\x85", "\u00a0", "\u1680", "\u2000",
		"\u200a", "\u2028", "\u2029", "\u202f",	  "\u205f", "\u3000",
	};
	static const char *const others[] = {
		"\x01",	  "\x1b", "\x7f", "\u180e", "\u200b",	"\u2060",
		"\ufeff", "\x85", "\xa0", "\xc2",   "\xe2\x80", "\xed\xb2\x85",
	};
	for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
		cr_expect_eq(pychar_solid_end(text(spaces[i]), 0), 0, "space %zu", i);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		cr_expect_eq(pychar_solid_end(text(others[i]), 0), strlen(others[i]), "other %zu",
			     i);
}

Test(pychar, runs_end_on_the_boundary_of_a_character)
{
	struct slice mixed = text("a\u4e2d\u2003b\xff.c");
	cr_expect_eq(pychar_word_end(mixed, 0), 4);
	cr_expect_eq(pychar_solid_end(mixed, 0), 4);
	cr_expect_eq(pychar_word_end(mixed, 7), 8);
	cr_expect_eq(pychar_solid_end(mixed, 7), mixed.len);
	cr_expect_eq(pychar_word_end(mixed, mixed.len), mixed.len);
}

Test(pychar, literal_ignores_case_as_python_does)
{
	static const struct {
		const char *text, *word;
		size_t len;
	} cases[] = {
		{ "http-", "http", 4 },
		{ "HtTp", "http", 4 },
		{ "htt", "http", 0 },
		{ "httq", "http", 0 },
		{ "\u0131rc_data", "irc_data", 9 },
		{ "\u0130RC_DATA", "irc_data", 9 },
		{ "\u017fmtp", "smtp", 5 },
		{ "\u212ay", "ky", 4 },
		{ "\u212ay", "xy", 0 },
		{ "\u017f", "i", 0 },
		{ "ftp-data", "ftp_data", 0 },
		{ "FTP\x7f"
		  "DATA",
		  "ftp_data", 0 }, /* "_" has no other case */
		{ "\xc4", "i", 0 },
		{ "", "http", 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_expect_eq(pychar_literal(text(cases[i].text), 0, cases[i].word), cases[i].len,
			     "\"%s\" for %s", cases[i].text, cases[i].word);
}
