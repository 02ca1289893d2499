/*
 * doubt: could the content of a file have changed since the history's row of it was looked at,
 * without its size or mtime telling?
 *
 * mtime is whatever somebody set it to; but every write sets the inode's change time to now, and
 * nobody can set that. Pure but for the clock; any thread.
 */
#ifndef CARVED_CORE_APP_DOUBT_H
#define CARVED_CORE_APP_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/app/job.h"

struct identity;
struct known;

/** For how long before a look a change may have come after it all the same, where an event tells
 * that there was one. */
int64_t doubt_slack_after_event_ns(const struct identity *identity);
/** The same, for what hint tells. */
int64_t doubt_slack_ns(const struct identity *identity, enum job_hint hint);
/** known is the row of this very version. */
bool doubt_may_have_changed(const struct identity *identity, enum job_hint hint,
			    const struct known *known);
/** Does what the history has of this very version, met by a walk, stand without another look?
 * hashes: contents are hashed, so that another one would be told. */
bool doubt_stands(bool hashes, const struct identity *identity, const struct known *known);
/** May who has made the file be about to open it? open(2) makes the name first, and only then
 * counts the writer, so that for a moment it is empty and nobody has it. False once it was looked
 * at twice: who touches an empty file all the time does not keep it from being scanned. */
bool doubt_half_open(const struct job *job);

#endif
