/* cursor: see cursor.h. */
#include "core/entry/cursor.h"

#include <string.h>

#include "core/entry/byte_table.h"

#define BETWEEN(b, first, last) ((b) >= (first) && (b) <= (last))
#define IS_TOKEN_MARK(b)                                                                     \
	((b) == '!' || (b) == '#' || (b) == '$' || (b) == '&' || (b) == '^' || (b) == '+' || \
	 (b) == '-')
#define CLASSES(b)                                                                           \
	((BETWEEN(b, '0', '9') ? BYTE_DIGIT | BYTE_HEX : 0) |                                \
	 (BETWEEN(b, 'A', 'Z') ? BYTE_UPPER : 0) | (BETWEEN(b, 'a', 'z') ? BYTE_LOWER : 0) | \
	 (BETWEEN(b, 'a', 'f') ? BYTE_HEX : 0) | ((b) == '_' ? BYTE_UNDERSCORE : 0) |        \
	 ((b) == '.' ? BYTE_DOT : 0) | ((b) == ':' ? BYTE_COLON : 0) |                       \
	 (IS_TOKEN_MARK(b) ? BYTE_TOKEN_MARK : 0))

static const unsigned char classes_of[256] = BYTE_TABLE(CLASSES);

static size_t span(struct slice text, unsigned classes)
{
	size_t len = 0;
	while (len < text.len && (classes_of[(unsigned char)text.at[len]] & classes))
		len++;
	return len;
}

bool bytes_are(struct slice text, unsigned classes)
{
	return span(text, classes) == text.len;
}

bool cursor_skip(struct cursor *c, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

bool cursor_span(struct cursor *c, unsigned classes, struct slice *out)
{
	size_t len = span(cursor_rest(c), classes);
	if (len == 0)
		return false;
	*out = (struct slice){ c->at, len };
	c->at += len;
	return true;
}

bool cursor_exactly(struct cursor *c, unsigned classes, size_t len, struct slice *out)
{
	struct cursor ahead = *c;
	struct slice run;
	if (!cursor_span(&ahead, classes, &run) || run.len != len)
		return false;
	*out = run;
	*c = ahead;
	return true;
}

bool cursor_id(struct cursor *c, char letter, struct slice *out)
{
	if (cursor_done(c) || *c->at != letter)
		return false;
	size_t len = span(cursor_rest(c), BYTE_ALNUM);
	if (len < 2)
		return false;
	*out = (struct slice){ c->at, len };
	c->at += len;
	return true;
}

bool cursor_source_fuid(struct cursor *c, struct slice *out_source, struct slice *out_fuid)
{
	struct cursor ahead = *c;
	struct slice source, fuid;
	if (!cursor_span(&ahead, BYTE_SOURCE, &source) || !cursor_skip(&ahead, "-") ||
	    !cursor_id(&ahead, 'F', &fuid))
		return false;
	*out_source = source;
	*out_fuid = fuid;
	*c = ahead;
	return true;
}

bool cursor_extension(struct cursor *c, struct slice *out)
{
	struct cursor ahead = *c;
	struct slice extension;
	if (!cursor_skip(&ahead, ".") || cursor_done(&ahead) ||
	    !bytes_are((struct slice){ ahead.at, 1 }, BYTE_ALNUM) ||
	    !cursor_span(&ahead, BYTE_TOKEN, &extension) || !cursor_done(&ahead))
		return false;
	*out = extension;
	*c = ahead;
	return true;
}
