/* cursor: each reader takes what it names, and stays where it is when it does not find it. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/entry/cursor.h"

static struct slice text(const char *bytes)
{
	return (struct slice){ bytes, strlen(bytes) };
}

Test(cursor, classes_hold_exactly_their_bytes)
{
	static const struct {
		unsigned classes;
		const char *bytes;
	} cases[] = {
		{ BYTE_DIGIT, "0123456789" },
		{ BYTE_UPPER, "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
		{ BYTE_LOWER, "abcdefghijklmnopqrstuvwxyz" },
		{ BYTE_HEX, "0123456789abcdef" },
		{ BYTE_UNDERSCORE | BYTE_DOT | BYTE_COLON, "_.:" },
		{ BYTE_TOKEN_MARK, "!#$&^+-" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (int byte = 1; byte < 256; byte++) {
			char one = (char)byte;
			cr_expect_eq(bytes_are((struct slice){ &one, 1 }, cases[i].classes),
				     strchr(cases[i].bytes, byte) != NULL, "class %u, byte %d",
				     cases[i].classes, byte);
		}
	}
}

Test(cursor, a_reader_that_fails_leaves_the_cursor)
{
	struct slice name = text("HTTP-xab.exe"), out, other;
	struct cursor c = cursor_over(name);
	cr_expect_not(cursor_skip(&c, "HTTPS"));
	cr_expect_not(cursor_span(&c, BYTE_DIGIT, &out));
	cr_expect_not(cursor_exactly(&c, BYTE_UPPER, 3, &out));
	cr_expect_not(cursor_id(&c, 'F', &out));
	cr_expect_not(cursor_source_fuid(&c, &out, &other));
	cr_expect_not(cursor_extension(&c, &out));
	cr_expect_eq(c.at, name.at);
}

Test(cursor, reads_a_name_from_left_to_right)
{
	struct slice source, fuid, extension;
	struct cursor c = cursor_over(text("FTP_DATA-F1a.svg+xml"));
	cr_assert(cursor_source_fuid(&c, &source, &fuid));
	cr_expect_eq(source.len, strlen("FTP_DATA"));
	cr_expect_eq(fuid.len, strlen("F1a"));
	cr_assert(cursor_extension(&c, &extension));
	cr_expect_eq(memcmp(extension.at, "svg+xml", extension.len), 0);
	cr_expect(cursor_done(&c));
}

Test(cursor, an_extension_reaches_the_end_and_begins_with_a_letter_or_digit)
{
	static const char *const wrong[] = { "",    ".",     "exe",	"..exe",
					     ".+x", ".ex e", ".ex\xff", ".a/b" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct slice out;
		struct cursor c = cursor_over(text(wrong[i]));
		cr_expect_not(cursor_extension(&c, &out), "\"%s\"", wrong[i]);
	}
}

Test(cursor, nothing_is_read_beyond_the_end)
{
	struct slice out, other;
	struct cursor c = { "HTTP-Fab", (const char *)0 };
	c.end = c.at;
	cr_expect(cursor_done(&c));
	cr_expect_not(cursor_skip(&c, "H"));
	cr_expect_not(cursor_span(&c, BYTE_ALNUM, &out));
	cr_expect_not(cursor_source_fuid(&c, &out, &other));
	cr_expect(cursor_skip(&c, ""));
}
