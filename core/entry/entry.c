/* entry: see entry.h. */
#include "core/entry/entry.h"

#include <string.h>

#include "core/base/str.h"
#include "core/entry/cursor.h"

static const char *const field_names[] = {
	[ENTRY_PROTOCOL] = "protocol", [ENTRY_FUID] = "fuid",
	[ENTRY_PCAP] = "pcap",	       [ENTRY_MEDIA_TYPE] = "media_type",
	[ENTRY_SUBTYPE] = "subtype",   [ENTRY_EXTENSION] = "extension",
	[ENTRY_CONN_UID] = "conn_uid", [ENTRY_TS] = "ts",
	[ENTRY_ORIG_H] = "orig_h",     [ENTRY_RESP_H] = "resp_h",
	[ENTRY_HASH] = "hash",
};
_Static_assert(sizeof field_names / sizeof field_names[0] == ENTRY_FIELDS, "a name for each field");

const char *entry_field_name(enum entry_field field)
{
	return field_names[field];
}

enum entry_field entry_field_by_name(const char *name, size_t len)
{
	unsigned field = 0;
	while (field < ENTRY_FIELDS &&
	       (strlen(field_names[field]) != len || memcmp(field_names[field], name, len) != 0))
		field++;
	return (enum entry_field)field;
}

int entry_is_mime_token(const char *text, size_t len)
{
	return len >= 1 && len <= 127 && bytes_are((struct slice){ text, 1 }, BYTE_ALNUM) &&
	       bytes_are((struct slice){ text, len }, BYTE_TOKEN);
}

static char *lower(char *to, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		*to = text.at[i];
		if (*to >= 'A' && *to <= 'Z')
			*to = (char)(*to | 0x20);
		to++;
	}
	return to;
}

void entry_set_mime(struct entry *entry)
{
	struct slice type = entry->field[ENTRY_MEDIA_TYPE], subtype = entry->field[ENTRY_SUBTYPE];
	char *at = entry->mime;
	if (entry_is_mime_token(type.at, type.len) &&
	    entry_is_mime_token(subtype.at, subtype.len)) {
		at = lower(at, type);
		*at++ = '/';
		at = lower(at, subtype);
	}
	*at = '\0';
}

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	char lower = (char)(c >= 'A' && c <= 'F' ? c | 0x20 : c);
	const char *at = memchr(digits, lower, sizeof digits - 1);
	return at ? (int)(at - digits) : -1;
}

int entry_hash_differs(const struct entry *entry, const unsigned char sha256[32])
{
	struct slice hash = entry->field[ENTRY_HASH];
	int differs = 0;
	if (hash.len != 64)
		return 0;
	for (size_t i = 0; i < 32; i++) {
		int high = digit_value(hash.at[2 * i]);
		int low = digit_value(hash.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return 0;
		differs |= (high << 4 | low) != sha256[i];
	}
	return differs;
}

int entry_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t shorter = a_len < b_len ? a_len : b_len;
	int order = shorter ? memcmp(a, b, shorter) : 0;
	if (order)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

static void json_fields(struct str *out, const struct entry *entry, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		str_puts(out, ",\"");
		str_puts(out, field_names[i]);
		str_puts(out, "\":");
		if (entry->field[i].at)
			str_json(out, entry->field[i].at, entry->field[i].len);
		else
			str_puts(out, "null");
	}
}

void entry_json(struct str *out, const char *name, size_t len, const struct entry *entry)
{
	str_puts(out, "{\"name\":");
	str_json(out, name, len);
	if (!entry) {
		str_puts(out, ",\"match\":false}");
		return;
	}
	str_puts(out, ",\"match\":true,\"scheme\":");
	str_json_text(out, entry->scheme);
	json_fields(out, entry, ENTRY_PROTOCOL, ENTRY_CONN_UID);
	str_puts(out, ",\"mime\":");
	str_json_text(out, entry->mime[0] ? entry->mime : NULL);
	json_fields(out, entry, ENTRY_CONN_UID, ENTRY_FIELDS);
	str_putc(out, '}');
}
