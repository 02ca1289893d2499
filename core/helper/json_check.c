/*
 * json_check: see json_check.h.
 *
 * A value is recognised by recursion, which JSON_CHECK_DEPTH bounds. Escapes of lone surrogates are
 * let through: that is how str_json() writes bytes that are no UTF-8.
 */
#include "core/helper/json_check.h"

#include <string.h>

struct reading {
	const char *at;
	const char *end;
	unsigned depth;
};

static bool value(struct reading *reading);

static void space(struct reading *reading)
{
	while (reading->at < reading->end && *reading->at == ' ')
		reading->at++;
}

static bool accept(struct reading *reading, char c)
{
	if (reading->at == reading->end || *reading->at != c)
		return false;
	reading->at++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escape(struct reading *reading)
{
	if (reading->at == reading->end)
		return false;
	char c = *reading->at++;
	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c) != NULL;
	for (unsigned i = 0; i < 4; i++, reading->at++) {
		if (reading->at == reading->end || !is_hex(*reading->at))
			return false;
	}
	return true;
}

static bool text(struct reading *reading)
{
	if (!accept(reading, '"'))
		return false;
	while (reading->at < reading->end) {
		char c = *reading->at++;
		if (c == '"')
			return true;
		if (c == '\\' && !escape(reading))
			return false;
	}
	return false;
}

static bool digits(struct reading *reading)
{
	const char *from = reading->at;
	while (reading->at < reading->end && is_digit(*reading->at))
		reading->at++;
	return reading->at > from;
}

static bool number(struct reading *reading)
{
	(void)accept(reading, '-');
	if (!accept(reading, '0') && !digits(reading))
		return false;
	if (accept(reading, '.') && !digits(reading))
		return false;
	if (!accept(reading, 'e') && !accept(reading, 'E'))
		return true;
	if (!accept(reading, '+'))
		(void)accept(reading, '-');
	return digits(reading);
}

static bool word(struct reading *reading, const char *expected)
{
	size_t len = strlen(expected);
	if ((size_t)(reading->end - reading->at) < len || memcmp(reading->at, expected, len) != 0)
		return false;
	reading->at += len;
	return true;
}

/* One item of a list, or one member of an object (named). */
static bool item(struct reading *reading, bool named)
{
	space(reading);
	if (named) {
		if (!text(reading))
			return false;
		space(reading);
		if (!accept(reading, ':'))
			return false;
	}
	if (!value(reading))
		return false;
	space(reading);
	return true;
}

/* What stands between the brackets, and the closing one. */
static bool items(struct reading *reading, char closing)
{
	bool named = closing == '}';
	if (++reading->depth > JSON_CHECK_DEPTH)
		return false;
	space(reading);
	if (!accept(reading, closing)) {
		do {
			if (!item(reading, named))
				return false;
		} while (accept(reading, ','));
		if (!accept(reading, closing))
			return false;
	}
	reading->depth--;
	return true;
}

static bool value(struct reading *reading)
{
	space(reading);
	if (reading->at == reading->end)
		return false;
	switch (*reading->at) {
	case '{':
		reading->at++;
		return items(reading, '}');
	case '[':
		reading->at++;
		return items(reading, ']');
	case '"':
		return text(reading);
	case 't':
		return word(reading, "true");
	case 'f':
		return word(reading, "false");
	case 'n':
		return word(reading, "null");
	default:
		return number(reading);
	}
}

bool json_check_object(const char *json, size_t len)
{
	struct reading reading = { .at = json, .end = json + len };
	for (size_t i = 0; i < len; i++) {
		if (json[i] < ' ' || json[i] > '~')
			return false;
	}
	return len && *json == '{' && value(&reading) && reading.at == reading.end;
}
