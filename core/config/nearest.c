/*
 * nearest: see nearest.h. The distance is "optimal string alignment": insertions, deletions,
 * substitutions and swaps of neighbours each cost one. Words longer than WORD_MAX are compared by
 * their first WORD_MAX bytes, which bounds the work whatever somebody wrote.
 */
#include "core/config/nearest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 48

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same(char a, char b)
{
	return lower(a) == lower(b);
}

static size_t distance_between(const char *a, const char *b)
{
	size_t a_len = strnlen(a, WORD_MAX);
	size_t b_len = strnlen(b, WORD_MAX);
	size_t rows[3][WORD_MAX + 1];
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *above2 = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = smaller(above[j], row[j - 1]) + 1;
			row[j] = smaller(row[j], above[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = smaller(row[j], above2[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

void nearest_offer(struct nearest *nearest, const char *written, const char *candidate)
{
	size_t distance = distance_between(written, candidate);
	if (nearest->word && distance >= nearest->distance)
		return;
	size_t len = strlen(candidate);
	size_t limit = len < 4 ? 1 : len / 3 + (len % 3 != 0);
	*nearest = (struct nearest){ .word = candidate,
				     .distance = distance,
				     .close = distance <= limit };
}

struct nearest nearest_of(const char *written, const char *const *candidates, size_t count)
{
	struct nearest nearest = { 0 };
	for (size_t i = 0; i < count; i++)
		nearest_offer(&nearest, written, candidates[i]);
	return nearest;
}

const char *nearest_hint(const struct nearest *nearest, const char *what, char *buffer, size_t size)
{
	if (!nearest->word)
		*buffer = '\0';
	else if (nearest->close)
		(void)snprintf(buffer, size, " (did you mean \"%s\"?)", nearest->word);
	else
		(void)snprintf(buffer, size, " (the nearest known %s is \"%s\")", what,
			       nearest->word);
	return buffer;
}
