/*
 * wire: numbers and byte strings in one packet, written by one end and read by one that trusts it
 * in nothing.
 *
 * Numbers are eight bytes, little-endian; a string is its length and its bytes. A reader that ran
 * over the end, or met a length beyond the limit that it gave, is bad for good: it gives zeros and
 * empty strings from then on, and the caller asks once, at the end. Pure; one owner.
 */
#ifndef CARVED_CORE_HELPER_WIRE_H
#define CARVED_CORE_HELPER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

struct wire_bytes {
	const char *at; /* borrowed from the packet (or whatever it is made of) */
	size_t len;
};

struct wire {
	const char *at;
	size_t left;
	bool bad;
};

void wire_put_number(struct str *out, uint64_t number);
void wire_put_bytes(struct str *out, const void *bytes, size_t len);
/** NULL is written as "". */
void wire_put_text(struct str *out, const char *text);

uint64_t wire_number(struct wire *in);
/** A number from 0 to max; anything else is bad. */
uint64_t wire_number_to(struct wire *in, uint64_t max);
/** At most limit bytes; longer is bad. */
struct wire_bytes wire_bytes(struct wire *in, size_t limit);
/** The same as an owned C string; a NUL among the bytes is bad. "" gives NULL. */
char *wire_text(struct wire *in, size_t limit);
/** True when all was well and nothing is left over. */
bool wire_ended(const struct wire *in);

#endif
