/*
 * bzar: files written to SMB admin shares, as MITRE's BZAR names them (scripts/bzar_files.zeek).
 *
 *	<uid>_<fuid>__host_share_directory_name.ext
 *
 * The tail is the UNC path \\host\share\... with "_" for "\": an attacker chose it, it may hold any
 * byte. Both underscores of the UNC prefix are asked for, else "Cat_Food_recipes.txt" would match.
 */
#include <string.h>

#include "core/entry/cursor.h"
#include "core/entry/family.h"

/* What follows the last dot, when it could be an extension. */
static struct slice extension_of(struct slice tail)
{
	const char *dot = memrchr(tail.at, '.', tail.len);
	if (!dot)
		return (struct slice){ 0 };
	struct slice extension = { dot + 1, tail.len - (size_t)(dot + 1 - tail.at) };
	if (extension.len == 0 || !bytes_are(extension, BYTE_ALNUM))
		return (struct slice){ 0 };
	return extension;
}

enum scheme_result bzar_parse(const struct name *name, struct entry *entry)
{
	struct cursor c = cursor_over(name->base);
	struct slice uid, fuid;
	if (!cursor_id(&c, 'C', &uid) || !cursor_skip(&c, "_") || !cursor_id(&c, 'F', &fuid) ||
	    !cursor_skip(&c, "__") || cursor_done(&c))
		return SCHEME_NO_MATCH;
	entry->scheme = "bzar";
	entry->field[ENTRY_CONN_UID] = uid;
	entry->field[ENTRY_FUID] = fuid;
	entry->field[ENTRY_EXTENSION] = extension_of(cursor_rest(&c));
	return SCHEME_FILE;
}
