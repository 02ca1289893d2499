/* str: growing bytes, and the two ways of showing hostile ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"

Test(str, empty_is_a_text_too)
{
	AUTO_STR s = STR_INIT;
	cr_assert_str_eq(str_text(&s), "");
	str_append(&s, NULL, 0);
	cr_assert_str_eq(str_text(&s), "");
	cr_assert_eq(s.len, 0u);
	AUTO_FREE char *taken = str_take(&s);
	cr_assert_str_eq(taken, "");
}

Test(str, grows_byte_by_byte_and_stays_terminated)
{
	AUTO_STR s = STR_INIT;
	for (size_t i = 0; i < 5000; i++) {
		str_putc(&s, (char)('a' + i % 26));
		cr_assert_eq(s.len, i + 1);
		cr_assert_eq(s.data[s.len], '\0');
	}
	cr_assert_eq(s.data[4999], (char)('a' + 4999 % 26));
	str_reset(&s);
	cr_assert_str_eq(str_text(&s), "");
}

Test(str, appends_of_every_kind)
{
	AUTO_STR s = STR_INIT;
	str_puts(&s, "ab");
	str_append(&s, "c\0d", 3);
	str_printf(&s, "%d-%s", 42, "x");
	str_printf(&s, "%s", "");
	str_hex(&s, "\x00\xff\x1a", 3);
	cr_assert_eq(s.len, 15u);
	cr_assert_eq(memcmp(s.data, "abc\0d42-x00ff1a", 16), 0);
	AUTO_FREE char *taken = str_take(&s);
	cr_assert_eq(taken[14], 'a');
	cr_assert_null(s.data);
}

Test(str, printf_of_more_than_fits)
{
	AUTO_STR s = STR_INIT;
	char wide[700];
	memset(wide, 'w', sizeof wide - 1);
	wide[sizeof wide - 1] = '\0';
	str_printf(&s, "%s%s", wide, wide);
	cr_assert_eq(s.len, 2 * strlen(wide));
}

struct text_case {
	const char *in;
	size_t len;
	const char *out;
};

#define CASE(in, out)                       \
	{                                   \
		(in), sizeof(in) - 1, (out) \
	}

static void check(const struct text_case *cases, size_t count,
		  void (*show)(struct str *s, const void *bytes, size_t len))
{
	for (size_t i = 0; i < count; i++) {
		AUTO_STR s = STR_INIT;
		show(&s, cases[i].in, cases[i].len);
		cr_assert_str_eq(str_text(&s), cases[i].out, "case %zu: %s, not %s", i,
				 str_text(&s), cases[i].out);
	}
}

Test(str, escape_for_people)
{
	static const struct text_case cases[] = {
		CASE("", ""),
		CASE("plain name.pdf", "plain name.pdf"),
		CASE("a\nb\r\t\x1b[31m\x7f", "a\\x0Ab\\x0D\\x09\\x1B[31m\\x7F"),
		CASE("a\0b", "a\\x00b"),
		CASE("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"),
		CASE("\xff\xfe", "\\xFF\\xFE"),
		CASE("\xc3", "\\xC3"),				  /* cut off */
		CASE("\xc0\xaf", "\\xC0\\xAF"),			  /* overlong slash */
		CASE("\xed\xa0\x80", "\\xED\\xA0\\x80"),	  /* surrogate */
		CASE("\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"), /* above U+10FFFF */
		CASE("\xc2\x9b"
		     "31m",
		     "\\xC2\\x9B31m"), /* C1: CSI */
		CASE("\xe2\x80\xae"
		     "fdp.exe",
		     "\\xE2\\x80\\xAE"
		     "fdp.exe"),		/* right-to-left override */
		CASE("\xd8\x9c", "\\xD8\\x9C"), /* Arabic letter mark, a bidirectional control */
		CASE("\xe2\x81\xa6", "\\xE2\\x81\\xA6"), /* left-to-right isolate */
		CASE("\xe2\x80\xa8", "\\xE2\\x80\\xA8"), /* line separator */
		CASE("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"),
	};
	check(cases, sizeof cases / sizeof *cases, str_escape);
}

Test(str, json_is_ascii_and_keeps_every_byte)
{
	static const struct text_case cases[] = {
		CASE("", "\"\""),
		CASE("a\"b\\c/", "\"a\\\"b\\\\c/\""),
		CASE("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
		CASE("\0\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\\u007f\""),
		CASE("\xc3\xbc", "\"\\u00fc\""),
		CASE("\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\""),
		CASE("\xff", "\"\\udcff\""),
		CASE("\x80", "\"\\udc80\""),
		CASE("\xed\xb3\xbf",
		     "\"\\udced\\udcb3\\udcbf\""), /* an encoded surrogate is no character */
		CASE("\xe2\x82", "\"\\udce2\\udc82\""),
	};
	check(cases, sizeof cases / sizeof *cases, str_json);
}

Test(str, json_of_null_is_null)
{
	AUTO_STR s = STR_INIT;
	str_json_text(&s, NULL);
	str_json_text(&s, "x");
	cr_assert_str_eq(str_text(&s), "null\"x\"");
}

/* The encoder of RFC 3629's table, written the other way round. */
static size_t encode(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)(marks[len] | point);
	return len;
}

Test(str, utf8_decodes_every_code_point_and_no_surrogate)
{
	for (uint32_t point = 0; point <= 0x10ffff; point++) {
		char bytes[4];
		size_t len = encode(point, bytes);
		uint32_t got = 0;
		size_t step = utf8_decode(bytes, len, &got);
		if (point >= 0xd800 && point < 0xe000) {
			cr_assert_eq(step, 0u);
			continue;
		}
		if (step != len || got != point)
			cr_assert(false, "U+%04X: %zu bytes, U+%04X", point, step, got);
		if (len > 1)
			cr_assert_eq(utf8_decode(bytes, len - 1, &got), 0u);
	}
}

Test(str, utf8_refuses_every_two_byte_overlong_form_and_bad_lead)
{
	for (unsigned lead = 0x80; lead < 0x100; lead++) {
		unsigned char bytes[4] = { (unsigned char)lead, 0x80, 0x80, 0x80 };
		uint32_t point = 0;
		size_t step = utf8_decode(bytes, sizeof bytes, &point);
		bool good = (lead >= 0xc2 && lead < 0xe0) || (lead > 0xe0 && lead < 0xf0) ||
			    (lead > 0xf0 && lead < 0xf5);
		/* 0xed 0x80, 0xf4 0x80 are well formed; 0xe0 0x80 and 0xf0 0x80 are overlong */
		cr_assert_eq(step > 0, good, "lead %02x", lead);
	}
}
