/* str: see str.h. */
#include "core/base/str.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void str_done(struct str *s)
{
	free(s->data);
	*s = (struct str)STR_INIT;
}

void str_reset(struct str *s)
{
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

/* Room for extra bytes and the terminating NUL. */
static void reserve(struct str *s, size_t extra)
{
	assert(extra < SIZE_MAX / 4 && s->len < SIZE_MAX / 4);
	size_t need = s->len + extra + 1;
	if (need <= s->capacity)
		return;
	size_t capacity = s->capacity ? s->capacity : 64;
	while (capacity < need)
		capacity *= 2;
	s->data = xrealloc(s->data, capacity, 1);
	s->capacity = capacity;
}

void str_append(struct str *s, const void *bytes, size_t len)
{
	reserve(s, len);
	if (len)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
}

void str_puts(struct str *s, const char *text)
{
	str_append(s, text, strlen(text));
}

void str_putc(struct str *s, char c)
{
	str_append(s, &c, 1);
}

void str_vprintf(struct str *s, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int need = vsnprintf(NULL, 0, format, args);
	if (need > 0) {
		reserve(s, (size_t)need);
		(void)vsnprintf(s->data + s->len, (size_t)need + 1, format, again);
		s->len += (size_t)need;
	}
	va_end(again);
}

void str_printf(struct str *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str_vprintf(s, format, args);
	va_end(args);
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

char *str_take(struct str *s)
{
	reserve(s, 0);
	s->data[s->len] = '\0';
	char *data = s->data;
	*s = (struct str)STR_INIT;
	return data;
}

void str_hex(struct str *s, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++) {
		str_putc(s, digits[at[i] >> 4]);
		str_putc(s, digits[at[i] & 15]);
	}
}

/* Length of the sequence that a lead byte announces, and the bits that it carries itself. */
static size_t utf8_lead(uint8_t lead, uint32_t *bits)
{
	if (lead < 0x80) {
		*bits = lead;
		return 1;
	}
	if (lead >= 0xc2 && lead < 0xe0) {
		*bits = lead & 0x1fu;
		return 2;
	}
	if (lead >= 0xe0 && lead < 0xf0) {
		*bits = lead & 0x0fu;
		return 3;
	}
	if (lead >= 0xf0 && lead < 0xf5) {
		*bits = lead & 0x07u;
		return 4;
	}
	return 0;
}

size_t utf8_decode(const void *bytes, size_t len, uint32_t *point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *at = bytes;
	uint32_t value = 0;
	size_t need = utf8_lead(at[0], &value);
	if (need == 0 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3fu);
	}
	if (value < smallest[need] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	*point = value;
	return need;
}

/* Characters that must not reach a terminal or a line-based log: C0, DEL, C1, the line and
 * paragraph separators, and the bidirectional controls that reorder what a person reads. */
static int is_unprintable(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
	       point == 0x2029 || point == 0x061c || point == 0x200e || point == 0x200f ||
	       (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
	       point == 0xfeff;
}

void str_escape(struct str *s, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t step = utf8_decode(at + i, len - i, &point);
		if (step > 0 && !is_unprintable(point)) {
			str_append(s, at + i, step);
			i += step;
			continue;
		}
		for (size_t end = i + (step ? step : 1); i < end; i++)
			str_printf(s, "\\x%02X", at[i]);
	}
}

static void json_point(struct str *s, uint32_t point)
{
	if (point >= 0x10000) {
		point -= 0x10000;
		str_printf(s, "\\u%04x\\u%04x", 0xd800u + (point >> 10), 0xdc00u + (point & 0x3ff));
	} else {
		str_printf(s, "\\u%04x", point);
	}
}

static void json_ascii(struct str *s, char c)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; i + 1 < sizeof named; i += 2) {
		if (c == named[i]) {
			str_putc(s, '\\');
			str_putc(s, named[i + 1]);
			return;
		}
	}
	if (c < 0x20 || c == 0x7f)
		json_point(s, (uint32_t)c);
	else
		str_putc(s, c);
}

void str_json(struct str *s, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	str_putc(s, '"');
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t step = utf8_decode(at + i, len - i, &point);
		if (step == 1) {
			json_ascii(s, (char)at[i]);
		} else {
			json_point(s, step ? point : 0xdc00u + at[i]);
		}
		i += step ? step : 1;
	}
	str_putc(s, '"');
}

void str_json_text(struct str *s, const char *text)
{
	if (text)
		str_json(s, text, strlen(text));
	else
		str_puts(s, "null");
}
