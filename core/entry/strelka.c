/*
 * strelka: the names of Strelka's script for Zeek (misc/zeek/extract-strelka.bro).
 *
 *	<3 to 6 digits>S^E^P<source>S^E^P<uid>S^E^P<fuid>S^E^P<orig_h>S^E^P<resp_h>S^E^P<mime>S^E^P
 *
 * Each "/" is written as %2F. A field that was not known is empty. Later versions append the SMTP
 * subject or the HTTP host and one more separator, and cut the name at 255 bytes: what stands after
 * the MIME type is free text of an attacker and is not looked at.
 */
#include <string.h>

#include "core/entry/cursor.h"
#include "core/entry/family.h"

static const char separator[] = "S^E^P";

/* Reads up to the next separator, and the separator; an empty field is left as not there. */
static bool read_field(struct cursor *c, struct slice *out)
{
	const char *end = memmem(c->at, (size_t)(c->end - c->at), separator, strlen(separator));
	if (!end)
		return false;
	if (end > c->at)
		*out = (struct slice){ c->at, (size_t)(end - c->at) };
	c->at = end + strlen(separator);
	return true;
}

static void set_media_type(struct entry *entry, struct slice mime)
{
	const char *slash = mime.at ? memmem(mime.at, mime.len, "%2F", 3) : NULL;
	if (!slash)
		return;
	entry->field[ENTRY_MEDIA_TYPE] = (struct slice){ mime.at, (size_t)(slash - mime.at) };
	entry->field[ENTRY_SUBTYPE] =
		(struct slice){ slash + 3, (size_t)(mime.at + mime.len - (slash + 3)) };
	entry_set_mime(entry);
}

enum scheme_result strelka_parse(const struct name *name, struct entry *entry)
{
	static const enum entry_field order[] = { ENTRY_PROTOCOL, ENTRY_CONN_UID, ENTRY_FUID,
						  ENTRY_ORIG_H, ENTRY_RESP_H };
	struct cursor c = cursor_over(name->base);
	struct slice number, mime = { 0 }, field[ENTRY_FIELDS] = { 0 };
	if (!cursor_span(&c, BYTE_DIGIT, &number) || number.len < 3 || number.len > 6 ||
	    !cursor_skip(&c, separator))
		return SCHEME_NO_MATCH;
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (!read_field(&c, &field[order[i]]))
			return SCHEME_NO_MATCH;
	}
	if (!read_field(&c, &mime))
		return SCHEME_NO_MATCH;
	memcpy(entry->field, field, sizeof field);
	entry->scheme = "strelka";
	set_media_type(entry, mime);
	return SCHEME_FILE;
}
