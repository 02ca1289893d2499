/*
 * entry: what the name of one extracted file says, as a value (BroAPT's Entry and MIME).
 *
 * Fields are slices of the path that was parsed: nothing to free, valid as long as that path. A
 * field that a scheme lacks has at == NULL. Pure; any thread.
 */
#ifndef CARVED_CORE_ENTRY_ENTRY_H
#define CARVED_CORE_ENTRY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

struct str;

/* RFC 6838 section 4.2: type and subtype names have at most 127 characters each. */
#define ENTRY_MIME_MAX (127 + 1 + 127)

struct slice {
	const char *at; /* NULL: the scheme has no such field, or it is not there */
	size_t len;
};

enum entry_field {
	ENTRY_PROTOCOL,
	ENTRY_FUID,
	ENTRY_PCAP,
	ENTRY_MEDIA_TYPE, /* as written in the name, whatever its bytes */
	ENTRY_SUBTYPE,
	ENTRY_EXTENSION,
	ENTRY_CONN_UID,
	ENTRY_TS,
	ENTRY_ORIG_H,
	ENTRY_RESP_H,
	ENTRY_HASH, /* md5, sha1 or sha256 in the name, hex */
	ENTRY_FIELDS,
};

struct entry {
	const char *scheme; /* static; begins with one of the eight scheme words. NULL: no scheme */
	struct slice field[ENTRY_FIELDS];
	/* media_type/subtype in lower case; "" when there is none or when its characters are not
	 * RFC 6838's ("Content that is made of dots climbs out of a log directory") */
	char mime[ENTRY_MIME_MAX + 1];
	/* the producer that gives such names opens a file once: its first close is its end */
	bool closed_once;
};

/** "protocol", "fuid", ...: the names used in JSON and as columns; borrowed for ever. */
const char *entry_field_name(enum entry_field field);
/** The field called name, or ENTRY_FIELDS. */
enum entry_field entry_field_by_name(const char *name, size_t len);

/** True when text is a type or subtype name of RFC 6838 section 4.2 (restricted-name). */
int entry_is_mime_token(const char *text, size_t len);
/** Sets entry->mime from its media_type and subtype fields, or to "" (see there). */
void entry_set_mime(struct entry *entry);

/** True when the name claims a SHA-256 (the field hash has 64 hex digits) and it is not this one.
 * Names with an MD5 or SHA-1 claim something that is not computed here. */
int entry_hash_differs(const struct entry *entry, const unsigned char sha256[32]);

/** Order of two paths, bytewise, as the seed's Entry is ordered: <0, 0, >0. */
int entry_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/** Appends the one-line JSON object that `carved parse` prints for name; entry NULL: no match. */
void entry_json(struct str *out, const char *name, size_t len, const struct entry *entry);

#endif
