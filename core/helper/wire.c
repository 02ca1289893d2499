/* wire: see wire.h. */
#include "core/helper/wire.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"

#define NUMBER_SIZE 8

void wire_put_number(struct str *out, uint64_t number)
{
	unsigned char bytes[NUMBER_SIZE];
	for (unsigned i = 0; i < NUMBER_SIZE; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	str_append(out, bytes, sizeof bytes);
}

void wire_put_bytes(struct str *out, const void *bytes, size_t len)
{
	wire_put_number(out, len);
	if (len)
		str_append(out, bytes, len);
}

void wire_put_text(struct str *out, const char *text)
{
	wire_put_bytes(out, text, text ? strlen(text) : 0);
}

static const char *take(struct wire *in, size_t len)
{
	if (in->bad || len > in->left) {
		in->bad = true;
		return NULL;
	}
	const char *at = in->at;
	in->at += len;
	in->left -= len;
	return at;
}

uint64_t wire_number(struct wire *in)
{
	const char *at = take(in, NUMBER_SIZE);
	uint64_t number = 0;
	for (unsigned i = 0; at && i < NUMBER_SIZE; i++)
		number |= (uint64_t)(unsigned char)at[i] << (8 * i);
	return number;
}

uint64_t wire_number_to(struct wire *in, uint64_t max)
{
	uint64_t number = wire_number(in);
	if (number > max)
		in->bad = true;
	return in->bad ? 0 : number;
}

struct wire_bytes wire_bytes(struct wire *in, size_t limit)
{
	uint64_t len = wire_number_to(in, limit);
	const char *at = take(in, (size_t)len);
	return (struct wire_bytes){ .at = at ? at : "", .len = at ? (size_t)len : 0 };
}

char *wire_text(struct wire *in, size_t limit)
{
	struct wire_bytes bytes = wire_bytes(in, limit);
	if (memchr(bytes.at, '\0', bytes.len))
		in->bad = true;
	return bytes.len && !in->bad ? xmemdup(bytes.at, bytes.len) : NULL;
}

bool wire_ended(const struct wire *in)
{
	return !in->bad && in->left == 0;
}
