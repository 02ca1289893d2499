/*
 * decode: the kernel's bytes (struct inotify_event, inotify(7)) into checked records.
 *
 * An overflow is a result of its own and fills no record: its wd is -1, and a reader that looks the
 * wd up first loses it without a word. Pure; any thread.
 */
#ifndef CARVED_WATCHER_DECODE_H
#define CARVED_WATCHER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decode_result {
	DECODE_END,	 /* no bytes left */
	DECODE_CHANGE,	 /* *out is filled */
	DECODE_OVERFLOW, /* IN_Q_OVERFLOW; *out is untouched */
	DECODE_BROKEN,	 /* not what the kernel writes; what follows cannot be read either */
};

/* One event of a watched directory. */
struct change {
	int wd; /* > 0 */
	uint32_t mask;
	uint32_t cookie;
	const char *name; /* one component, NUL-terminated, borrowed; "" when about the directory
			     itself */
	size_t name_len;
};

/** Reads the first record of len bytes; *out_size is how many of them it takes. */
enum decode_result decode_one(const void *bytes, size_t len, size_t *out_size, struct change *out);
/** Is change the making of a file, and the record behind it (the first of len bytes) the close of
 * that very file? Then the second says all that the first does: *out_size and *out are that one's.
 * False leaves them alone. */
bool decode_closed_at_once(const struct change *change, const void *bytes, size_t len,
			   size_t *out_size, struct change *out);

#endif
