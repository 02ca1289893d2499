/*
 * detect: ways of asking whether a file is bad, behind one struct of functions.
 *
 * A detector class is a const row: its name, what it needs, which entry fields it reads, and three
 * functions. A detector is one configured instance; after opening it is immutable, so every worker
 * may call detector_scan() on it at once. Detectors never log and never touch the history.
 */
#ifndef CARVED_CORE_DETECT_DETECT_H
#define CARVED_CORE_DETECT_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/detect/question.h"
#include "core/entry/entry.h"

struct config;
struct config_detector;
struct detect_opening;
struct detect_report;
struct detector;
struct error;
struct str;

/* What a class needs of the worker, as bits. */
enum detect_needs {
	DETECT_NEEDS_FD = 1,	 /* an open file description of its own at offset 0 */
	DETECT_NEEDS_SHA256 = 2, /* the content's hash */
	DETECT_NEEDS_PATH = 4, /* the real path; the inode behind it is compared before and after */
	DETECT_NEEDS_SHA1 = 256, /* these too, from the same read of the file */
	DETECT_NEEDS_MD5 = 512,
};

/* Which entry fields an answer depends on, as bits; they are part of the reuse key. */
enum detect_reads {
	DETECT_READS_MIME = 1,
	/* The entry's extension and the one that a program would see at the end of the name:
	 * letters and digits after the last dot. A name of no scheme that ends otherwise counts as
	 * a whole. */
	DETECT_READS_EXTENSION = 2,
	DETECT_READS_NAME = 4,
	DETECT_READS_PROTOCOL = 8,
};

struct detector_class {
	const char *type;
	unsigned needs;
	unsigned reads;
	/* It tells what files really are (answer.real_mime): it is asked before the others, which
	 * may be routed by that. */
	bool types;
	/** Reads the configuration, loads lists, computes the digest. On failure err names the
	 * file, line or permission to mend. */
	int (*open)(void **state, const struct config_detector *row, const struct config *config,
		    char digest[65], struct error *err);
	/** In its place, for a class that takes something over from the detector before it. */
	int (*open_after)(void **state, const struct detect_opening *opening, char digest[65],
			  struct error *err);
	/** The digest as it is now, for classes whose peer may be given new signatures under way;
	 * NULL: that of open() holds. False: the peer is away, why has the words. Any thread;
	 * blocks for 2 s at most. */
	bool (*digest)(const void *state, char digest[65], struct error *why);
	/** Whether its peer was away when it was last asked; why, and since when (wall clock).
	 * NULL: it has none. Asks nobody; any thread. */
	bool (*away)(const void *state, struct error *why, int64_t *out_since_ns);
	/** Appends what its peer says of itself (its version), nothing when it is away.
	 * NULL: it has none. As slow as digest. */
	void (*describe)(const void *state, struct str *out);
	/** True when the peer that would look at files of this entry is known to be away, so that
	 * asking is in vain; why has the words. Never blocks. Any thread. NULL: it never is. */
	bool (*in_vain)(const void *state, const struct entry *entry, struct error *why);
	/** Asks the peer whether it is there, for "carved check"; 0, or -errno and words. Blocks
	 * for some seconds at most. NULL: there is no peer. */
	int (*probe)(const void *state, struct error *err);
	/** Entry fields that this instance reads besides reads; NULL: none. */
	unsigned (*also_reads)(const void *state);
	/** What this instance needs besides needs; NULL: nothing. */
	unsigned (*also_needs)(const void *state);
	/** Appends to out what of this instance may disappoint whoever configured it, one sentence
	 * a line; NULL: there is nothing to say. */
	void (*doubts)(const void *state, struct str *out);
	/** False: this instance does not look for malware (a list of known good files, a type):
	 * that it lets some pass says nothing. NULL: it does. */
	bool (*seeks_malware)(const void *state);
	/** Asks. Every failure is an answer with outcome error or timeout and {"error": "..."} in
	 * detail; there is no other way to fail. */
	void (*scan)(const void *state, const struct scan_request *request, struct answer *answer);
	/** How it is; NULL: well. */
	void (*report)(const void *state, struct detect_report *out);
	void (*close)(void *state);
};

extern const struct detector_class noop_class, hashlist_class, command_class, api_class, yara_class,
	magic_class, clamd_class, remote_class;

/** The class of that type, NULL when there is none (or none built). */
const struct detector_class *detect_class(const char *type);

/** Opens the detector that row describes. Owned by the caller, who keeps config (and row, which is
 * part of it) until the detector is freed. */
int detector_open(struct detector **out, const struct config_detector *row,
		  const struct config *config, struct error *err);
/** The same, in the place of earlier (NULL: of none): what cannot be loaded any more may be taken
 * over from it. */
int detector_open_after(struct detector **out, const struct detect_opening *opening,
			const struct detector *earlier, struct error *err);
void detector_free(struct detector *detector);
AUTO_DEFINE(detector);

const char *detector_name(const struct detector *detector);
/** The digest of engine, rules and configuration as it is now. False: it cannot be known, because
 * the detector's peer is away; why has the words. */
bool detector_digest(const struct detector *detector, char digest[65], struct error *why);
/** See struct detector_class: false when it is there, as far as anybody knows. */
bool detector_away(const struct detector *detector, struct error *why, int64_t *out_since_ns);
void detector_describe(const struct detector *detector, struct str *out);
/** True when asking about files of this entry is in vain at the moment; why has the words. */
bool detector_in_vain(const struct detector *detector, const struct entry *entry,
		      struct error *why);
/** Is the detector's peer there? 0 (also when it has none), or -errno and words. Blocks. */
int detector_probe(const struct detector *detector, struct error *err);
const struct detector_class *detector_class(const struct detector *detector);
const struct config_detector *detector_row(const struct detector *detector);
/** What it needs of the worker, as bits. */
unsigned detector_needs(const struct detector *detector);
/** Appends what may disappoint whoever configured it, one sentence a line; for "carved check". */
void detector_doubts(const struct detector *detector, struct str *out);
/** False: nobody may expect it to find malware. */
bool detector_seeks_malware(const struct detector *detector);
/** How it is; all zero when the class has nothing to say. */
struct detect_report detector_report(const struct detector *detector);
/** True when the detector is to look at files of this entry; real_mime is what they really are,
 * NULL when that is not known: then a file is routed by what it declares alone. */
bool detector_wants(const struct detector *detector, const struct entry *entry,
		    const char *real_mime);
/** The reuse key of this detector for this entry: a hash over the digest (of detector_digest()) and
 * the fields that it reads (of name, the base name). */
void detector_key(const struct detector *detector, const char *digest, const struct entry *entry,
		  struct slice name, uint8_t key[16]);
/** Asks; fills answer. Blocks at most until the deadline. Any thread. */
void detector_scan(const struct detector *detector, const struct scan_request *request,
		   struct answer *answer);

#endif
