/*
 * sim: the whole watcher against a file system in memory, driven by a string of bytes.
 *
 * Every decision (what the tree begins as, what processes do, when they do it, how much of the
 * kernel's queue is read, when time passes) is taken from the bytes, so a run can be repeated, cut
 * short, and made by a fuzzer. When they are used up everything is let come to rest, and what the
 * watcher holds and has told is compared with what is there.
 */
#ifndef CARVED_TESTS_SIM_H
#define CARVED_TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One run. 0, or 1 when something was wrong; sim_words() says what. Not for several threads. */
int sim_run(const uint8_t *data, size_t size);
/** What was wrong with the last run; "" when nothing was. */
const char *sim_words(void);
/** What happens is written to stderr, a line each. */
void sim_speak(bool aloud);
/** Roots also go and come back, and begin anew, as by reloads: the same bytes make other runs then.
 */
void sim_reload(bool on);
/** The bytes of a numbered run; returns how many, at most size. */
size_t sim_bytes(uint64_t seed, uint8_t *out, size_t size);

#endif
