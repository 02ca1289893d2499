/*
 * zeek: the names that Zeek (Bro) gives by default, by version, and those of its common scripts.
 *
 *	2.0 2.1	http-item_<orig>:<port>-<resp>:<port>_<orig|resp>_<n>.dat
 *		ftp-item_, irc-dcc-item_, smtp-entity_: without <orig|resp>
 *		(an IPv6 address stands in brackets)
 *	2.2 2.3	extract-<source>-<fuid>
 *	2.4 on	extract-<time>-<source>-<fuid>
 *		(time as Zeek prints it: the fraction's width varies)
 *	scripts	<source>-<fuid>.<ext>
 *		<source>-<md5, sha1 or sha256>.<ext>, renamed when complete
 *
 * The scripts' extension is a MIME subtype where they know none. One with dots is taken only in the
 * vendor tree and only as long as BroAPT's pattern, which needs three dots behind the fuid, cannot
 * read the name as its own.
 */
#include <string.h>

#include "core/entry/cursor.h"
#include "core/entry/family.h"

#define BROAPT_DOTS 3

/* <host>:<port>, an IPv6 host in brackets; out is the host without them. */
static bool read_endpoint(struct cursor *c, struct slice *out)
{
	struct slice port;
	if (cursor_skip(c, "[")) {
		if (!cursor_span(c, BYTE_HEX | BYTE_COLON | BYTE_DOT, out) || !cursor_skip(c, "]"))
			return false;
	} else if (!cursor_span(c, BYTE_DIGIT | BYTE_DOT, out)) {
		return false;
	}
	return cursor_skip(c, ":") && cursor_span(c, BYTE_DIGIT, &port);
}

/* [orig_|resp_]<n>.dat up to the end */
static bool read_item_end(struct cursor *c, bool has_side, struct slice *out_extension)
{
	struct slice number;
	if (has_side && !cursor_skip(c, "orig_") && !cursor_skip(c, "resp_"))
		return false;
	return cursor_span(c, BYTE_DIGIT, &number) && cursor_extension(c, out_extension) &&
	       out_extension->len == 3 && memcmp(out_extension->at, "dat", 3) == 0;
}

static enum scheme_result parse_item(struct cursor c, struct entry *entry)
{
	static const struct {
		const char *protocol, *rest;
		bool has_side;
	} items[] = {
		{ "http", "-item_", true },
		{ "ftp", "-item_", false },
		{ "irc-dcc", "-item_", false },
		{ "smtp", "-entity_", false },
	};

	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		struct slice orig, resp, extension;
		struct slice protocol = { c.at, strlen(items[i].protocol) };
		struct cursor at = c;
		if (!cursor_skip(&at, items[i].protocol) || !cursor_skip(&at, items[i].rest))
			continue;
		if (!read_endpoint(&at, &orig) || !cursor_skip(&at, "-") ||
		    !read_endpoint(&at, &resp) || !cursor_skip(&at, "_") ||
		    !read_item_end(&at, items[i].has_side, &extension))
			return SCHEME_NO_MATCH;
		entry->scheme = "zeek-2.0";
		entry->field[ENTRY_PROTOCOL] = protocol;
		entry->field[ENTRY_ORIG_H] = orig;
		entry->field[ENTRY_RESP_H] = resp;
		entry->field[ENTRY_EXTENSION] = extension;
		return SCHEME_FILE;
	}
	return SCHEME_NO_MATCH;
}

/* <seconds>[.<fraction>]- */
static bool read_time(struct cursor *c, struct slice *out)
{
	struct cursor ahead = *c;
	struct slice digits;
	if (!cursor_span(&ahead, BYTE_DIGIT, &digits) ||
	    (cursor_skip(&ahead, ".") && !cursor_span(&ahead, BYTE_DIGIT, &digits)))
		return false;
	struct slice time = { c->at, (size_t)(ahead.at - c->at) };
	if (!cursor_skip(&ahead, "-"))
		return false;
	*out = time;
	*c = ahead;
	return true;
}

static enum scheme_result parse_extract(struct cursor c, struct entry *entry)
{
	struct slice time = { 0 }, source, fuid;
	if (!cursor_skip(&c, "extract-"))
		return SCHEME_NO_MATCH;
	bool timed = read_time(&c, &time);
	if (!cursor_source_fuid(&c, &source, &fuid) || !cursor_done(&c))
		return SCHEME_NO_MATCH;
	entry->scheme = timed ? "zeek-2.4" : "zeek-2.2";
	entry->field[ENTRY_TS] = time;
	entry->field[ENTRY_PROTOCOL] = source;
	entry->field[ENTRY_FUID] = fuid;
	return SCHEME_FILE;
}

static bool read_digest(struct cursor *c, struct slice *out)
{
	return cursor_exactly(c, BYTE_HEX, 32, out) || cursor_exactly(c, BYTE_HEX, 40, out) ||
	       cursor_exactly(c, BYTE_HEX, 64, out);
}

/* An extension that is not BroAPT's to read: see above. */
static bool is_script_extension(struct slice extension)
{
	size_t dots = 0;
	for (size_t i = 0; i < extension.len; i++)
		dots += extension.at[i] == '.';
	return dots == 0 ||
	       (dots < BROAPT_DOTS && extension.len > 4 && memcmp(extension.at, "vnd.", 4) == 0);
}

static enum scheme_result parse_script(struct cursor c, struct entry *entry)
{
	struct slice source, fuid = { 0 }, digest = { 0 }, extension;
	if (!cursor_source_fuid(&c, &source, &fuid)) {
		if (!cursor_span(&c, BYTE_SOURCE, &source) || !cursor_skip(&c, "-") ||
		    !read_digest(&c, &digest))
			return SCHEME_NO_MATCH;
	}
	if (!cursor_extension(&c, &extension) || !is_script_extension(extension))
		return SCHEME_NO_MATCH;
	entry->scheme = fuid.at ? "zeek-source-fuid-ext" : "zeek-source-hash-ext";
	entry->field[ENTRY_PROTOCOL] = source;
	entry->field[ENTRY_FUID] = fuid;
	entry->field[ENTRY_HASH] = digest;
	entry->field[ENTRY_EXTENSION] = extension;
	return SCHEME_FILE;
}

enum scheme_result zeek_parse(const struct name *name, struct entry *entry)
{
	struct cursor c = cursor_over(name->base);
	if (cursor_done(&c))
		return SCHEME_NO_MATCH;
	switch (*c.at) {
	case 'e':
		return parse_extract(c, entry);
	case 'f':
	case 'h':
	case 'i':
	case 's':
		return parse_item(c, entry);
	default:
		return parse_script(c, entry);
	}
}
