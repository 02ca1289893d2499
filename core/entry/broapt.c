/*
 * broapt: the names of BroAPT-Core, <protocol>-<fuid>.<pcap>.<type>.<subtype>.<ext>.
 *
 * "broapt-exact" is the pattern that BroAPT-App uses (file_regex.h), for those who need its
 * answers, faults included: it takes the shortest pcap, so a capture called day.one.pcap shifts the
 * MIME type.
 *
 * "broapt" asks, in this order, and takes the first that answers:
 *	1. the directory: the file lies in <type>/<subtype>/ and the name's tail says the same
 *	2. the flat mode: <stem>...<ext>, the MIME type is missing
 *	3. the uuid4 with which Core ends the pcap part: what follows is the type
 *	4. the leftmost media type among the ten that the pattern names
 *	5. the form of BroAPT's documentation, which has no pcap
 *	6. the pattern itself
 * In 1 to 5 the first dash that is followed by a fuid ends the protocol: no source of Zeek holds
 * one.
 */
#include <string.h>
#include <strings.h>

#include "core/entry/cursor.h"
#include "core/entry/family.h"
#include "core/entry/file_regex.h"
#include "core/entry/pychar.h"

#define UUID_LEN 36

/* A reader looks at what follows the fuid, from offset on; the result is the scheme's name or NULL.
 */
typedef const char *reader(const struct name *name, size_t from, struct reading *out);

static enum scheme_result fill(struct entry *entry, const struct reading *reading,
			       const char *scheme)
{
	entry->scheme = scheme;
	entry->field[ENTRY_PROTOCOL] = reading->protocol;
	entry->field[ENTRY_FUID] = reading->fuid;
	entry->field[ENTRY_PCAP] = reading->pcap;
	entry->field[ENTRY_MEDIA_TYPE] = reading->media_type;
	entry->field[ENTRY_SUBTYPE] = reading->subtype;
	entry->field[ENTRY_EXTENSION] = reading->extension;
	entry_set_mime(entry);
	return SCHEME_FILE;
}

/* The last dot of the name when an extension follows it to the end, else 0. */
static size_t extension_dot(struct slice text, size_t from, struct reading *out)
{
	size_t dot = slice_find_last(text, from, text.len, '.');
	if (dot + 1 >= text.len || pychar_solid_end(text, dot + 1) < text.len)
		return 0;
	out->extension = slice_part(text, dot + 1, text.len);
	return dot;
}

/* Steps back over ".<word>" before offset end; the offset of its dot, or 0. */
static size_t step_back(struct slice text, size_t end, struct slice word)
{
	if (end < word.len + 1)
		return 0;
	size_t dot = end - word.len - 1;
	if (text.at[dot] != '.' || strncasecmp(text.at + dot + 1, word.at, word.len) != 0)
		return 0;
	return dot;
}

static const char *read_directory(const struct name *name, size_t from, struct reading *out)
{
	struct slice text = name->base, type = name->grandparent, subtype = name->parent;
	if (!entry_is_mime_token(type.at, type.len) ||
	    !entry_is_mime_token(subtype.at, subtype.len))
		return NULL;
	size_t end = extension_dot(text, from, out);
	size_t middle = step_back(text, end, subtype);
	size_t start = step_back(text, middle, type);
	/* from - 1 is the dot behind the fuid */
	if (start < from - 1 || start == from)
		return NULL;
	out->media_type = slice_part(text, start + 1, middle);
	out->subtype = slice_part(text, middle + 1, end);
	if (start == from - 1)
		return "broapt-doc";
	out->pcap = slice_part(text, from, start);
	return "broapt";
}

static const char *read_flat(const struct name *name, size_t from, struct reading *out)
{
	struct slice text = name->base;
	size_t dot = extension_dot(text, from, out);
	if (dot < from + 3 || text.at[dot - 1] != '.' || text.at[dot - 2] != '.' ||
	    text.at[dot - 3] == '.')
		return NULL;
	out->pcap = slice_part(text, from, dot - 2);
	return "broapt-flat";
}

/* xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx (RFC 4122 section 4.4) */
static bool is_uuid4(const char *text)
{
	static const unsigned char groups[] = { 8, 4, 4, 4, 12 };
	struct cursor c = { text, text + UUID_LEN };
	struct slice digits;
	for (size_t i = 0; i < sizeof groups; i++) {
		if ((i > 0 && !cursor_skip(&c, "-")) ||
		    !cursor_exactly(&c, BYTE_HEX, groups[i], &digits))
			return false;
	}
	return text[14] == '4' && strchr("89ab", text[19]);
}

/* The dot behind the last "-<uuid4>" of the pcap part, or 0. */
static size_t uuid_dot(struct slice text, size_t from)
{
	for (size_t end = text.len;;) {
		size_t dot = slice_find_last(text, from + UUID_LEN + 1, end, '.');
		if (dot >= end)
			return 0;
		const char *uuid = text.at + dot - UUID_LEN;
		if (uuid[-1] == '-' && is_uuid4(uuid))
			return dot;
		end = dot;
	}
}

static const char *read_uuid(const struct name *name, size_t from, struct reading *out)
{
	struct slice text = name->base;
	size_t start = uuid_dot(text, from);
	size_t end = start ? extension_dot(text, start + 1, out) : 0;
	if (end == 0)
		return NULL;
	size_t middle = slice_find(text, start + 1, end, '.');
	if (middle == start + 1 || middle + 1 >= end ||
	    pychar_solid_end(text, start + 1) < text.len)
		return NULL;
	out->pcap = slice_part(text, from, start);
	out->media_type = slice_part(text, start + 1, middle);
	out->subtype = slice_part(text, middle + 1, end);
	return "broapt";
}

static const char *read_named_type(const struct name *name, size_t from, struct reading *out)
{
	struct slice text = name->base;
	size_t line_end = slice_find(text, from, text.len, '\n');
	for (size_t dot = from;;) {
		dot = slice_find(text, dot + 1, line_end, '.');
		if (dot >= line_end)
			return NULL;
		if (file_regex_named_type(text, dot + 1, out)) {
			out->pcap = slice_part(text, from, dot);
			return "broapt";
		}
	}
}

static const char *read_documented(const struct name *name, size_t from, struct reading *out)
{
	return file_regex_named_type(name->base, from, out) ? "broapt-doc" : NULL;
}

enum scheme_result broapt_parse(const struct name *name, struct entry *entry)
{
	static reader *const readers[] = { read_directory, read_flat, read_uuid, read_named_type,
					   read_documented };
	struct reading head = { 0 };
	size_t from = file_regex_head(name->base, &head);
	if (from == 0)
		return SCHEME_NO_MATCH;
	for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
		struct reading reading = head;
		const char *scheme = readers[i](name, from, &reading);
		if (scheme)
			return fill(entry, &reading, scheme);
	}
	struct reading reading = { 0 };
	return file_regex_match(name->base, &reading) ? fill(entry, &reading, "broapt")
						      : SCHEME_NO_MATCH;
}

enum scheme_result broapt_exact_parse(const struct name *name, struct entry *entry)
{
	struct reading reading = { 0 };
	return file_regex_match(name->base, &reading) ? fill(entry, &reading, "broapt-exact")
						      : SCHEME_NO_MATCH;
}
