/*
 * ask: asks the detectors that want a version, or takes over what they said of the same content,
 * and draws the conclusion. On a worker.
 */
#ifndef CARVED_CORE_APP_ASK_H
#define CARVED_CORE_APP_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

struct app;
struct engine;
struct finding;
struct hasher;
struct job;
struct standing;
struct store_reader;
struct version;

/* What one worker thread owns. */
struct scanner {
	struct app *app;
	struct store_reader *reader;
	struct hasher *hasher;
	struct finding *lent; /* findings of a twin, for the job in hand; owned */
	size_t lent_count;

	/* the file system on which a file was looked at last, and whether leases tell there */
	struct {
		uint_fast64_t mounts; /* app->mounts then; 0: none was */
		dev_t dev;
		uint64_t fsid;
		bool sees;
	} ground;
};

struct asking {
	struct scanner *scanner;
	struct job *job;
	struct engine *engine;
	int fd;
	bool read;		    /* a detector was given the content */
	bool took_path;		    /* a detector was given the path, not only the content */
	int failure;		    /* ASK_FAILED: errno */
	struct standing *standings; /* one for each detector of the engine; owned */
	struct str away;	    /* "NAME: why", of the first that is away and waited for */
	struct finding
		*earlier;    /* what the history has: of earlier attempts, or of the sighted row */
	bool earlier_stands; /* they are of earlier attempts on this very content */
	bool other_row; /* the row's attempts were made on another content: this one gets its own */
	size_t earlier_count;
};

enum ask_result {
	ASK_ASKED,	 /* the version has a finding for each detector that was missing one */
	ASK_NO_DETECTOR, /* none wants it */
	ASK_CANCELLED,
	ASK_FAILED, /* the history could not be read, or no descriptor or process was left */
	ASK_OTHER,  /* the content is not the one that the job's hash is of */
};

bool ask_any_wanted(const struct engine *engine, const struct version *version);
/** True when a version that waits for a detector would only wait on: it is away still, and the time
 * for it is not over. The version is then made ready to be saved as queued. */
bool ask_waits_on(const struct engine *engine, struct version *version);
/** How long the version has waited for a detector that is away. */
int64_t ask_waited_ms(const struct version *version);
enum ask_result ask_all(struct asking *asking);
/** A rescan: ASK_NO_DETECTOR when each that is to be asked has answered by its present rules, so
 * that the file need not be opened; ASK_ASKED when one has not; ASK_FAILED. */
enum ask_result ask_any_stale(struct asking *asking);
/** Sets state, reason, verdict, and for a retry the due time, from all findings. */
void ask_conclude(struct asking *asking);
/** Frees what ask_all() left for the conclusion, when none is drawn. */
void ask_forget(struct asking *asking);
void ask_return_lent(struct scanner *scanner);

#endif
