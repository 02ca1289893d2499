/*
 * error: one failure with words, on the caller's stack, nothing to free.
 *
 * The house's error model: a function returns 0 when done; a negative value is -errno and is
 * forwarded unchanged; a positive value is that function's own enum and is handled by the caller.
 * Where strerror() would not explain the failure, the last parameter is a struct error.
 *
 * Any thread.
 */
#ifndef CARVED_CORE_BASE_ERROR_H
#define CARVED_CORE_BASE_ERROR_H

#include <stdbool.h>

struct error {
	int code;	/* errno-style, positive */
	char text[512]; /* for people; may hold raw bytes of names, escape it when showing it */
};

/** Fills err (may be NULL) with code and text; returns -code, to be returned at once. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Puts "context: " in front of err's text; returns -err->code. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** True when an errno value says something of us, not of what was asked for: no descriptors, no
 * memory. */
bool error_is_ours(int code);

/** True when errno value code says that a path below a root leads nowhere, or led out of the root:
 * a directory on the way was moved away while openat2(2), RESOLVE_BENEATH, followed it (EXDEV). */
bool error_is_absence(int code);

/** strerror() that is safe in threads: the text of errno value code, static or in a buffer of this
 * thread, valid until the thread's next call. */
const char *error_text(int code);

/** What the operator can do about a file of ours that could not be made or opened with errno value
 * code, for the end of a message: ": make the directory", or "". Static. */
const char *error_mend(int code);

#endif
