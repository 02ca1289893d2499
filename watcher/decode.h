/*
 * decode: the kernel's bytes (struct inotify_event, inotify(7)) into checked records.
 *
 * An overflow is a result of its own and fills no record: its wd is -1, and a reader that looks the
 * wd up first loses it without a word. Pure; any thread.
 */
#ifndef CARVED_WATCHER_DECODE_H
#define CARVED_WATCHER_DECODE_H

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
	size_t kernel_size; /* bytes that the kernel wrote for it */
};

/** Reads the first record of len bytes; *out_size is how many of them it takes. */
enum decode_result decode_one(const void *bytes, size_t len, size_t *out_size, struct change *out);
/**
 * Makes one record of the making of a file and the close right behind it, wherever these stand in
 * len bytes: the second says all that the first does. Returns how many bytes are left; struct
 * change tells for how many of the kernel's each record stands.
 */
size_t decode_merge(void *bytes, size_t len);

#endif
