/*
 * malcolm: the names of Malcolm's extractor (zeek/config/extractor.zeek).
 *
 *	<source>-<fuid>-<uid or "unknown">-<YYYYmmddHHMMSS>.<ext>
 *
 * The extension falls back to the MIME subtype, so it may hold dots and "+". "unknown" stands where
 * the file had no connection; the entry then has none either.
 */
#include "core/entry/cursor.h"
#include "core/entry/family.h"

#define STAMP_DIGITS 14

enum scheme_result malcolm_parse(const struct name *name, struct entry *entry)
{
	struct cursor c = cursor_over(name->base);
	struct slice source, fuid, uid = { 0 }, stamp, extension;
	if (!cursor_source_fuid(&c, &source, &fuid) || !cursor_skip(&c, "-"))
		return SCHEME_NO_MATCH;
	if (!cursor_id(&c, 'C', &uid) && !cursor_skip(&c, "unknown"))
		return SCHEME_NO_MATCH;
	if (!cursor_skip(&c, "-") || !cursor_exactly(&c, BYTE_DIGIT, STAMP_DIGITS, &stamp) ||
	    !cursor_extension(&c, &extension))
		return SCHEME_NO_MATCH;
	entry->scheme = "malcolm";
	entry->field[ENTRY_PROTOCOL] = source;
	entry->field[ENTRY_FUID] = fuid;
	entry->field[ENTRY_CONN_UID] = uid;
	entry->field[ENTRY_TS] = stamp;
	entry->field[ENTRY_EXTENSION] = extension;
	return SCHEME_FILE;
}
