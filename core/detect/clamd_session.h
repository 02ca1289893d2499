/*
 * clamd_session: one connection to a clamd, on which it is asked one thing after the other.
 *
 * IDSESSION of clamd(8): each question has a number, and its reply begins with it. A session on
 * which anything went wrong is spent: whatever comes on it later could be the answer to an earlier
 * question. Belongs to one thread at a time.
 */
#ifndef CARVED_CORE_DETECT_CLAMD_SESSION_H
#define CARVED_CORE_DETECT_CLAMD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

struct clamd_peer;
struct clamd_session;
struct error;
struct str;

struct clamd_question {
	int fd; /* of the file to look at; -1: VERSION is asked */
	int64_t size;
	struct mono deadline;
	int cancel_fd; /* becomes readable to give up; -1: none */
};

enum clamd_end {
	CLAMD_ANSWERED,
	CLAMD_TIMEOUT,	  /* the deadline passed */
	CLAMD_CANCELLED,  /* cancel_fd */
	CLAMD_LOST,	  /* the connection, or its sense */
	CLAMD_UNREADABLE, /* the file */
};

/** Connects and begins a session. */
int clamd_session_open(struct clamd_session **out, const struct clamd_peer *peer,
		       struct mono deadline, struct error *err);
void clamd_session_free(struct clamd_session *session);
AUTO_DEFINE(clamd_session);

/**
 * Asks. ANSWERED: words (emptied before) has the reply without its number; the session may still be
 * spent, when clamd answered before it had all. Else it is spent, and err has the words. The file
 * is passed as a descriptor on unix sockets, else its first size bytes are sent.
 */
enum clamd_end clamd_session_ask(struct clamd_session *session,
				 const struct clamd_question *question, struct str *words,
				 struct error *err);
/** True when not a byte was heard since the last question. */
bool clamd_session_unheard(const struct clamd_session *session);
/** True when it can be asked again: not spent, not closed by clamd (IdleTimeout), nothing unasked
 * for on it. */
bool clamd_session_usable(const struct clamd_session *session);

#endif
