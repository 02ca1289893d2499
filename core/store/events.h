/*
 * events: what sinks are to tell, noted in the transaction in which it happens. Private to this
 * room; sinks read by event_reader.h.
 *
 * The writing connection has temporary triggers on version for it, so that no way in which a row
 * gets its end is left out, and none costs anything while there is no sink.
 */
#ifndef CARVED_CORE_STORE_EVENTS_H
#define CARVED_CORE_STORE_EVENTS_H

#include "core/base/mem.h"

struct db;
struct error;
struct events;
struct store_told;

/** On the daemon's writing connection, once. sinks (NULL-terminated) are those that there are from
 * now on: a new one is told what happens from now on, and what waits for one that there is no more
 * is forgotten. NULL: those of the last start stay, for whoever tells them next. */
int events_begin(const struct db *db, const char *const *sinks, struct error *err);

/** The statements, on a connection that outlives them. */
int events_new(struct events **out, const struct db *db, struct error *err);
void events_free(struct events *events);
AUTO_DEFINE(events);

/** See STORE_TOLD. SQLITE_OK, or the failure's code. */
int events_told(struct events *events, struct store_told *told);

#endif
