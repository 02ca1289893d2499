/*
 * taking: one removal under way: what is held open for it, and the steps that removing and
 * quarantining have in common. Private to this room; on remove_file()'s stack.
 */
#ifndef CARVED_CORE_DISPOSE_TAKING_H
#define CARVED_CORE_DISPOSE_TAKING_H

#include <sys/stat.h>

#include <stdbool.h>

#include "core/base/identity.h"
#include "core/dispose/site.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"

struct error;
struct ground;

enum taking_step {
	TAKING_ON,    /* go on */
	TAKING_ENDED, /* the removal has its end */
	TAKING_LATER, /* it stays intended; err says why */
};

struct taking {
	const struct ground *ground;
	struct removal_task *task;
	struct error *err;
	struct site site;
	int fd;		 /* the file; -1: none yet */
	bool unread;	 /* fd cannot be read */
	bool taken;	 /* its name is in the vault now, else where it always was */
	bool resumed;	 /* an earlier try took it */
	bool held;	 /* ground->hold() */
	bool steady;	 /* nobody has written to it since st */
	struct statx st; /* as fd was looked at first */
	struct identity identity;
	char name[VAULT_NAME]; /* vault_taken() */
};

void taking_done(struct taking *taking);
/** The removal has its end; note may be NULL. */
enum taking_step taking_end(struct taking *taking, enum removal_state state, const char *note);
/** It cannot be done now: doing says what, code why. */
enum taking_step taking_later(struct taking *taking, int code, const char *doing);

#define TAKING_WRITTEN_TO "somebody writes to it"
/** It has to be waited for what words say; no trouble. */
enum taking_step taking_wait(struct taking *taking, const char *words);

/** Opens what stands at the path, or what an earlier try took, and looks whether it may be the
 * file. */
enum taking_step taking_find(struct taking *taking);
/** Does nobody write to it, and is it what was judged, as size and time say? From then on it is
 * watched whether somebody does. */
enum taking_step taking_look(struct taking *taking);
/** Takes it into the vault, if that lies on the same file system, and looks again. */
enum taking_step taking_take(struct taking *taking);
/** Is it the content that was judged, and does nobody write to it? What was taken and is not goes
 * back. */
enum taking_step taking_judge(struct taking *taking);
/** Puts what was taken back where it was; then step. */
enum taking_step taking_put_back(struct taking *taking, enum taking_step step);
/** Removes the file's name. */
enum taking_step taking_unlink(struct taking *taking);

#endif
