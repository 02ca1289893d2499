/* wdmap: found by number, retired until ignored, and no larger than what is watched. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "watcher/tree.h"
#include "watcher/wdmap.h"

static struct node nodes[2000];

Test(wdmap, agrees_with_an_array)
{
	struct wdmap map = { 0 };
	static struct node *want[2000];
	unsigned seed = 3;
	for (int round = 0; round < 200000; round++) {
		int wd = 1 + rand_r(&seed) % 1999;
		if (rand_r(&seed) % 3) {
			want[wd] = &nodes[wd];
			wdmap_set_node(&map, wd, &nodes[wd]);
		} else {
			want[wd] = NULL;
			wdmap_erase(&map, wd);
		}
		int ask = 1 + rand_r(&seed) % 1999;
		const struct wd_entry *entry = wdmap_find(&map, ask);
		cr_assert_eq(entry ? entry->node : NULL, want[ask]);
	}
	size_t count = 0;
	for (int i = 0; i < 2000; i++)
		count += want[i] != NULL;
	cr_assert_eq(map.count, count);
	cr_assert_eq(map.live, count);
	wdmap_done(&map);
}

Test(wdmap, does_not_grow_with_the_numbers)
{
	struct wdmap map = { 0 };
	for (int wd = 1; wd < 1000000; wd++) {
		wdmap_set_node(&map, wd, &nodes[0]);
		if (wd > 50)
			wdmap_erase(&map, wd - 50);
	}
	cr_assert_eq(map.count, 50);
	cr_assert_leq(map.capacity, 256);
	wdmap_done(&map);
}

Test(wdmap, entry_without_users_is_retired_and_can_be_purged)
{
	struct wdmap map = { 0 };
	wdmap_set_node(&map, 1, &nodes[1]);
	wdmap_set_node(&map, 2, &nodes[2]);
	wdmap_add_lookouts(&map, 2, 1);
	wdmap_add_lookouts(&map, 3, 2);
	cr_assert_eq(map.live, 3);
	wdmap_set_node(&map, 1, NULL);
	wdmap_set_node(&map, 2, NULL);
	cr_assert(wdmap_retired(wdmap_find(&map, 1)));
	cr_assert(!wdmap_retired(wdmap_find(&map, 2)), "a root still looks out there");
	cr_assert_eq(map.live, 2);
	wdmap_add_lookouts(&map, 3, -2);
	cr_assert(wdmap_retired(wdmap_find(&map, 3)));
	wdmap_purge(&map);
	cr_assert_null(wdmap_find(&map, 1));
	cr_assert_null(wdmap_find(&map, 3));
	cr_assert_eq(wdmap_find(&map, 2)->lookouts, 1);
	cr_assert_eq(map.count, 1);
	cr_assert_eq(map.live, 1);
	wdmap_erase(&map, 99);
	cr_assert_null(wdmap_find(&map, -1));
	cr_assert_null(wdmap_find(&map, 0));
	wdmap_done(&map);
}
