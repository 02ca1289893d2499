/*
 * cursor: reads one name from left to right, by the byte classes that producers build names from.
 *
 * The forms that Zeek, Malcolm, Suricata and the others write are plain sequences of fixed words,
 * runs of letters and digits, and separators. Read this way a name costs one pass and no
 * backtracking, whatever an attacker puts into it. Every reader leaves the cursor where it was when
 * it does not match. Pure; any thread.
 */
#ifndef CARVED_CORE_ENTRY_CURSOR_H
#define CARVED_CORE_ENTRY_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/entry/entry.h"

struct cursor {
	const char *at;
	const char *end;
};

/* Classes of bytes; a set is their OR. All ASCII: producers write nothing else in these places. */
enum byte_class {
	BYTE_DIGIT = 1,
	BYTE_UPPER = 2,
	BYTE_LOWER = 4,
	BYTE_HEX = 8, /* 0-9 a-f: digests are printed in lower case */
	BYTE_UNDERSCORE = 16,
	BYTE_DOT = 32,
	BYTE_COLON = 64,
	BYTE_TOKEN_MARK =
		128, /* ! # $ & ^ + -: what RFC 6838 allows in a type name besides these */
};

#define BYTE_ALNUM (BYTE_DIGIT | BYTE_UPPER | BYTE_LOWER)
#define BYTE_SOURCE \
	(BYTE_DIGIT | BYTE_UPPER | BYTE_UNDERSCORE) /* Zeek's: HTTP, FTP_DATA, KRB_TCP */
#define BYTE_TOKEN (BYTE_ALNUM | BYTE_UNDERSCORE | BYTE_DOT | BYTE_TOKEN_MARK)

static inline struct cursor cursor_over(struct slice text)
{
	return (struct cursor){ text.at, text.at + text.len };
}

static inline bool cursor_done(const struct cursor *c)
{
	return c->at == c->end;
}

/** The bytes not read yet. */
static inline struct slice cursor_rest(const struct cursor *c)
{
	return (struct slice){ c->at, (size_t)(c->end - c->at) };
}

/** True when every byte of text is of one of the classes; true for none at all. */
bool bytes_are(struct slice text, unsigned classes);
/** Skips word, which must come next, byte for byte. */
bool cursor_skip(struct cursor *c, const char *word);
/** Reads the longest run of bytes of these classes, at least one. */
bool cursor_span(struct cursor *c, unsigned classes, struct slice *out);
/** The same, and the run has exactly len bytes. */
bool cursor_exactly(struct cursor *c, unsigned classes, size_t len, struct slice *out);
/** Reads a unique id of Zeek: its letter (F for files, C for connections) and base 62 digits. */
bool cursor_id(struct cursor *c, char letter, struct slice *out);
/** Reads SOURCE-FUID, the beginning that Zeek's scripts, Malcolm and Security Onion share. */
bool cursor_source_fuid(struct cursor *c, struct slice *out_source, struct slice *out_fuid);
/**
 * Reads ".EXT" up to the end of the name. EXT is a file name extension or, where a script knew
 * none, a MIME subtype: RFC 6838 characters, a letter or digit first.
 */
bool cursor_extension(struct cursor *c, struct slice *out);

#endif
