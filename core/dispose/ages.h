/*
 * ages: how old is what the history tells of, although somebody may set the clock.
 *
 * Times in the history are the wall clock's. Set forward, because it was wrong until then (a
 * machine that has asked nobody for the time yet) or by mistake, it would make all that was seen
 * before older, and have it removed. So what it was set forward by is noted, in the history too,
 * and taken off the age of what was seen before; what it is set back by is taken off that again.
 * What remains of a clock that was set back makes files stay longer. What happens to it while the
 * daemon does not run is not seen. The disposer's thread.
 */
#ifndef CARVED_CORE_DISPOSE_AGES_H
#define CARVED_CORE_DISPOSE_AGES_H

#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/dispose/choose.h"

struct ages;
struct error;

/** history is a path, of one that store_open() made. 0, or -errno with err. */
int ages_new(struct ages **out, const char *history, struct error *err);
void ages_free(struct ages *ages);
AUTO_DEFINE(ages);

/** For how many ms it has been there, when the wall clock said then_ns as it came; less than 0 when
 * that was ahead. As of the last look. */
int64_t ages_ms(const struct ages *ages, int64_t then_ns);
/** What the clocks say now: was the wall clock set? */
void ages_look(struct ages *ages, int64_t wall_ns, struct mono now);
/** As a chooser of nothing: looks, once an hour where ages matter, and has noted what it saw.
 * Borrows ages. */
struct chooser ages_chooser(struct ages *ages);

#endif
