/*
 * str: a growing byte string, and the two ways in which carved shows hostile bytes.
 *
 * For people (tables, log, progress): control characters and invalid UTF-8 become \xNN.
 * As JSON: pure ASCII; a byte outside a well-formed UTF-8 sequence becomes the escape U+DC00 +
 * byte, as Python's surrogateescape does, so that a name survives a round trip.
 *
 * The data is always NUL-terminated once anything was appended; str_text() is never NULL.
 * Not thread-safe: one owner.
 */
#ifndef CARVED_CORE_BASE_STR_H
#define CARVED_CORE_BASE_STR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct str {
	char *data;
	size_t len;
	size_t capacity;
};

/* The text of a number that has a name. */
#define STR_EXPANDED(number) #number
#define STR_OF(number)	     STR_EXPANDED(number)

#define STR_INIT  \
	{         \
		0 \
	}

void str_done(struct str *s);

static inline void str_cleanup(struct str *s)
{
	str_done(s);
}

/** A str that is released at the end of its scope. */
#define AUTO_STR __attribute__((cleanup(str_cleanup))) struct str

/** Empties the string, keeping its memory. */
void str_reset(struct str *s);
void str_append(struct str *s, const void *bytes, size_t len);
void str_puts(struct str *s, const char *text);
void str_putc(struct str *s, char c);
void str_printf(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/** The text so far, borrowed until the next change; "" when empty. */
const char *str_text(const struct str *s);
/** Hands the text over to the caller, who frees it; the str is empty afterwards. */
char *str_take(struct str *s);

/** Appends bytes escaped for people. */
void str_escape(struct str *s, const void *bytes, size_t len);
/** Appends bytes as a JSON string with its quotes, ASCII only. */
void str_json(struct str *s, const void *bytes, size_t len);
/** The same for a C string; NULL gives null. */
void str_json_text(struct str *s, const char *text);
/** Appends bytes as lower-case hex. */
void str_hex(struct str *s, const void *bytes, size_t len);

/**
 * Decodes one UTF-8 sequence at the start of bytes (len >= 1), as RFC 3629 defines it (no
 * surrogates, nothing above U+10FFFF, no overlong forms). Returns its length, 1 to 4, and the code
 * point in *point; 0 when the first byte starts no well-formed sequence.
 */
size_t utf8_decode(const void *bytes, size_t len, uint32_t *point);

#endif
