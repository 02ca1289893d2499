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

char *resolve_path(const char *path)
{
	char *head AUTO_FREE = xstrdup(path);
	size_t len = strlen(head);
	char *real AUTO_FREE = realpath(head, NULL);
	while (!real && len) {
		while (len && head[len - 1] != '/')
			len--;
		while (len && head[len - 1] == '/')
			len--;
		head[len] = '\0';
		real = realpath(len ? head : *path == '/' ? "/" : ".", NULL);
	}
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
