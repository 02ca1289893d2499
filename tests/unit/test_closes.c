/* closes: which file a close may have been of. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/app/closes.h"

static struct closes *closes;

static void setup(void)
{
	closes = closes_new();
}

static void teardown(void)
{
	closes_free(closes);
}

TestSuite(closes, .init = setup, .fini = teardown);

static void note(const char *path, int64_t now_ns)
{
	closes_note(closes, path, strlen(path), now_ns);
}

static void found(const char *path, uint64_t inode)
{
	closes_found(closes, path, strlen(path), inode);
}

static bool since(const char *path, uint64_t inode, int64_t checked_ns)
{
	return closes_since(closes, path, strlen(path), inode, checked_ns);
}

Test(closes, nothing_was_written_where_nothing_was_told)
{
	cr_expect(!since("/r/a", 1, 10));
	note("/r/b", 20);
	cr_expect(!since("/r/a", 1, 10));
}

Test(closes, a_close_before_the_look_is_seen_by_it)
{
	note("/r/a", 9);
	cr_expect(!since("/r/a", 1, 10));
	cr_expect(since("/r/a", 1, 9), "in the same moment it may not be");
}

Test(closes, a_close_is_of_whom_the_path_led_to_or_of_one_that_had_left)
{
	note("/r/a", 20);
	cr_expect(since("/r/a", 1, 10), "not looked at yet");
	found("/r/a", 1);
	cr_expect(!since("/r/a", 1, 10));
	cr_expect(since("/r/a", 2, 10));
	found("/r/a", 2); /* before the other was dealt with */
	cr_expect(since("/r/a", 1, 10) && !since("/r/a", 2, 10));
	note("/r/a", 30);
	cr_expect(since("/r/a", 1, 10), "the next one is another");
	found("/r/a", 2);
	cr_expect(since("/r/a", 1, 10) && !since("/r/a", 2, 10));
}

Test(closes, what_is_forgotten_is_in_doubt)
{
	char path[32];
	note("/r/first", 5);
	found("/r/first", 1);
	for (int i = 0; i < CLOSES_MAX - 1; i++) {
		snprintf(path, sizeof path, "/r/%d", i);
		note(path, 10 + i);
	}
	cr_expect(!since("/r/first", 1, 1), "all are remembered");
	cr_expect(!since("/r/never", 1, 1));
	note("/r/0", 100000); /* moves to the front: nothing is forgotten but the first */
	cr_expect(since("/r/first", 1, 1) && since("/r/never", 1, 5));
	cr_expect(!since("/r/never", 1, 6));
	note("/r/more", 100001); /* takes the slot that 0 had left */
	cr_expect(!since("/r/never", 1, 6));
	note("/r/more still", 100002);
	cr_expect(since("/r/never", 1, 11) && !since("/r/never", 1, 12));
}
