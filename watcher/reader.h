/*
 * reader: the thread that copies the kernel's events into a bounded buffer and does nothing else.
 *
 * The thread writes, the loop reads; between them stand a ring without a lock on the loop's path
 * and an eventfd that is written only when the ring was empty. Without room for a whole read the
 * thread stops reading, so that the kernel's overflow is the only one. A mutex joins read(2) and
 * the count of bytes read, which is what makes a ticket exact.
 *
 * Functions belong to the loop's thread unless they say otherwise.
 */
#ifndef CARVED_WATCHER_READER_H
#define CARVED_WATCHER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

/** inotify_fd (nonblocking, or -1) and wake_fd (an eventfd) stay the caller's. bound is in bytes, 0
 * for the default; it is raised to what one read needs. */
int reader_new(struct reader **out, int inotify_fd, int wake_fd, size_t bound);
/** Ends the thread and frees everything. NULL is fine. */
void reader_free(struct reader *reader);
/** Starts the thread, with every signal blocked in it. */
int reader_start(struct reader *reader);

/** The next unread bytes that lie together, borrowed until reader_skip(); NULL when there are none.
 */
const void *reader_peek(struct reader *reader, size_t *out_len);
/** Gives the first bytes back to the thread; they stood for so many of the kernel's
 * (decode_merge()).
 */
void reader_skip(struct reader *reader, size_t bytes, size_t kernel_bytes);
/** Gives back all that was read so far, as if nobody had read it. */
void reader_drop(struct reader *reader);
/** To be called when there is nothing to read: gives memory back that a burst took, and all that
 * was read counts as skipped, whatever torn records seemed to stand for. */
void reader_tidy(struct reader *reader);

/** Bytes skipped so far. */
uint64_t reader_position(const struct reader *reader);
/** The position at which everything that the kernel has queued by now will have been skipped. */
uint64_t reader_horizon(struct reader *reader);
/** True when nothing is unread here, and nothing in the kernel's queue. */
bool reader_dry(struct reader *reader);
/** 0, or the negative errno with which the thread gave up. */
int reader_error(const struct reader *reader);
/** How often the thread went round so far, and whether it has something to do: bytes that the
 * kernel has queued, and room for them. */
uint64_t reader_rounds(struct reader *reader, bool *out_at_work);
/** Bytes in the buffer now, and the most there ever were. */
void reader_usage(struct reader *reader, uint64_t *out_used, uint64_t *out_high);

/** Puts bytes into the buffer as if they had been read; false when there is no room. For tests and
 * recorded traces, while no thread runs. */
bool reader_feed(struct reader *reader, const void *bytes, size_t len);

#endif
