/*
 * suricata: the names of Suricata's file-store, both versions.
 *
 *	v2	XX/<sha256>, XX being the digest's first two digits
 *		XX/<sha256>.<seconds>.<id>.json		sidecar
 *		tmp/file.<id>				while it is written
 *	v1	file.<id>, file.<pid>.<id>		(removed in Suricata 6.0)
 *		the same with .meta			sidecar
 *		the same with .tmp			while it is written
 *
 * A digest outside of its directory is not taken for Suricata's: many collections name files so.
 */
#include <string.h>

#include "core/entry/cursor.h"
#include "core/entry/family.h"

static bool slice_is(struct slice text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

/* .<seconds>.<id>.json up to the end */
static bool is_json_suffix(struct cursor c)
{
	struct slice number;
	return cursor_skip(&c, ".") && cursor_span(&c, BYTE_DIGIT, &number) &&
	       cursor_skip(&c, ".") && cursor_span(&c, BYTE_DIGIT, &number) &&
	       cursor_skip(&c, ".json") && cursor_done(&c);
}

static enum scheme_result parse_v2(const struct name *name, struct entry *entry)
{
	struct cursor c = cursor_over(name->base);
	struct slice hash;
	if (!cursor_exactly(&c, BYTE_HEX, 64, &hash) || name->parent.len != 2 ||
	    memcmp(name->parent.at, hash.at, 2) != 0)
		return SCHEME_NO_MATCH;
	if (is_json_suffix(c))
		return SCHEME_SIDECAR;
	if (!cursor_done(&c))
		return SCHEME_NO_MATCH;
	entry->scheme = "suricata-v2";
	entry->field[ENTRY_HASH] = hash;
	return SCHEME_FILE;
}

/* file.<id> in tmp/ is v2's, file.<pid>.<id> is not. */
static enum scheme_result parse_numbered(const struct name *name, struct entry *entry)
{
	struct cursor c = cursor_over(name->base);
	struct slice number;
	if (!cursor_skip(&c, "file.") || !cursor_span(&c, BYTE_DIGIT, &number))
		return SCHEME_NO_MATCH;
	if (cursor_done(&c) && slice_is(name->parent, "tmp"))
		return SCHEME_WORK_FILE;
	struct cursor second = c;
	if (cursor_skip(&second, ".") && cursor_span(&second, BYTE_DIGIT, &number))
		c = second;
	bool sidecar = cursor_skip(&c, ".meta");
	bool work = cursor_skip(&c, ".tmp");
	if (!cursor_done(&c))
		return SCHEME_NO_MATCH;
	if (work)
		return SCHEME_WORK_FILE;
	if (sidecar)
		return SCHEME_SIDECAR;
	entry->scheme = "suricata-v1";
	return SCHEME_FILE;
}

enum scheme_result suricata_parse(const struct name *name, struct entry *entry)
{
	if (name->base.len > 5 && name->base.at[4] == '.')
		return parse_numbered(name, entry);
	return name->base.len >= 64 ? parse_v2(name, entry) : SCHEME_NO_MATCH;
}
