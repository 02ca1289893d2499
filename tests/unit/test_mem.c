/* mem: allocation that cannot fail, and ownership by scope. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"

struct box {
	int *freed;
};

static void box_free(struct box *box)
{
	if (box)
		++*box->freed;
}

AUTO_DEFINE(box);

Test(mem, xcalloc_gives_zeroed_memory_even_for_nothing)
{
	AUTO_FREE unsigned char *block = xcalloc(3, 7);
	for (size_t i = 0; i < 21; i++)
		cr_assert_eq(block[i], 0);
	AUTO_FREE void *nothing = xcalloc(0, 0);
	cr_assert_not_null(nothing);
}

Test(mem, xrealloc_keeps_what_was_there)
{
	AUTO_FREE char *block = xmemdup("abc", 3);
	block = xrealloc(block, 1000, 1);
	cr_assert_str_eq(block, "abc");
	block = xrealloc(block, 0, 5);
	cr_assert_not_null(block);
}

Test(mem, xmemdup_copies_bytes_and_terminates)
{
	AUTO_FREE char *copy = xmemdup("a\0b", 3);
	cr_assert_eq(memcmp(copy, "a\0b\0", 4), 0);
	AUTO_FREE char *empty = xmemdup(NULL, 0);
	cr_assert_str_eq(empty, "");
}

Test(mem, xstrdup_of_null_is_null)
{
	AUTO_FREE char *copy = xstrdup("text");
	cr_assert_str_eq(copy, "text");
	cr_assert_null(xstrdup(NULL));
}

/* The address sanitizer reports these itself and its words would fail the test. */
#ifndef __SANITIZE_ADDRESS__
Test(mem, exhaustion_aborts, .signal = SIGABRT)
{
	volatile size_t huge = (size_t)1 << 62;
	free(xcalloc(huge, 1));
}

Test(mem, an_overflowing_size_aborts, .signal = SIGABRT)
{
	volatile size_t huge = (size_t)1 << 62;
	free(xrealloc(NULL, huge, 16));
}
#endif

Test(mem, auto_releases_at_the_end_of_the_scope_and_take_hands_over)
{
	int freed = 0;
	struct box box = { .freed = &freed };

	struct box *kept = NULL;
	{
		AUTO(box) struct box *scoped = &box;
		(void)scoped;
	}

	cr_assert_eq(freed, 1);
	{
		AUTO(box) struct box *scoped = &box;
		kept = TAKE(scoped);
		cr_assert_null(scoped);
	}
	cr_assert_eq(freed, 1);
	cr_assert_eq(kept, &box);
}

Test(mem, auto_close_closes_and_fd_close_keeps_errno)
{
	int seen = -1;
	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		AUTO_CLOSE int none = -1;
		cr_assert_geq(fd, 0);
		cr_assert_eq(none, -1);
		seen = fd;
	}
	cr_assert_eq(fcntl(seen, F_GETFD), -1);
	errno = ENOSPC;
	fd_close(seen);
	cr_assert_eq(errno, ENOSPC);
}
