/* hashline: see hashline.h. */
#include "core/detect/hashline.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/error.h"

#define NO_DIGIT 16U

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NO_DIGIT;
}

/* How many hex digits text begins with; the sum, when they are those of a hash. */
static size_t parse_sum(const char *text, struct hashline *out, bool *out_is_hash)
{
	size_t digits = 0;
	while (digit(text[digits]) < NO_DIGIT)
		digits++;
	*out_is_hash = false;
	for (unsigned kind = 0; kind < HASH_KINDS; kind++) {
		if (digits != 2 * hash_size((enum hash_kind)kind))
			continue;
		*out_is_hash = true;
		out->kind = (enum hash_kind)kind;
		for (size_t i = 0; i < digits / 2; i++)
			out->sum[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	}
	return digits;
}

static int no_hash(size_t digits, struct error *err)
{
	return error_set(err, EINVAL,
			 "expected 32, 40 or 64 hex digits (an MD5, SHA-1 or SHA-256), found %zu",
			 digits);
}

/* Takes one value off *at, which is followed by a comma or by nothing; NULL when it is not well
 * formed. A quoted one is unquoted in its place, "" being one quotation mark (RFC 4180). */
static char *next_value(char **at)
{
	char *value = *at;
	char *from = value;
	if (*from != '"') {
		from += strcspn(from, ",");
	} else {
		char *to = value;
		for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
			if (*from == '"')
				from++;
			*to++ = *from;
		}
		if (*from != '"')
			return NULL;
		*to = '\0';
		from++;
	}
	if (*from != ',' && *from != '\0')
		return NULL;
	*at = *from ? from + 1 : from;
	*from = '\0';
	return value;
}

/* The headings come with the file: each line of them counts for what follows. */
static int parse_values(char *line, struct hashline_headings *headings, struct hashline *out,
			struct error *err)
{
	const char *first = "";
	const char *name = "";
	unsigned heading = 0;
	unsigned column = 0;
	for (char *at = line; *at;) {
		const char *value = next_value(&at);
		column++;
		if (!value)
			return error_set(err, EINVAL, "column %u is not a well-formed value",
					 column);
		if (column == 1)
			first = value;
		if (column == headings->name)
			name = value;
		if (strcmp(value, "FileName") == 0)
			heading = column;
	}
	if (strncmp(first, "SHA", 3) == 0 || strncmp(first, "MD5", 3) == 0) {
		headings->name = heading;
		return 0;
	}
	bool is_hash;
	size_t digits = parse_sum(first, out, &is_hash);
	if (!is_hash || first[digits])
		return no_hash(digits, err);
	out->signature = name;
	return 1;
}

static int parse_plain(const char *line, struct hashline *out, struct error *err)
{
	bool is_hash;
	size_t digits = parse_sum(line, out, &is_hash);
	if (!is_hash)
		return no_hash(digits, err);
	const char *rest = line + digits;
	out->signature = rest + strspn(rest, " \t");
	if (*rest && out->signature == rest)
		return error_set(err, EINVAL, "expected a blank after the %zu hex digits", digits);
	return 1;
}

int hashline_parse(char *line, size_t len, struct hashline_headings *headings, struct hashline *out,
		   struct error *err)
{
	while (len > 0 && strchr(" \t\r", line[len - 1]) && line[len - 1])
		len--;
	line[len] = '\0';
	if (len == 0 || line[0] == '#')
		return 0;
	if (strlen(line) != len)
		return error_set(err, EINVAL, "a NUL byte");
	struct hashline found = { .signature = "" };
	int result = line[0] == '"' ? parse_values(line, headings, &found, err)
				    : parse_plain(line, &found, err);
	if (result <= 0)
		return result;
	if (strlen(found.signature) > HASHLINE_SIGNATURE_MAX)
		return error_set(err, EINVAL, "the signature is longer than %d bytes",
				 HASHLINE_SIGNATURE_MAX);
	*out = found;
	return 1;
}
