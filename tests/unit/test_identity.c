/* identity: what makes a file this file and a content this version. */
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/identity.h"

static const struct identity base = {
	.fsid = 1, .inode = 2, .btime_ns = 3, .size = 4, .mtime_ns = 5
};

Test(identity, each_part_counts)
{
	struct identity other = base;
	cr_assert(identity_same_file(&base, &other));
	cr_assert(identity_same_version(&base, &other));
	other.size++;
	cr_assert(identity_same_file(&base, &other));
	cr_assert_not(identity_same_version(&base, &other));
	other = base;
	other.mtime_ns++;
	cr_assert(identity_same_file(&base, &other));
	cr_assert_not(identity_same_version(&base, &other));
	uint64_t *const ids[] = { &other.fsid, &other.inode, (uint64_t *)&other.btime_ns };
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		other = base;
		++*ids[i];
		cr_assert_not(identity_same_file(&base, &other));
		cr_assert_not(identity_same_version(&base, &other));
	}
}

Test(identity, is_taken_from_statx)
{
	struct statx st = { .stx_mask = STATX_BASIC_STATS | STATX_BTIME,
			    .stx_ino = 77,
			    .stx_size = 9000000000u,
			    .stx_mtime = { .tv_sec = 2, .tv_nsec = 999999999 },
			    .stx_btime = { .tv_sec = 1, .tv_nsec = 5 } };
	struct identity got = identity_of(&st, 42);
	cr_assert_eq(got.fsid, 42u);
	cr_assert_eq(got.inode, 77u);
	cr_assert_eq(got.size, 9000000000);
	cr_assert_eq(got.mtime_ns, 2999999999);
	cr_assert_eq(got.btime_ns, 1000000005);
	st.stx_mask = STATX_BASIC_STATS;
	cr_assert_eq(identity_of(&st, 42).btime_ns, 0,
		     "no birth time is 0, not what the field holds");
}

/* Whoever writes the file sets its times, also to the far end of 64 bits. */
Test(identity, times_beyond_the_type_saturate)
{
	static const struct {
		int64_t seconds, expected;
	} cases[] = {
		{ 9223372036, 9223372036 * INT64_C(1000000000) },
		{ 9223372037, INT64_MAX },
		{ INT64_MAX, INT64_MAX },
		{ -1, -1000000000 },
		{ -9223372037, INT64_MIN },
		{ INT64_MIN, INT64_MIN },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct statx st = { .stx_mtime = { .tv_sec = cases[i].seconds } };
		cr_assert_eq(identity_of(&st, 0).mtime_ns, cases[i].expected, "case %zu", i);
	}
	struct statx edge = { .stx_mtime = { .tv_sec = 9223372036, .tv_nsec = 999999999 } };
	cr_assert_eq(identity_of(&edge, 0).mtime_ns, INT64_MAX);
}

Test(identity, a_real_file_with_a_far_date)
{
	char name[] = "/tmp/carved-identity-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	cr_assert_geq(fd, 0);
	unlink(name);
	struct timespec times[2] = { { .tv_sec = INT64_MAX }, { .tv_sec = INT64_MAX } };
	cr_assert_eq(futimens(fd, times), 0);
	struct statx st;
	cr_assert_eq(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st), 0);
	struct identity got = identity_of(&st, 1);
	cr_assert_gt(got.mtime_ns, 0);
	cr_assert_eq(got.inode, st.stx_ino);
	close(fd);
}

Test(identity, a_file_system_has_one_id)
{
	uint64_t here = 0, again = 0, proc = 0;
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int other = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(identity_fsid(tmp, &here), 0);
	cr_assert_eq(identity_fsid(tmp, &again), 0);
	cr_assert_eq(here, again);
	cr_assert_eq(identity_fsid(other, &proc), 0);
	cr_assert_neq(here, proc);
	close(tmp);
	close(other);
	cr_assert_eq(identity_fsid(tmp, &here), -EBADF);
}
