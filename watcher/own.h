/*
 * own: the little that this room would otherwise take from core/base: memory that cannot fail, a
 * growing byte string, an intrusive ring, a descriptor that closes itself, the monotonic clock.
 *
 * The watcher knows only libc, so that it can be read, tested and reused without the rest.
 */
#ifndef CARVED_WATCHER_OWN_H
#define CARVED_WATCHER_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How much is done in one piece; a simulation has others act between any two steps. */
#ifdef OWN_SINGLE_STEPS
#define OWN_STEPS(most) 1
#else
#define OWN_STEPS(most) (most)
#endif

/** Zeroed memory, owned by the caller (free); aborts when there is none. */
void *own_calloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/** Grows or shrinks a block; aborts when there is none. */
void *own_realloc(void *block, size_t count, size_t size) __attribute__((warn_unused_result));
/** A NUL-terminated copy of len bytes; NULL bytes give NULL. */
char *own_copy(const void *bytes, size_t len) __attribute__((malloc, warn_unused_result));

/** CLOCK_MONOTONIC in nanoseconds. */
int64_t own_now_ns(void);

/** close() that keeps errno; harmless below 0. */
void own_close(int fd);

static inline void own_close_cleanup(const int *fd)
{
	own_close(*fd);
}

/** Hands a descriptor over: its variable becomes -1. */
static inline int own_take(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/** Closes a descriptor (when >= 0) at the end of its scope. */
#define OWN_CLOSE __attribute__((cleanup(own_close_cleanup)))

/* A growing byte string; data is NUL-terminated once anything was put in. */
struct bytes {
	char *data;
	size_t len;
	size_t capacity;
};

void bytes_done(struct bytes *bytes);
/** Sets the length, growing the memory; new bytes are not initialised, the terminating NUL is set.
 */
void bytes_resize(struct bytes *bytes, size_t len);
void bytes_append(struct bytes *bytes, const void *data, size_t len);
/** Appends a path so that it can be shown to people: bytes outside printable ASCII become \xNN. */
void bytes_append_shown(struct bytes *bytes, const char *data, size_t len);

/* A ring's link, and its head; an element in no ring points at itself. */
struct link {
	struct link *next;
	struct link *previous;
};

#define LINK_OF(at, type, member) ((type *)(void *)((char *)(at)-offsetof(type, member)))

static inline void link_init(struct link *link)
{
	link->next = link;
	link->previous = link;
}

static inline bool link_alone(const struct link *link)
{
	return link->next == link;
}

/** Puts link, which is in no ring, after at. */
static inline void link_after(struct link *at, struct link *link)
{
	link->next = at->next;
	link->previous = at;
	at->next->previous = link;
	at->next = link;
}

/** Takes link out of its ring; harmless when it is in none. */
static inline void link_out(struct link *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link_init(link);
}

/** Moves everything from one ring to the end of another. */
void link_splice(struct link *to, struct link *from);

#endif
