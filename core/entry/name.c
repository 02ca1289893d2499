/* name: see name.h. */
#include "core/entry/name.h"

#include <string.h>

#include "core/entry/cursor.h"

#define RSYNC_SUFFIX 7 /* ".XXXXXX" */

/* Takes the last component off path, and the slashes in front of it. */
static struct slice last_component(struct slice *path)
{
	const char *slash = path->len ? memrchr(path->at, '/', path->len) : NULL;
	const char *start = slash ? slash + 1 : path->at;
	struct slice last = { start, path->len - (size_t)(start - path->at) };
	path->len = slash ? (size_t)(slash - path->at) : 0;
	while (path->len > 0 && path->at[path->len - 1] == '/')
		path->len--;
	return last;
}

void name_split(struct name *out, const char *path, size_t len)
{
	struct slice left = { path, len };
	out->base = last_component(&left);
	out->parent = last_component(&left);
	out->grandparent = last_component(&left);
}

bool name_of_rsync(const struct name *name, struct name *out)
{
	struct slice base = name->base;
	if (base.len < 1 + 1 + RSYNC_SUFFIX || base.at[0] != '.')
		return false;
	const char *suffix = base.at + base.len - RSYNC_SUFFIX;
	if (suffix[0] != '.' ||
	    !bytes_are((struct slice){ suffix + 1, RSYNC_SUFFIX - 1 }, BYTE_ALNUM))
		return false;
	*out = *name;
	out->base = (struct slice){ base.at + 1, base.len - 1 - RSYNC_SUFFIX };
	return true;
}
