#include <sys/mman.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/engines/sample.h"

static int file_of(const char *text)
{
	int fd = memfd_create("sample", MFD_CLOEXEC);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

Test(sample, is_a_copy_and_leaves_the_offset)
{
	int fd = file_of("content");
	cr_assert_eq(lseek(fd, 3, SEEK_SET), 3);
	struct sample sample;
	cr_assert_eq(sample_read(&sample, fd, 7), 0);
	cr_assert_eq(ftruncate(fd, 0), 0); /* a mapping would be gone now */
	cr_assert(sample.len == 7 && memcmp(sample.bytes, "content", 7) == 0);
	cr_assert_eq(lseek(fd, 0, SEEK_CUR), 3);
	sample_done(&sample);
	cr_assert_null(sample.bytes);
	close(fd);
}

Test(sample, of_a_file_that_shrank_or_grew_is_what_was_asked_for_at_most)
{
	int fd = file_of("content");
	struct sample sample;
	cr_assert_eq(sample_read(&sample, fd, 100), 0);
	cr_assert_eq(sample.len, 7);
	sample_done(&sample);
	cr_assert_eq(sample_read(&sample, fd, 4), 0);
	cr_assert_eq(sample.len, 4);
	sample_done(&sample);
	cr_assert_eq(sample_read(&sample, fd, 0), 0);
	cr_assert(sample.len == 0 && !sample.bytes);
	sample_done(&sample);
	close(fd);
}

Test(sample, tells_what_went_wrong)
{
	struct sample sample;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(sample_read(&sample, fd, 10), -EISDIR);
	cr_assert_null(sample.bytes);
	close(fd);
	cr_assert_eq(sample_read(&sample, -1, 10), -EBADF);
	cr_assert_eq(sample_read(&sample, 0, SIZE_MAX / 2), -ENOMEM);
}
