/*
 * restoring: what a command says of files in the quarantine, beside a running daemon. Any thread.
 */
#ifndef CARVED_CORE_STORE_RESTORING_H
#define CARVED_CORE_STORE_RESTORING_H

#include <stdint.h>

struct error;

/** Removal id, which is quarantined, becomes restored, durably: that is to be said before the file
 * is where the daemon finds it. -ENOENT when it is not quarantined. */
int store_restore(const char *history, int64_t id, struct error *err);
/** It could not be restored: it is quarantined as before. */
int store_restore_undo(const char *history, int64_t id, struct error *err);

#endif
