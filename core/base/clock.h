/*
 * clock: the two clocks, in types that do not mix.
 *
 * Wall time is int64_t nanoseconds since the epoch (UTC) and is for the record; a struct mono is
 * for deadlines and cannot be stepped by anyone. Any thread.
 */
#ifndef CARVED_CORE_BASE_CLOCK_H
#define CARVED_CORE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_NS_PER_S	INT64_C(1000000000)
#define CLOCK_NS_PER_MS INT64_C(1000000)

struct mono {
	int64_t ns;
};

/** Nanoseconds since the epoch, CLOCK_REALTIME. */
int64_t clock_wall_ns(void);
/** What the wall clock would say had nobody set it since this process first asked: for times in the
 * history by which something is due, or waited for. Across a restart it is the wall clock's. */
int64_t clock_steady_ns(void);
/** CLOCK_MONOTONIC now. */
struct mono mono_now(void);
/** The moment ms milliseconds after start; as far as the type reaches when that is too far. */
struct mono mono_add_ms(struct mono start, int64_t ms);
/** Milliseconds from now until then, rounded up, 0 when it has passed; fits poll(). */
int mono_ms_until(struct mono then);
bool mono_passed(struct mono then);
/** Granularity of file timestamps: one tick of the kernel's coarse clock, in nanoseconds. */
int64_t clock_tick_ns(void);

#endif
