/* entry: fields by name, MIME types, order, JSON. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/str.h"
#include "core/entry/entry.h"

static struct slice text(const char *bytes)
{
	return (struct slice){ bytes, strlen(bytes) };
}

Test(entry, fields_are_found_by_their_names)
{
	for (unsigned i = 0; i < ENTRY_FIELDS; i++) {
		const char *name = entry_field_name(i);
		cr_expect_eq(entry_field_by_name(name, strlen(name)), i);
	}
	cr_expect_eq(entry_field_by_name("fuid", 3), ENTRY_FIELDS);
	cr_expect_eq(entry_field_by_name("fuids", 5), ENTRY_FIELDS);
	cr_expect_eq(entry_field_by_name("", 0), ENTRY_FIELDS);
}

Test(entry, a_mime_token_is_a_restricted_name)
{
	static const struct {
		const char *token;
		int good;
	} cases[] = {
		{ "a", 1 },	  { "0", 1 },	       { "vnd.ms-excel", 1 },
		{ "svg+xml", 1 }, { "a!#$&-^_.+", 1 }, { "", 0 },
		{ ".", 0 },	  { "..", 0 },	       { "-a", 0 },
		{ "+a", 0 },	  { "a b", 0 },	       { "a/b", 0 },
		{ "a%b", 0 },	  { "a\n", 0 },	       { "\u00e9", 0 },
		{ "a\xff", 0 },
	};

	char longest[128];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_expect_eq(entry_is_mime_token(cases[i].token, strlen(cases[i].token)),
			     cases[i].good, "\"%s\"", cases[i].token);
	memset(longest, 'a', sizeof longest);
	cr_expect(entry_is_mime_token(longest, 127));
	cr_expect_not(entry_is_mime_token(longest, 128));
	cr_expect_not(entry_is_mime_token(NULL, 0));
}

Test(entry, mime_is_lower_case_or_nothing)
{
	char longest[127];
	memset(longest, 'A', sizeof longest);
	struct entry entry = { 0 };
	entry.field[ENTRY_MEDIA_TYPE] = text("Application");
	entry.field[ENTRY_SUBTYPE] = text("VND.ms-Excel");
	entry_set_mime(&entry);
	cr_expect_str_eq(entry.mime, "application/vnd.ms-excel");
	entry.field[ENTRY_SUBTYPE] = text("..");
	entry_set_mime(&entry);
	cr_expect_str_eq(entry.mime, "");
	entry.field[ENTRY_MEDIA_TYPE] = (struct slice){ longest, sizeof longest };
	entry.field[ENTRY_SUBTYPE] = (struct slice){ longest, sizeof longest };
	entry_set_mime(&entry);
	cr_expect_eq(strlen(entry.mime), ENTRY_MIME_MAX);
	entry.field[ENTRY_SUBTYPE] = (struct slice){ 0 };
	entry_set_mime(&entry);
	cr_expect_str_eq(entry.mime, "");
}

Test(entry, paths_are_ordered_bytewise)
{
	cr_expect_lt(entry_compare("a", 1, "b", 1), 0);
	cr_expect_gt(entry_compare("\xff", 1, "b", 1), 0);
	cr_expect_lt(entry_compare("a", 1, "ab", 2), 0);
	cr_expect_gt(entry_compare("ab", 2, "a", 1), 0);
	cr_expect_eq(entry_compare("ab", 2, "ab", 2), 0);
	cr_expect_lt(entry_compare("", 0, "a", 1), 0);
	cr_expect_eq(entry_compare(NULL, 0, "", 0), 0);
}

Test(entry, json_of_a_match)
{
	AUTO_STR out = STR_INIT;
	struct entry entry = { .scheme = "broapt" };
	entry.field[ENTRY_PROTOCOL] = text("HTTP");
	entry.field[ENTRY_FUID] = text("Fa\u00e9");
	entry.field[ENTRY_PCAP] = text("\xff\"\n");
	entry.field[ENTRY_MEDIA_TYPE] = text("Text");
	entry.field[ENTRY_SUBTYPE] = text("plain");
	entry.field[ENTRY_HASH] = text("00");
	entry_set_mime(&entry);
	entry_json(&out, "d/\xe9x", 4, &entry);
	cr_expect_str_eq(
		str_text(&out),
		"{\"name\":\"d/\\udce9x\",\"match\":true,\"scheme\":\"broapt\",\"protocol\":\"HTTP\","
		"\"fuid\":\"Fa\\u00e9\",\"pcap\":\"\\udcff\\\"\\n\",\"media_type\":\"Text\","
		"\"subtype\":\"plain\",\"extension\":null,\"mime\":\"text/plain\","
		"\"conn_uid\":null,\"ts\":null,\"orig_h\":null,\"resp_h\":null,\"hash\":\"00\"}");
}

Test(entry, json_without_a_mime_type)
{
	AUTO_STR out = STR_INIT;
	struct entry entry = { .scheme = "broapt" };
	entry.field[ENTRY_MEDIA_TYPE] = text("..");
	entry_json(&out, "", 0, &entry);
	cr_expect(strstr(str_text(&out), "\"media_type\":\"..\","), "%s", str_text(&out));
	cr_expect(strstr(str_text(&out), "\"mime\":null,"), "%s", str_text(&out));
}

Test(entry, json_of_no_match)
{
	AUTO_STR out = STR_INIT;
	entry_json(&out, "mail", 4, NULL);
	cr_expect_str_eq(str_text(&out), "{\"name\":\"mail\",\"match\":false}");
}

Test(entry, a_sha256_in_the_name_is_compared_and_nothing_else)
{
	static const char same[] =
		"00ABcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567";
	static const char other[] =
		"00ABcdef0123456789abcdef0123456789abcdef0123456789abcdef01234568";
	static const unsigned char sha256[32] = {
		0x00, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
		0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
		0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
	};
	struct entry entry = { 0 };
	cr_expect_not(entry_hash_differs(&entry, sha256));
	entry.field[ENTRY_HASH] = text(same);
	cr_expect_not(entry_hash_differs(&entry, sha256));
	entry.field[ENTRY_HASH] = text(other);
	cr_expect(entry_hash_differs(&entry, sha256));
	entry.field[ENTRY_HASH].len = 32; /* an MD5 */
	cr_expect_not(entry_hash_differs(&entry, sha256));
}
