/*
 * clamd_reply: what clamd's replies mean (clamd(8)).
 *
 * Within a session a reply is "ID: WORDS" and a NUL. To FILDES and INSTREAM the words are
 * "fd[N]: OK", "stream: NAME FOUND" or "... ERROR"; to VERSION they are the version. Replies hold
 * what others wrote (names of signatures, and whoever listens at the socket writes all of it), so
 * whatever is not exactly one of these forms is an error, never clean. Pure; any thread.
 */
#ifndef CARVED_CORE_DETECT_CLAMD_REPLY_H
#define CARVED_CORE_DETECT_CLAMD_REPLY_H

#include <stdbool.h>

struct answer;

/* Longest reply, without its NUL. A name of a signature is far shorter. */
#define CLAMD_REPLY_MAX 4096

/** The words behind "ID: " of a reply to question id; NULL when it is none. */
const char *clamd_reply_words(const char *reply, unsigned id);
/** True when the words are a version as clamd writes it: "ClamAV 1.4.3/27800/Mon Oct ...". */
bool clamd_reply_is_version(const char *words);
/** True when a version tells that of the signatures. */
bool clamd_reply_has_signatures(const char *version);
/** Fills answer, which is empty, with what the words say of a file. */
void clamd_reply_answer(const char *words, struct answer *answer);

#endif
