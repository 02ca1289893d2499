/*
 * sample: what a file holds, in memory of our own.
 *
 * It is never mapped: whoever writes it could shorten it under us (SIGBUS). At most as much is read
 * as the file was said to have; what is appended meanwhile, or is missing by now, is found out by
 * the daemon, which looks at the file again afterwards. One thread.
 */
#ifndef CARVED_CORE_ENGINES_SAMPLE_H
#define CARVED_CORE_ENGINES_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct sample {
	uint8_t *bytes; /* NULL when it is empty */
	size_t len;
	size_t mapped; /* bytes of the mapping */
};

/** Reads the first size bytes of fd, from offset 0 (pread; the offset stays). 0, or -errno: of
 * reading, or -ENOMEM. */
int sample_read(struct sample *out, int fd, size_t size);
void sample_done(struct sample *sample);

static inline void sample_cleanup(struct sample *sample)
{
	sample_done(sample);
}

#endif
