/*
 * rescan: the queue of versions that are done and are to be looked at again with other rules.
 *
 * Commands ask for rescans beside the daemon (store_rescan_ask()); the daemon's own, when a digest
 * has changed, go through the writer (STORE_RULES). Versions come out by store_rescans(), and what
 * became of them goes in by STORE_RESCAN.
 */
#ifndef CARVED_CORE_STORE_RESCAN_H
#define CARVED_CORE_STORE_RESCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/base/outcome.h"

struct error;
struct store_reader;
struct version;

enum rescan_end {
	RESCAN_ANSWERED, /* every detector that is asked has answered by the rules in force */
	RESCAN_WAITING,	 /* not now: again at due_ns */
	RESCAN_GONE,	 /* nothing is at its path any more */
	RESCAN_REPLACED, /* something else is there, or another content */
	RESCAN_FAILED,	 /* it is there, but a detector has no answer; note says which, and why */
	RESCAN_ENDS,
};

/* A version's place in the queue, from store_rescans() to STORE_RESCAN. Heap, one owner. */
struct store_rescan {
	char *detector;	  /* the one to be asked, NULL: each; owned */
	int64_t asked_ns; /* which question this answers: if it was asked anew since, it stays */
	unsigned tries;	  /* attempts since then */
	int64_t away_since_ns; /* since when it waits for a detector that is away; 0: it does not */
	enum rescan_end end;
	int64_t due_ns;	  /* RESCAN_WAITING */
	char *note;	  /* RESCAN_GONE and after: words, or NULL; owned */
	enum outcome was; /* verdict before; set by the writer when it wrote findings */
};

void store_rescan_free(struct store_rescan *rescan);
AUTO_DEFINE(store_rescan);

/** As in the history: "waiting", "gone", ...; NULL for RESCAN_ANSWERED. */
const char *rescan_end_name(enum rescan_end end);

/**
 * Calls visit with versions whose rescan is due at now_ns, the newest first, until it returns false
 * or there are no more. visit takes both.
 */
int store_rescans(struct store_reader *reader, int64_t now_ns,
		  bool (*visit)(void *context, struct version *version,
				struct store_rescan *rescan),
		  void *context, struct error *err);
/** The earliest due_ns > now_ns in the queue, INT64_MAX when there is none. */
int store_next_rescan(struct store_reader *reader, int64_t now_ns, int64_t *out, struct error *err);

/* How many versions the queue has in each state; ANSWERED is always 0. */
struct store_rescan_totals {
	int64_t by_end[RESCAN_ENDS];
};

/** Counts; costs a pass over the queue. */
int store_rescan_totals(struct store_reader *reader, struct store_rescan_totals *out,
			struct error *err);

struct store_rule {
	const char *detector;
	char digest[65]; /* "": not known now, what was noted stands */
};

/*
 * The digests in force (STORE_RULES). Each detector's is noted; with ask, versions whose newest
 * definite answer of a detector was given by another digest are put into the queue: those first
 * seen since since_ns, some of them at a time. While more is set after the commit the operation is
 * to be submitted again. A detector that is new to the history asks for nothing. A crash in between
 * loses nothing: the next start's operation begins again.
 */
struct store_rules {
	struct store_rule *rules; /* owned by the caller */
	size_t count;
	bool ask;
	int64_t now_ns;
	int64_t since_ns;

	/* how far it is: zero at first; the caller copies next into from before it submits again */
	struct store_rules_at {
		size_t rule;
		int64_t seen_ns, id; /* the version looked at last, when id is not 0 */
	} from, next;

	bool more;
	int64_t asked; /* put into the queue by this operation */
};

struct store_rescan_options {
	const char *detector; /* NULL: each */
	int64_t since_ns;     /* first seen then or later */
	int64_t until_ns;     /* and before */
	const char *mime;     /* glob over the MIME type, NULL: any */
	bool dry_run;	      /* only count */
};

struct store_rescan_asked {
	int64_t asked;			   /* versions that were, or would be, put into the queue */
	struct store_rescan_totals totals; /* of the queue afterwards */
};

/** Puts done versions into the queue, beside a running daemon. Which of them have been answered by
 * the rules in force already is found out when their turn comes. -ENOENT: the history knows no such
 * detector; err names those that it knows. */
int store_rescan_ask(const char *path, const struct store_rescan_options *options,
		     struct store_rescan_asked *out, struct error *err);

#endif
