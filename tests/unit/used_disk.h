/*
 * used_disk: for tests to which the disk that they have is one that is too full, at 2%.
 */
#ifndef CARVED_TESTS_UNIT_USED_DISK_H
#define CARVED_TESTS_UNIT_USED_DISK_H

#include <sys/statvfs.h>

#include <criterion/criterion.h>

/* Skips the test where the disk of that path is as good as empty. */
static inline void need_used_disk(const char *path)
{
	struct statvfs fs;
	cr_assert(statvfs(path, &fs) == 0);
	if (fs.f_bavail > fs.f_blocks / 100 * 97)
		cr_skip_test("the disk is as good as empty");
}

#endif
