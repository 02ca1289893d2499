/*
 * announce: tells the world of a version after its commit: a log line, and with --json a line on
 * stdout.
 */
#ifndef CARVED_CORE_APP_ANNOUNCE_H
#define CARVED_CORE_APP_ANNOUNCE_H

#include "core/base/outcome.h"

struct app;
struct version;

void announce(struct app *app, const struct version *version);
/** The same for a version that was looked at again; was is the verdict that it had. */
void announce_rescan(struct app *app, const struct version *version, enum outcome was);
/** version, which has been told already, or is being told, lacks a part: the history says so now.
 * Its path and note are used. */
void announce_incomplete(struct app *app, const struct version *version);

#endif
