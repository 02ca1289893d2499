/* own: bytes that grow, names shown to people, rings. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/own.h"

Test(own, bytes_grow_and_stay_terminated)
{
	struct bytes bytes = { 0 };
	for (int i = 0; i < 1000; i++)
		bytes_append(&bytes, "abc", 3);
	cr_assert_eq(bytes.len, 3000);
	cr_assert_eq(strlen(bytes.data), 3000);
	bytes_resize(&bytes, 2);
	cr_assert_str_eq(bytes.data, "ab");
	bytes_append(&bytes, NULL, 0);
	cr_assert_str_eq(bytes.data, "ab");
	bytes_done(&bytes);
	cr_assert_null(bytes.data);
}

Test(own, shown_bytes_are_printable_ascii)
{
	struct bytes bytes = { 0 };
	bytes_append_shown(&bytes, "a\n\x7f\xff ~", 6);
	cr_assert_str_eq(bytes.data, "a\\x0a\\x7f\\xff ~");
	bytes_done(&bytes);
}

Test(own, copy_of_nothing_is_nothing)
{
	cr_assert_null(own_copy(NULL, 3));
	char *copy = own_copy("abc", 2);
	cr_assert_str_eq(copy, "ab");
	free(copy);
}

struct item {
	int number;
	struct link link;
};

Test(own, rings_keep_order_through_splice_and_removal)
{
	struct link a;
	struct link b;
	struct item items[4];
	link_init(&a);
	link_init(&b);
	link_splice(&a, &b);
	cr_assert(link_alone(&a));
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		link_after(i < 2 ? a.previous : b.previous, &items[i].link);
	}
	link_splice(&a, &b);
	cr_assert(link_alone(&b));
	link_out(&items[1].link);
	link_out(&items[1].link);
	const int want[] = { 0, 2, 3 };
	const struct link *at = a.next;
	for (int i = 0; i < 3; i++, at = at->next)
		cr_assert_eq(LINK_OF(at, struct item, link)->number, want[i]);
	cr_assert_eq(at, &a);
}

Test(own, taken_descriptor_is_not_closed)
{
	int kept;
	{
		OWN_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		OWN_CLOSE int none = -1;
		(void)none;
		kept = own_take(&fd);
		cr_assert_eq(fd, -1);
	}
	cr_assert_geq(fcntl(kept, F_GETFD), 0);
	own_close(kept);
	cr_assert_lt(fcntl(kept, F_GETFD), 0);
}
