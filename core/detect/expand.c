/* expand: see expand.h. */
#include "core/detect/expand.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"

/* A name found in a text: its bytes, and how many bytes of the text it takes with its marks. */
struct reference {
	const char *name;
	size_t len;
	size_t span;
};

static struct variable *find(const struct variables *variables, const char *name, size_t len)
{
	for (size_t i = 0; i < variables->count; i++) {
		struct variable *at = &variables->items[i];
		if (strncmp(at->name, name, len) == 0 && at->name[len] == '\0')
			return at;
	}
	return NULL;
}

static const char *find_process(const struct variables *variables, const char *name, size_t len)
{
	for (char *const *at = variables->process; at && *at; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at + len + 1;
	}
	return NULL;
}

void variables_set(struct variables *variables, const char *name, const char *value, bool tainted)
{
	struct variable *at = find(variables, name, strlen(name));
	if (!at) {
		variables->items = xrealloc(variables->items, variables->count + 1, sizeof *at);
		at = &variables->items[variables->count++];
		*at = (struct variable){ .name = xstrdup(name) };
	}
	char *copy = xstrdup(value);
	free(at->value);
	at->value = copy;
	at->tainted = tainted;
}

void variables_done(struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		free(variables->items[i].name);
		free(variables->items[i].value);
	}
	free(variables->items);
	*variables = (struct variables){ 0 };
}

static bool name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* The reference that starts at text, which points at a '$'. */
static bool parse(const char *text, struct reference *out)
{
	bool braces = text[1] == '{';
	const char *name = text + (braces ? 2 : 1);
	size_t len = 0;
	while (name_byte(name[len], len == 0))
		len++;
	if (len == 0 || (braces && name[len] != '}'))
		return false;
	*out = (struct reference){ .name = name, .len = len, .span = len + (braces ? 3 : 1) };
	return true;
}

/* The value to put in place of a reference; NULL: leave it as it is written. */
static const char *resolve(const struct variables *variables, const struct reference *reference,
			   enum expand_mode mode, bool *tainted)
{
	const struct variable *own = find(variables, reference->name, reference->len);
	if (!own)
		return find_process(variables, reference->name, reference->len);
	*tainted |= own->tainted;
	return own->tainted && mode == EXPAND_TRUSTED ? NULL : own->value;
}

/* A result that is cut is one byte too long to be run: no part of a text passes for the whole. */
static void append_value(struct str *out, const char *value)
{
	size_t room = out->len <= EXPAND_MAX ? EXPAND_MAX + 1 - out->len : 0;
	str_append(out, value, strnlen(value, room));
}

char *expand(const struct variables *variables, const char *text, enum expand_mode mode,
	     bool *out_tainted)
{
	AUTO_STR out = STR_INIT;
	bool tainted = false;
	while (*text) {
		size_t plain = strcspn(text, "$");
		str_append(&out, text, plain);
		text += plain;
		struct reference reference = { .span = 1 };
		if (!*text)
			break;
		const char *value = parse(text, &reference)
					    ? resolve(variables, &reference, mode, &tainted)
					    : NULL;
		if (value)
			append_value(&out, value);
		else
			str_append(&out, text, reference.span);
		text += reference.span;
	}
	if (out_tainted)
		*out_tainted = tainted;
	return str_take(&out);
}
