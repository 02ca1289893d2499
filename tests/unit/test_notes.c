/* notes: first in, first out, with strings of their own. */
#include <criterion/criterion.h>
#include <string.h>

#include "watcher/notes.h"

Test(notes, come_back_in_order_with_copies_of_their_strings)
{
	struct notes notes;
	notes_init(&notes);
	struct watcher_event out;
	cr_assert(notes_empty(&notes));
	cr_assert(!notes_pop(&notes, &out));
	char path[] = "/r/d/f";
	char from[] = "/r/old";
	notes_add(&notes, &(struct watcher_event){ .kind = WATCHER_DIR_MOVED,
						   .path = path,
						   .path_len = 6,
						   .from = from,
						   .root = 3,
						   .fsid = 9 });
	notes_add(&notes, &(struct watcher_event){ .kind = WATCHER_COMPLAINT, .text = "words" });
	memset(path, 'x', 6);
	memset(from, 'x', 6);
	cr_assert(notes_pop(&notes, &out));
	cr_assert_str_eq(out.path, "/r/d/f");
	cr_assert_str_eq(out.from, "/r/old");
	cr_assert_eq(out.dir_len, 4);
	cr_assert_eq(out.root, 3);
	cr_assert_eq(out.fsid, 9);
	cr_assert(notes_pop(&notes, &out));
	cr_assert_str_eq(out.text, "words");
	cr_assert_null(out.path);
	cr_assert(!notes_pop(&notes, &out));
	notes_add(&notes, &(struct watcher_event){ .kind = WATCHER_WALKED_ALL });
	cr_assert(!notes_empty(&notes));
	notes_done(&notes);
}

Test(notes, directory_part_of_a_path)
{
	static const struct {
		const char *path;
		size_t len;
	} rows[] = { { "/a/b", 2 }, { "/a", 0 }, { "a", 0 }, { "", 0 }, { "a/b/c", 3 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(notes_dir_len(rows[i].path, strlen(rows[i].path)), rows[i].len);
}
