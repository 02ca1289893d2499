/*
 * file_regex: BroAPT's FILE_REGEX, answered as Python's re answers it, in linear time.
 *
 *	(?P<protocol>DTLS|FTP_DATA|HTTP|IRC_DATA|SMTP|\S+) - (?P<fuid>F\w+) \. (?P<pcap>.+?) \.
 *	(?P<media_type>application|audio|...|video|\S+) \. (?P<subtype>\S+) \. (?P<extension>\S+)
 *
 * A backtracking engine takes time that grows with a high power of the number of dots and dashes in
 * a name that does not match, and attackers choose names. What the engine would find is decided by
 * few facts, so it is computed instead of searched:
 *
 *   - \w holds neither "." nor "-": behind a "-" there is one fuid or none, and no two overlap.
 *   - The last three groups lie in one run of \S. Greedy, they cut it at the last dot that leaves
 *     an extension, and at the last one before it that leaves a subtype; only a media type that is
 *     spelled out in the pattern comes before that second choice.
 *   - Hence a run that fails at one place fails at every later place of it, and each run is
 *     looked at once.
 *
 * Positions are byte offsets. Pure; any thread.
 */
#ifndef CARVED_CORE_ENTRY_FILE_REGEX_H
#define CARVED_CORE_ENTRY_FILE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/entry/entry.h"

/* A way to read a name: where its parts lie. */
struct reading {
	struct slice protocol, fuid, pcap, media_type, subtype, extension;
};

/** The pattern's own answer, matched at the start of text as re.match() does. */
bool file_regex_match(struct slice text, struct reading *out);

/**
 * The leftmost place where protocol, "-", fuid and "." match; fills these two fields. Returns the
 * offset behind the dot, 0 when there is none.
 */
size_t file_regex_head(struct slice text, struct reading *out);

/**
 * Reads MEDIA.SUBTYPE.EXTENSION at from, MEDIA being one of the ten that the pattern names; fills
 * these three fields.
 */
bool file_regex_named_type(struct slice text, size_t from, struct reading *out);

/** The part of text from offset from to offset to. */
static inline struct slice slice_part(struct slice text, size_t from, size_t to)
{
	return (struct slice){ text.at + from, to - from };
}

/** The offset of the first byte in [from, to), or to. */
size_t slice_find(struct slice text, size_t from, size_t to, char byte);
/** The offset of the last byte in [from, to), or to. */
size_t slice_find_last(struct slice text, size_t from, size_t to, char byte);

#endif
