/* moves: pairing the halves of renames. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "watcher/moves.h"

static void hold(struct moves *moves, struct notes *notes, const char *path, uint32_t cookie,
		 uint64_t position)
{
	struct watcher_event event = {
		.root = 1, .path = path, .path_len = strlen(path), .fsid = 4
	};
	moves_hold(moves, notes, &event, cookie, position);
}

static const char *next(struct notes *notes)
{
	static struct watcher_event event;
	if (!notes_pop(notes, &event))
		return NULL;
	cr_assert_eq(event.kind, WATCHER_GONE);
	cr_assert_eq(event.root, 1);
	cr_assert_eq(event.fsid, 4);
	return event.path;
}

Test(moves, second_half_gets_the_old_path_once)
{
	struct moves moves = { 0 };
	struct notes notes;
	notes_init(&notes);
	hold(&moves, &notes, "/r/a", 7, 10);
	hold(&moves, &notes, "/r/b", 8, 20);
	cr_assert_eq(moves_since(&moves), 10);
	cr_assert_null(moves_take(&moves, 9));
	cr_assert_null(moves_take(&moves, 0));
	cr_assert_str_eq(moves_take(&moves, 7), "/r/a");
	cr_assert_null(moves_take(&moves, 7));
	cr_assert_eq(moves_since(&moves), 20);
	cr_assert_null(next(&notes));
	moves_tell_all(&moves, &notes);
	cr_assert_str_eq(next(&notes), "/r/b");
	cr_assert_eq(moves_since(&moves), UINT64_MAX);
	cr_assert_str_eq(moves_take(&moves, 8), "/r/b", "a late half still knows its old path");
	moves_tell_all(&moves, &notes);
	cr_assert_null(next(&notes));
	moves_done(&moves);
	notes_done(&notes);
}

Test(moves, full_ring_tells_the_oldest)
{
	struct moves moves = { 0 };
	struct notes notes;
	char path[32];
	notes_init(&notes);
	for (uint32_t i = 0; i < MOVES_HELD + 3; i++) {
		(void)snprintf(path, sizeof path, "/r/%u", i);
		hold(&moves, &notes, path, i + 1, i);
	}
	cr_assert_str_eq(next(&notes), "/r/0");
	cr_assert_str_eq(next(&notes), "/r/1");
	cr_assert_str_eq(next(&notes), "/r/2");
	cr_assert_null(next(&notes));
	moves_tell_all(&moves, &notes);
	for (uint32_t i = 3; i < MOVES_HELD + 3; i++) {
		(void)snprintf(path, sizeof path, "/r/%u", i);
		cr_assert_str_eq(next(&notes), path);
	}
	cr_assert_null(next(&notes));
	moves_done(&moves);
	notes_done(&notes);
}

Test(moves, something_new_at_the_old_path_tells_only_that_one)
{
	struct moves moves = { 0 };
	struct notes notes;
	notes_init(&notes);
	hold(&moves, &notes, "/r/a", 1, 1);
	hold(&moves, &notes, "/r/ab", 2, 2);
	moves_tell_path(&moves, &notes, "/r/a", 4);
	cr_assert_str_eq(next(&notes), "/r/a");
	cr_assert_null(next(&notes));
	cr_assert_eq(moves_since(&moves), 2);
	moves_done(&moves);
	notes_done(&notes);
}
