/*
 * mem: allocation that cannot fail, and ownership by the cleanup attribute.
 *
 * Small fixed-size allocations abort on exhaustion: the history is durable, the supervisor
 * restarts us, and out-of-memory branches that no test reaches rot. Anything whose size comes from
 * outside (a file, a line, a reply) must be limited by its caller before it gets here.
 *
 *	AUTO(queue) struct queue *q = NULL;	queue_free(q) runs at the end of the scope
 *	*out = TAKE(q);				hands q over; the scope no longer frees it
 *
 * Any thread.
 */
#ifndef CARVED_CORE_BASE_MEM_H
#define CARVED_CORE_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

#if defined(__GNUC__) && !defined(__clang__)
#define OWNED_BY(release) __attribute__((malloc, malloc(release, 1), warn_unused_result))
#else
#define OWNED_BY(release) __attribute__((malloc, warn_unused_result))
#endif

/** Zeroed memory of size bytes; aborts when there is none. */
void *xcalloc(size_t count, size_t size) OWNED_BY(free);
/** Grows or shrinks a block; the new part is not initialised. Aborts when there is no memory. */
void *xrealloc(void *block, size_t count, size_t size) __attribute__((warn_unused_result));
/** A copy of a string, owned by the caller; NULL gives NULL. */
char *xstrdup(const char *text) OWNED_BY(free);
/** A NUL-terminated copy of len bytes, owned by the caller. */
char *xmemdup(const void *bytes, size_t len) OWNED_BY(free);

/** Declares that the variable's object is released by <name>_free at the end of its scope. */
#define AUTO(name) __attribute__((cleanup(name##_cleanup)))

/** Defines the function that AUTO(name) calls, for "struct name *" and name_free(). */
#define AUTO_DEFINE(name)                                       \
	static inline void name##_cleanup(struct name **object) \
	{                                                       \
		name##_free(*object);                           \
	}                                                       \
	struct name

/** The pointer's value; the pointer itself becomes NULL. */
#define TAKE(pointer)                                   \
	(__extension__({                                \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	}))

static inline void mem_cleanup(void *object)
{
	free(*(void **)object);
}

static inline void fd_cleanup(const int *fd);

/** Frees a plain malloc'd pointer at the end of its scope. */
#define AUTO_FREE __attribute__((cleanup(mem_cleanup)))

/** Closes a descriptor (when >= 0) at the end of its scope. */
#define AUTO_CLOSE __attribute__((cleanup(fd_cleanup)))

/** close() that keeps errno. */
void fd_close(int fd);

static inline void fd_cleanup(const int *fd)
{
	if (*fd >= 0)
		fd_close(*fd);
}

#endif
