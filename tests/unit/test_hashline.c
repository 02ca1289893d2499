/* hashline: lines of hash lists as people and programs write them, and as they break them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/detect/hashline.h"

#define MD5    "900150983cd24fb0d6963f7d28e17f72"
#define SHA1   "A9993E364706816ABA3E25717850C26C9CD0D89D"
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static int parse(const char *text, struct hashline_headings *headings, struct hashline *out,
		 struct error *err)
{
	static char line[HASHLINE_MAX + 1];
	(void)strcpy(line, text);
	return hashline_parse(line, strlen(line), headings, out, err);
}

Test(hashline, tells_the_hash_by_its_length)
{
	static const struct {
		const char *text;
		enum hash_kind kind;
		uint8_t first, last;
		const char *signature;
	} cases[] = {
		{ SHA256, HASH_SHA256, 0xba, 0xad, "" },
		{ SHA1 "\tEvil.Doc family 7 \r", HASH_SHA1, 0xa9, 0x9d, "Evil.Doc family 7" },
		{ MD5 "  abc.txt", HASH_MD5, 0x90, 0x72, "abc.txt" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hashline_headings headings = { 0 };
		struct hashline line;
		struct error err = { 0 };
		cr_assert_eq(parse(cases[i].text, &headings, &line, &err), 1, "%s", err.text);
		cr_expect_eq(line.kind, cases[i].kind);
		cr_expect_eq(line.sum[0], cases[i].first);
		cr_expect_eq(line.sum[hash_size(line.kind) - 1], cases[i].last);
		cr_expect_str_eq(line.signature, cases[i].signature);
	}
}

Test(hashline, passes_over_comments_and_empty_lines)
{
	static const char *const lines[] = { "", "\r", " \t", "# x", "#" MD5 };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct hashline_headings headings = { 0 };
		struct hashline line;
		cr_expect_eq(parse(lines[i], &headings, &line, NULL), 0);
	}
}

Test(hashline, reads_the_lines_of_the_nsrl)
{
	struct hashline_headings headings = { 0 };
	struct hashline line;
	struct error err = { 0 };
	cr_assert_eq(parse("\"" SHA1 "\",\"" MD5 "\",\"x\"", &headings, &line, &err), 1, "%s",
		     err.text);
	cr_assert_str_eq(line.signature, "", "a name without headings: %s", line.signature);
	cr_assert_eq(parse("\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\",\"FileSize\",\"ProductCode\","
			   "\"OpSystemCode\",\"SpecialCode\"\r",
			   &headings, &line, &err),
		     0, "%s", err.text);
	cr_assert_eq(parse("\"" SHA1 "\",\"" MD5 "\",\"352441C2\",\"a \"\"b\"\", c.exe\",3,120,"
			   "\"WIN\",\"\"\r",
			   &headings, &line, &err),
		     1, "%s", err.text);
	cr_assert_eq(line.kind, HASH_SHA1);
	cr_assert_eq(line.sum[0], 0xa9);
	cr_assert_str_eq(line.signature, "a \"b\", c.exe");
	cr_assert_eq(parse("\"" MD5 "\"", &headings, &line, &err), 1);
	cr_assert_str_eq(line.signature, "");
}

Test(hashline, says_what_is_wrong)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "hello", "expected 32, 40 or 64 hex digits (an MD5, SHA-1 or SHA-256), found 0" },
		{ SHA256 "0", "found 65" },
		{ " " SHA256, "found 0" },
		{ MD5 ";x", "expected a blank after the 32 hex digits" },
		{ "\"abc\",", "found 3" },
		{ "\"" MD5 "x\"", "found 32" },
		{ "\"" MD5 ",x", "column 1 is not a well-formed value" },
		{ "\"" MD5 "\",\"x\"y", "column 2 is not a well-formed value" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hashline_headings headings = { 0 };
		struct hashline line;
		struct error err = { 0 };
		cr_expect_eq(parse(cases[i].text, &headings, &line, &err), -EINVAL, "%s",
			     cases[i].text);
		cr_expect(strstr(err.text, cases[i].words), "%s: %s", cases[i].text, err.text);
	}
}

Test(hashline, refuses_nul_bytes_and_long_signatures)
{
	struct hashline_headings headings = { 0 };
	struct hashline line;
	struct error err = { 0 };
	char nul[] = MD5 " a\0b";
	cr_assert_eq(hashline_parse(nul, sizeof nul - 1, &headings, &line, &err), -EINVAL);
	cr_assert_str_eq(err.text, "a NUL byte");
	AUTO_STR text = STR_INIT;
	str_puts(&text, MD5 " ");
	for (int i = 0; i < HASHLINE_SIGNATURE_MAX; i++)
		str_putc(&text, 'x');
	cr_assert_eq(parse(str_text(&text), &headings, &line, &err), 1);
	str_putc(&text, 'x');
	cr_assert_eq(parse(str_text(&text), &headings, &line, &err), -EINVAL);
	cr_assert(strstr(err.text, "longer than 512 bytes"), "%s", err.text);
}
