/*
 * securityonion: the names of Security Onion's extract.zeek, both stages.
 *
 *	extracted/<source>-<fuid>.<ext>		while Zeek writes, and until it is found whole
 *	complete/<source>-<fuid>-<md5>.<ext>	a copy of what was whole
 *
 * The first stage is also the form of other Zeek scripts: where every scheme is tried, zeek comes
 * before this one and takes it.
 */
#include <string.h>

#include "core/entry/cursor.h"
#include "core/entry/family.h"

#define MD5_DIGITS 32

enum scheme_result securityonion_parse(const struct name *name, struct entry *entry)
{
	struct cursor c = cursor_over(name->base);
	struct slice source, fuid, md5 = { 0 }, extension;
	if (!cursor_source_fuid(&c, &source, &fuid))
		return SCHEME_NO_MATCH;
	if (cursor_skip(&c, "-") && !cursor_exactly(&c, BYTE_HEX, MD5_DIGITS, &md5))
		return SCHEME_NO_MATCH;
	if (!cursor_extension(&c, &extension) || memchr(extension.at, '.', extension.len))
		return SCHEME_NO_MATCH;
	entry->scheme = md5.at ? "securityonion-complete" : "securityonion-extracted";
	entry->field[ENTRY_PROTOCOL] = source;
	entry->field[ENTRY_FUID] = fuid;
	entry->field[ENTRY_HASH] = md5;
	entry->field[ENTRY_EXTENSION] = extension;
	return SCHEME_FILE;
}
