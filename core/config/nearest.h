/*
 * nearest: which known word did somebody mean? Edit distance, ignoring case. Pure; any thread.
 */
#ifndef CARVED_CORE_CONFIG_NEAREST_H
#define CARVED_CORE_CONFIG_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

struct nearest {
	const char *word; /* the nearest so far, NULL: none was offered; borrowed from the caller */
	size_t distance;
	bool close; /* near enough that it was surely meant */
};

/** Offers one candidate for what was written; the first of equally near ones stays. */
void nearest_offer(struct nearest *nearest, const char *written, const char *candidate);
/** Offers count candidates. */
struct nearest nearest_of(const char *written, const char *const *candidates, size_t count);

/** Writes " (did you mean "WORD"?)", or, when it is farther off, " (the nearest known WHAT is
 * "WORD")", or nothing when there is no word, into buffer; returns buffer. */
const char *nearest_hint(const struct nearest *nearest, const char *what, char *buffer,
			 size_t size);

#endif
