/*
 * engine: one library that reads hostile bytes, as a helper process hosts it.
 *
 * load() runs once, in the zygote, before it confines itself; scan() runs in a scanner, a forked
 * copy that has the memory of load() and nothing else: no file can be opened there. Everything is
 * single-threaded.
 */
#ifndef CARVED_CORE_ENGINES_ENGINE_H
#define CARVED_CORE_ENGINES_ENGINE_H

#include "core/helper/protocol.h"

struct error;

/* What load() works with. Borrowed. */
struct engine_start {
	const struct helper_load *load;
	int kept_fd; /* what the helper before kept (keep.h), -1: nothing */
	int keep_fd; /* where this one keeps, -1: nowhere */
};

struct engine_class {
	const char *type;
	/** Loads; fills hello, whose ok is set by the caller. What does not load but leaves the
	 * rest working is a problem in hello; what leaves nothing is a failure with words. */
	int (*load)(void **state, const struct engine_start *start, struct helper_hello *hello,
		    struct error *err);
	/** Fills answer (outcome OUTCOMES before, id set by the caller) with what the engine says
	 * of what fd holds. */
	void (*scan)(void *state, const struct helper_request *request, int fd,
		     struct helper_answer *answer);
	void (*close)(void *state);
};

extern const struct engine_class yara_engine, magic_engine;

/** The class of that type, NULL: none. */
const struct engine_class *engine_class(const char *type);

/** answer: outcome, with {"KEY": words} as detail. */
void engine_say(struct helper_answer *answer, enum outcome outcome, const char *key,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
