#include <sys/mman.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engines/keep.h"

Test(keep, gives_back_the_records_in_their_order)
{
	struct error err = { 0 };
	int fd = memfd_create("keep", MFD_CLOEXEC);
	const struct keep_record records[] = {
		{ .kind = KEEP_HELLO, .bytes = { "packet", 6 } },
		{ .kind = KEEP_OLD,
		  .name = { "/a", 2 },
		  .hash = { "ff", 2 },
		  .reads = 5,
		  .bytes = { "x\0y", 3 } },
	};
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(keep_write(fd, &records[i], &err), 0, "%s", err.text);
	struct keep keep;
	cr_assert_eq(keep_open(&keep, fd, &err), 0);
	close(fd);
	struct wire at = keep_begin(&keep);
	struct keep_record got;
	cr_assert(keep_next(&at, &got));
	cr_assert(got.kind == KEEP_HELLO && got.bytes.len == 6 && got.name.len == 0);
	cr_assert(keep_next(&at, &got));
	cr_assert(got.kind == KEEP_OLD && got.reads == 5 && memcmp(got.bytes.at, "x\0y", 3) == 0);
	cr_assert_not(keep_next(&at, &got));
	keep_done(&keep);
}

Test(keep, nothing_kept_is_nothing)
{
	struct error err = { 0 };
	struct keep keep;
	struct keep_record got = { .kind = KEEP_SET };
	cr_assert_eq(keep_open(&keep, -1, &err), 0);
	struct wire at = keep_begin(&keep);
	cr_assert_not(keep_next(&at, &got));
	keep_done(&keep);
	int fd = memfd_create("keep", MFD_CLOEXEC);
	cr_assert_eq(keep_open(&keep, fd, &err), 0);
	at = keep_begin(&keep);
	cr_assert_not(keep_next(&at, &got));
	keep_done(&keep);
	cr_assert_eq(write(fd, "\1\0\0", 3), 3); /* cut off */
	cr_assert_eq(keep_open(&keep, fd, &err), 0);
	at = keep_begin(&keep);
	cr_assert_not(keep_next(&at, &got));
	keep_done(&keep);
	close(fd);
	cr_assert_eq(keep_write(-1, &got, &err), 0);
}

Test(keep, what_is_sealed_is_not_written)
{
	struct error err = { 0 };
	int fd = memfd_create("keep", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	const struct keep_record record = { .kind = KEEP_SET, .bytes = { "x", 1 } };
	cr_assert_lt(keep_write(fd, &record, &err), 0);
	close(fd);
}
