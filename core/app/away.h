/*
 * away: tells, once each, when a detector's peer goes away and when it is back.
 *
 * A peer is noticed by asking, so it is "back" with the first file that asks for it again. Any
 * thread.
 */
#ifndef CARVED_CORE_APP_AWAY_H
#define CARVED_CORE_APP_AWAY_H

#include <stddef.h>

struct engine;
struct str;

/** Logs what has changed with the detector of that index since it was last told. Asks nobody. */
void away_tell(struct engine *engine, size_t at);
/** The same for all. */
void away_tell_all(struct engine *engine);
/** Appends those that are away as a JSON array: name, since_ns, why. */
void away_json(const struct engine *engine, struct str *out);

#endif
