/*
 * json_check: is this one JSON object (RFC 8259) in printable ASCII? For text that a helper wrote,
 * which goes into the history and from there to whoever asks. Pure; any thread.
 */
#ifndef CARVED_CORE_HELPER_JSON_CHECK_H
#define CARVED_CORE_HELPER_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Objects and arrays inside each other, at most. */
#define JSON_CHECK_DEPTH 32

bool json_check_object(const char *text, size_t len);

#endif
