/*
 * pychar: characters as Python's re sees them in a file name.
 *
 * BroAPT's pattern is a Python pattern, so "broapt-exact" needs Python's \w, \s and IGNORECASE,
 * which are not PCRE2's: \w is str.isalnum() or "_", \s is str.isspace() (with U+001C to U+001F),
 * and i, k and s have partners outside of ASCII. A byte that belongs to no well-formed UTF-8
 * sequence is a lone surrogate to Python (surrogateescape): neither \w nor \s.
 *
 * Positions are byte offsets, always on the boundary of a character. Pure; any thread.
 */
#ifndef CARVED_CORE_ENTRY_PYCHAR_H
#define CARVED_CORE_ENTRY_PYCHAR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/entry/entry.h"

enum pychar_class {
	PYCHAR_OTHER = 0,
	PYCHAR_SPACE = 1,
	PYCHAR_WORD = 2
};

/** Where the run of \w that starts at from ends (from itself when there is none). */
size_t pychar_word_end(struct slice text, size_t from);
/** Where the run of \S that starts at from ends. */
size_t pychar_solid_end(struct slice text, size_t from);
/** Bytes that match word (lower-case ASCII letters and "_") at from, ignoring case; 0: no match. */
size_t pychar_literal(struct slice text, size_t from, const char *word);

#endif
