/* sample: see sample.h. Anonymous memory, given back after each file, so that a large one does not
 * stay for ever. */
#include "core/engines/sample.h"

#include <sys/mman.h>

#include <errno.h>
#include <unistd.h>

static int read_all(struct sample *sample, int fd, size_t size)
{
	while (sample->len < size) {
		ssize_t got = pread(fd, sample->bytes + sample->len, size - sample->len,
				    (off_t)sample->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		sample->len += (size_t)got;
	}
	return 0;
}

int sample_read(struct sample *out, int fd, size_t size)
{
	*out = (struct sample){ 0 };
	if (size == 0)
		return 0;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	out->bytes = memory;
	out->mapped = size;
	int result = read_all(out, fd, size);
	if (result < 0)
		sample_done(out);
	return result;
}

void sample_done(struct sample *sample)
{
	if (sample->bytes)
		(void)munmap(sample->bytes, sample->mapped);
	*sample = (struct sample){ 0 };
}
