/* mountinfo: see mountinfo.h. */
#include "watcher/mountinfo.h"

#include <stddef.h>
#include <string.h>

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes space, tab, newline and backslash (in file system types also #) as \ooo. */
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from; to++) {
		unsigned byte = 0;
		if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3]))
			byte = (unsigned)(from[1] - '0') << 6 | (unsigned)(from[2] - '0') << 3 |
			       (unsigned)(from[3] - '0');
		if (byte > 0 && byte < 256) {
			*to = (char)byte;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The next field, its end marked; NULL at the end of the line. */
static char *field(char **rest)
{
	char *at = *rest;
	if (!at || *at == '\0')
		return NULL;
	char *end = strchr(at, ' ');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return at;
}

/* A decimal number that ends at stop; false when there is none, or none of 32 bits. */
static bool number(const char **text, char stop, uint32_t *out)
{
	uint64_t value = 0;
	const char *at = *text;
	if (*at == stop)
		return false;
	for (; *at != stop; at++) {
		if (*at < '0' || *at > '9')
			return false;
		value = value * 10 + (uint64_t)(*at - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*text = stop ? at + 1 : at;
	*out = (uint32_t)value;
	return true;
}

static bool device(const char *text, uint32_t *out)
{
	uint32_t major;
	uint32_t minor;
	if (!number(&text, ':', &major) || !number(&text, '\0', &minor))
		return false;
	*out = major << 20 ^ minor;
	return true;
}

static bool whole_number(const char *text, uint32_t *out)
{
	return text && number(&text, '\0', out);
}

bool mountinfo_parse(char *line, struct mountinfo *out)
{
	char *rest = line;
	struct mountinfo got;
	line[strcspn(line, "\n")] = '\0';
	if (!whole_number(field(&rest), &got.id) || !whole_number(field(&rest), &got.parent))
		return false;
	const char *dev = field(&rest);
	char *root = field(&rest);
	char *point = field(&rest);
	if (!dev || !root || !point || !device(dev, &got.dev) || *point != '/')
		return false;
	const char *optional = field(&rest); /* the options; then optional fields up to "-" */
	while (optional && strcmp(optional, "-") != 0)
		optional = field(&rest);
	char *type = optional ? field(&rest) : NULL;
	if (!type)
		return false;
	unescape(root);
	unescape(point);
	unescape(type);
	got.root = root;
	got.point = point;
	got.type = type;
	*out = got;
	return true;
}

/* Length without the slashes at the end: "/" has none. */
static size_t bare(const char *path)
{
	size_t len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

const char *mountinfo_below(const char *point, const char *top)
{
	size_t point_len = bare(point);
	size_t top_len = bare(top);
	size_t common = point_len < top_len ? point_len : top_len;
	if (memcmp(point, top, common) != 0)
		return NULL;
	if (point_len <= top_len)
		return point_len == top_len || top[point_len] == '/' ? point + strlen(point) : NULL;
	return point[top_len] == '/' ? point + top_len : NULL;
}
