/*
 * limit: what the kernel grants of watches, instances and open files, and the words that name the
 * knob to turn, and how far.
 *
 * Watches and instances are counted for a user, by its own user namespace and by those above. Two
 * sysctls can be seen from inside, the smaller one binds: fs.inotify.max_user_*, which is that of
 * the host, and user.max_inotify_*, that of this namespace (the same number outside of any). Reads
 * /proc anew each time. Any thread.
 */
#ifndef CARVED_WATCHER_LIMIT_H
#define CARVED_WATCHER_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_WORDS   320 /* bytes that hold any advice */
#define LIMIT_UNKNOWN UINT64_MAX

enum limit_kind {
	LIMIT_WATCHES,
	LIMIT_INSTANCES,
	LIMIT_KINDS
};

/** How many are granted to this user here; LIMIT_UNKNOWN: that cannot be told. */
uint64_t limit_granted(enum limit_kind kind);
/** A number to set so that need fits: a quarter more, rounded up to a power of two. */
uint64_t limit_round(uint64_t need);
/** A number to set so that there are more, where used ones and all that is granted do not do:
 * others may have taken what we do not use. */
uint64_t limit_enough(enum limit_kind kind, uint64_t used, uint64_t more);
/** The sysctls that are below wanted, with their values, as commands: "sysctl -w A=8192 (now 20)".
 */
void limit_advise(char out[LIMIT_WORDS], enum limit_kind kind, uint64_t wanted);
/** What -EMFILE, -ENFILE, -ENOMEM and -EAGAIN (of a thread) are for want of, and what to raise. */
void limit_explain(char out[LIMIT_WORDS], int error);

#endif
