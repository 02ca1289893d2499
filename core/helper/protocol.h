/*
 * protocol: what the daemon and a helper process say to each other, as packets of a channel.
 *
 * A helper is one zygote, which loads an engine's rules once and forks scanners on demand, each of
 * which answers one request at a time. The daemon believes no byte of it: every length, number and
 * character is checked by the functions here that read, and an answer that does not pass is none.
 *
 *	daemon -> zygote	LOAD	what to load; descriptors: what was kept before, where to
 *keep zygote -> daemon	HELLO	how that went: counts, digest, words for what did not compile daemon
 *-> zygote	FORK	descriptor: the scanner's end of a channel of its own zygote -> daemon
 *FORKED	its process id, or why there is none daemon -> zygote	REAP	how did that process
 *end? zygote -> daemon	REAPED	its wait status daemon -> scanner	SCAN	one file;
 *descriptor: the file scanner -> daemon	ANSWER	what the engine says of it
 *
 * Pure; any thread.
 */
#ifndef CARVED_CORE_HELPER_PROTOCOL_H
#define CARVED_CORE_HELPER_PROTOCOL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/outcome.h"
#include "core/helper/wire.h"

struct str;

#define HELPER_SIGNATURE_MAX 512
#define HELPER_DETAIL_MAX    ((size_t)48 * 1024)
#define HELPER_MIME_MAX	     255
#define HELPER_PATH_MAX	     4096
/* Paths that one LOAD names at most. */
#define HELPER_PATHS_MAX 256
/* One field of the entry, at most: a file name has 255 bytes (NAME_MAX). */
#define HELPER_FIELD_MAX 1024
/* Words for what did not load: so many, of so many bytes. The counts count all of them. */
#define HELPER_PROBLEMS_MAX 64
#define HELPER_PROBLEM_MAX  1000
/* What the zygote gives when the process that is asked for has not ended (yet). */
#define HELPER_STILL_THERE UINT64_C(0xffffffff)

enum helper_packet {
	HELPER_LOAD = 1,
	HELPER_HELLO,
	HELPER_FORK,
	HELPER_FORKED,
	HELPER_REAP,
	HELPER_REAPED,
	HELPER_SCAN,
	HELPER_ANSWER,
};

/* The entry fields that an engine may look at. */
enum helper_field {
	HELPER_NAME,
	HELPER_EXTENSION,
	HELPER_MIME,
	HELPER_PROTOCOL,
	HELPER_FIELDS,
};

struct helper_load {
	bool restore;  /* load what was kept, and nothing else: the helper before this one died */
	int64_t limit; /* bytes of a file at most */
	char **paths;  /* owned by whoever read it; NULL-terminated */
	size_t path_count;
};

struct helper_hello {
	bool ok; /* it can scan; else problems[0] says why not */
	char digest[65];
	unsigned reads;	 /* bits 1 << HELPER_NAME, ...: the fields that the answers depend on */
	uint64_t files;	 /* of rules, all of them */
	uint64_t rules;	 /* that are in force */
	uint64_t failed; /* files that did not load */
	uint64_t kept;	 /* of those, files of which an earlier good state is in force */
	char *problems[HELPER_PROBLEMS_MAX]; /* owned; for the first of the failed files */
	size_t problem_count;
};

/* One file. Strings are borrowed. */
struct helper_request {
	uint64_t id;
	int64_t timeout_ms;
	int64_t size;
	struct wire_bytes field[HELPER_FIELDS];
};

/* Strings are owned; NULL: none. */
struct helper_answer {
	uint64_t id;
	enum outcome outcome;
	char *signature; /* well-formed UTF-8 without control characters */
	char *detail;	 /* one JSON object, ASCII */
	char *real_mime; /* type/subtype in lower case, RFC 6838 */
};

void helper_load_done(struct helper_load *load);
void helper_hello_done(struct helper_hello *hello);
void helper_answer_done(struct helper_answer *answer);

static inline void helper_answer_cleanup(struct helper_answer *answer)
{
	helper_answer_done(answer);
}

/** Adds words for one thing that did not load; beyond HELPER_PROBLEMS_MAX nothing is added. */
void helper_problem(struct helper_hello *hello, const char *words);

/* Writing: packet is emptied first. */
void helper_put_load(struct str *packet, const struct helper_load *load);
void helper_put_hello(struct str *packet, const struct helper_hello *hello);
void helper_put_request(struct str *packet, const struct helper_request *request);
void helper_put_answer(struct str *packet, const struct helper_answer *answer);
/** The packets that hold one number: FORK (ignored), FORKED (pid, or -errno), REAP (pid; negative:
 * the zygote waits for its end), REAPED (wait status, or HELPER_STILL_THERE). */
void helper_put_number(struct str *packet, enum helper_packet kind, int64_t number);

/* Reading: false when the packet is not exactly what it should be; then nothing is left behind. */
bool helper_read_load(const struct str *packet, struct helper_load *out);
bool helper_read_hello(const struct str *packet, struct helper_hello *out);
/** Fields are borrowed from the packet. */
bool helper_read_request(const struct str *packet, struct helper_request *out);
bool helper_read_answer(const struct str *packet, struct helper_answer *out);
bool helper_read_number(const struct str *packet, enum helper_packet kind, int64_t *out);
/** What kind of packet it says that it is; 0: none. */
enum helper_packet helper_kind_of(const struct str *packet);

/** True for type/subtype of RFC 6838 characters (section 4.2) in lower case. */
bool helper_is_mime(const char *text);

#endif
