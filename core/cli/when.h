/*
 * when: moments and spans as people write them on a command line. Pure.
 */
#ifndef CARVED_CORE_CLI_WHEN_H
#define CARVED_CORE_CLI_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/** "90s", "30m", "12h", "7d", "2w": a span in nanoseconds. False when text is none. */
bool when_span(const char *text, int64_t *out_ns);
/** A moment in nanoseconds since the epoch: "2026-11-24", "2026-11-24T10:00",
 * "2026-11-24T10:00:00Z" (UTC; a space may stand for the T), seconds since the epoch, or a span
 * before now_ns. False when text is none. */
bool when_moment(const char *text, int64_t now_ns, int64_t *out_ns);

#endif
