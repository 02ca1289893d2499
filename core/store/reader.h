/*
 * reader: questions that the daemon asks its own history, on a read-only connection of one thread.
 *
 * Every call sees the latest commit. Reading never blocks the writer.
 */
#ifndef CARVED_CORE_STORE_READER_H
#define CARVED_CORE_STORE_READER_H

#include "core/base/mem.h"
#include "core/store/version.h"

struct error;
struct store;
struct store_reader;

/** Opens a reading connection to a history that store_open() made. One thread at a time uses it. */
int store_reader_open(struct store_reader **out, const char *path, struct error *err);
void store_reader_free(struct store_reader *reader);
AUTO_DEFINE(store_reader);

/* How what was found on disk relates to the history; the first that holds. */
enum known_as {
	KNOWN_NOT,	 /* never seen */
	KNOWN_SAME,	 /* this version at this path is recorded */
	KNOWN_IMPORTED,	 /* a done row imported by path only, without an inode, is recorded for this
			    path */
	KNOWN_ELSEWHERE, /* the same file, size and mtime at another path (rename, hard link); a
			  * queued row is preferred, then a done one, then the newest */
	KNOWN_CHANGED,	 /* the same file at this path with another size or mtime; the newest row */
};

struct known {
	enum known_as as;
	int64_t id;
	enum version_state state;
	enum version_reason reason;
	enum version_wait wait;
	bool has_sha256;
	uint8_t sha256[32];
	int64_t size;
	int64_t mtime_ns;
	int64_t checked_ns;
	bool ambiguous; /* KNOWN_ELSEWHERE: the file had several contents under this size and time,
			 * or another one under others since */
	unsigned attempt; /* attempts recorded so far */
	unsigned tries;	  /* of them, those since it was queued last */
	bool incomplete;  /* the file lacks a part, as its row says */
	bool only;	  /* the file has no other row that was looked at */
	char *path;	  /* KNOWN_ELSEWHERE: the other path; owned (known_done) */
};

void known_done(struct known *known);

/** Looks (identity, path) up. Several look-ups between store_reader_begin() and _end() share one
 * snapshot, which makes each cheaper. 0, or -errno with err. */
int store_find(struct store_reader *reader, const struct identity *identity, const char *path,
	       size_t path_len, size_t dir_len, struct known *out, struct error *err);
void store_reader_begin(struct store_reader *reader);
void store_reader_end(struct store_reader *reader);

/** Of the rows with a hash that version's file has at its path, the one that was looked at last:
 * KNOWN_CHANGED with id, hash and checked_ns, or KNOWN_NOT. Rows that are queued, not_id, and files
 * that could not be looked at do not count. Nothing to be freed. */
int store_earlier(struct store_reader *reader, const struct version *version, int64_t not_id,
		  struct known *out, struct error *err);

struct store_dir { /* borrowed */
	const char *path;
	size_t len;
	uint64_t fsid;
};

struct store_name {
	int64_t dir; /* id of its directory, from store_dir() */
	const char *name;
	size_t len;
};

/** The id of a directory on a file system; *out is 0 when the history has none such. */
int store_dir(struct store_reader *reader, const struct store_dir *dir, int64_t *out,
	      struct error *err);
/** Whether this very version at this path is recorded: KNOWN_SAME, or KNOWN_NOT, which says nothing
 * else of the file. What store_find() tells, but for the hash itself, "ambiguous" and "only"; made
 * for many files, in the order of their inodes. Nothing to be freed. */
int store_recorded(struct store_reader *reader, const struct identity *identity,
		   const struct store_name *name, struct known *out, struct error *err);

struct store_name_visit {
	void (*visit)(void *context, const char *path, size_t len); /* path is borrowed */
	void *context;
};

/** Tells the paths at which the file (file system, inode, birth time) has rows, limit at most,
 * those with the newest rows first. */
int store_names(struct store_reader *reader, const struct identity *identity, unsigned limit,
		const struct store_name_visit *each, struct error *err);

/** The row with this id as a version without findings (owned), or NULL in *out. */
int store_load(struct store_reader *reader, int64_t id, struct version **out, struct error *err);

/**
 * Calls visit with queued versions that are due at now_ns, in order of (due_ns, id), until it
 * returns false or there are no more. visit takes the version.
 */
int store_due(struct store_reader *reader, int64_t now_ns,
	      bool (*visit)(void *context, struct version *version), void *context,
	      struct error *err);
/** The earliest due_ns > now_ns among queued rows, INT64_MAX when there is none. */
int store_next_due(struct store_reader *reader, int64_t now_ns, int64_t *out, struct error *err);

/** How many rows are queued. Costs a pass over the queue's index, 20 ns each. */
int store_queued(struct store_reader *reader, uint64_t *out, struct error *err);
/** The queued row that was recorded first, as a version without findings (owned), or NULL in *out.
 * Costs a pass over the queue's index. */
int store_oldest_queued(struct store_reader *reader, struct version **out, struct error *err);

/** All findings of a version that are recorded, of all attempts, in the order in which they were
 * made. *out is owned. */
int store_findings(struct store_reader *reader, int64_t file_id, struct finding **out,
		   size_t *count, struct error *err);

/* Has this been answered before? Borrowed for the call. */
struct store_reuse_question {
	const uint8_t *sha256;	      /* 32 bytes */
	const struct finding *wanted; /* detector, digest and key */
	int64_t since_ns;	      /* not longer ago */
	int64_t seen_ns; /* copies that were first seen since then are looked at too, however long
			  * ago: their answers may be new. INT64_MAX: as since_ns says */
};

/** A definite finding of the wanted detector under its key on the same content. Fills *out (owned,
 * finding_done) and sets *found. */
int store_reuse(struct store_reader *reader, const struct store_reuse_question *asked,
		struct finding *out, bool *found, struct error *err);

/** What the store knows of the contents in its history spares this reader store_reuse()'s look-ups
 * in vain. The store must be of the same history, and outlive the reader's last question. */
void store_reader_follow(struct store_reader *reader, struct store *store);

struct store_totals {
	int64_t rows, queued, done, unscanned;
	int64_t waiting[WAITS]; /* of the queued */
};

/** Counts; costs a pass over an index: for status, not for the loop. */
int store_totals(struct store_reader *reader, struct store_totals *out, struct error *err);

#endif
