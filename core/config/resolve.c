/* resolve: see resolve.h. Used to compare roots and the history's place; nothing is opened by what
 * it returns, so that a link exchanged meanwhile misleads only a check, never an access. */
#include "core/config/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"

/* Adds the components of rest to path, which is absolute. */
static void append_components(struct str *path, const char *rest)
{
	while (*rest) {
		size_t len = strcspn(rest, "/");
		bool stays = len == 0 || (len == 1 && *rest == '.');
		if (len == 2 && strncmp(rest, "..", 2) == 0) {
			const char *slash = strrchr(str_text(path), '/');
			path->len = slash ? (size_t)(slash - path->data) : 0;
			if (path->data)
				path->data[path->len] = '\0';
		} else if (!stays) {
			str_putc(path, '/');
			str_append(path, rest, len);
		}
		rest += len + (rest[len] == '/');
	}
}

/* The length of path without its last component and the slashes before it. */
static size_t without_last(const char *path, size_t len)
{
	while (len && path[len - 1] != '/')
		len--;
	while (len && path[len - 1] == '/')
		len--;
	return len;
}

/* realpath(3) of the longest beginning of path that has one, owned; *len: how much that is. */
static char *resolve_beginning(const char *path, size_t *len)
{
	char *head AUTO_FREE = xstrdup(path);
	*len = strlen(head);
	char *real = realpath(head, NULL);
	while (!real && *len) {
		*len = without_last(head, *len);
		head[*len] = '\0';
		real = realpath(*len ? head : *path == '/' ? "/" : ".", NULL);
	}
	return real;
}

char *resolve_path(const char *path)
{
	size_t len;
	char *real AUTO_FREE = resolve_beginning(path, &len);
	if (!real)
		return NULL;
	AUTO_STR whole = STR_INIT;
	if (strcmp(real, "/") != 0)
		str_puts(&whole, real);
	append_components(&whole, path + len);
	if (!whole.len)
		str_putc(&whole, '/');
	return str_take(&whole);
}

char *resolve_absolute(const char *path)
{
	char *here AUTO_FREE = *path == '/' ? NULL : realpath(".", NULL);
	if (!here)
		return xstrdup(path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	AUTO_STR whole = STR_INIT;
	str_printf(&whole, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
	return str_take(&whole);
}

char *resolve_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xmemdup(path, (size_t)(slash - path));
}

bool resolve_is_below(const char *inner, const char *outer)
{
	size_t len = strlen(outer);
	if (strcmp(outer, "/") == 0)
		return true;
	return strncmp(inner, outer, len) == 0 && (inner[len] == '\0' || inner[len] == '/');
}
