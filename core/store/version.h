/*
 * version: one content of one file at one path, as history knows it: a row of "file".
 *
 * A plain value with one owner at a time; it is handed from the loop to a worker to the store's
 * writer and back, never shared. path is owned; the entry's slices point into path.
 */
#ifndef CARVED_CORE_STORE_VERSION_H
#define CARVED_CORE_STORE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/identity.h"
#include "core/base/mem.h"
#include "core/base/outcome.h"
#include "core/entry/entry.h"

enum version_state {
	VERSION_QUEUED,
	VERSION_DONE,
	VERSION_UNSCANNED,
	VERSION_STATES
};

enum version_reason {
	REASON_NONE,
	REASON_VANISHED,
	REASON_UNREADABLE,
	REASON_NOT_REGULAR,
	REASON_OVERSIZE,
	REASON_UNMATCHED,
	REASON_NO_DETECTOR,
	REASON_FAILED,
	REASON_SHED,
	REASONS,
};

/* What a queued version waits for. */
enum version_wait {
	WAIT_NOTHING, /* for a worker */
	WAIT_WRITER,  /* somebody has it open for writing */
	WAIT_SETTLE,  /* size and mtime must rest, where leases do not work */
	WAIT_RETRY,   /* a detector failed; another attempt comes at due_ns */
	WAITS,
};

struct version {
	int64_t id; /* row id, 0: not in the history yet. Written by the store's writer only */
	char *path; /* root as written, slash, rest; NUL-terminated raw bytes; owned */
	size_t path_len;
	size_t dir_len; /* the base name begins at path + dir_len + 1 */
	struct entry entry;
	struct identity identity;
	unsigned
		content; /* which of several under one size and time. The store's writer gives it */
	enum version_state state;
	enum version_reason reason;
	enum outcome verdict; /* OUTCOMES: none */
	bool has_sha256;
	uint8_t sha256[32];
	char *real_mime; /* what the content is, as a detector told; NULL: not known; owned */
	int64_t first_seen_ns;
	int64_t checked_ns;  /* wall time of the look before its content was read; 0: none */
	int64_t finished_ns; /* 0 while queued */
	int64_t due_ns;	     /* queued: not before this wall time; 0: now */
	enum version_wait wait;
	unsigned attempt; /* attempts made so far; a later one has another number, whatever happens
			   */
	unsigned tries; /* of them, those since it was queued, or queued again: retries are counted
			   by it */
	int64_t away_since_ns; /* queued: since when it waits for a detector that is away; 0: it
				  does not */
	bool incomplete; /* the sensor's file lacks a part; never taken back once it is recorded */
	char *note;	 /* words for the reason ("Permission denied"), NULL: none; owned */
	struct finding *findings; /* those not yet in the history; owned */
	size_t finding_count;
};

struct version *version_new(const char *path, size_t path_len);
void version_free(struct version *version);
AUTO_DEFINE(version);
/** Another path for the same version; the entry is emptied, as its slices pointed into the old one.
 */
void version_set_path(struct version *version, const char *path, size_t path_len);
/** A copy of everything but the findings, slices pointing into the copy's own path. */
struct version *version_clone(const struct version *version);
/** Moves finding into version. */
void version_add_finding(struct version *version, struct finding *finding);
const char *version_name(const struct version *version, size_t *len);
/** The version's file lacks a part: words say how that is known, and stand in its note, behind what
 * stands there already. Words that are there are not repeated. */
void version_set_incomplete(struct version *version, const char *words);

/** "queued", "vanished", "writer", ...: as stored; NULL for REASON_NONE and WAIT_NOTHING. */
const char *version_state_name(enum version_state state);
const char *version_reason_name(enum version_reason reason);
const char *version_wait_name(enum version_wait wait);
enum version_state version_state_by_name(const char *name);   /* VERSION_STATES: none such */
enum version_reason version_reason_by_name(const char *name); /* REASONS: none such */
enum version_wait version_wait_by_name(const char *name);     /* WAITS: none such */

#endif
