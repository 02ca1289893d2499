/* paths: as the root was written, a slash, and the rest. */
#include "tests/unit/watcher_world.h"
#include "watcher/paths.h"

Test(paths, cached_path_follows_the_tree)
{
	struct world world;
	struct watcher_event event;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/e"));
	(void)world_root(&world, at(&world, "r"), WATCHER_POLL);
	world_drain(&world);
	struct node *top = world.w->roots[0]->top;
	struct node *d = tree_child(&world.w->tree, top, "d", 1);
	struct node *e = tree_child(&world.w->tree, d, "e", 1);
	for (int i = 0; i < 3; i++) {
		cr_assert(paths_speak(world.w, e, "name", 4, &event));
		cr_assert_str_eq(event.path, at(&world, "r/d/e/name"));
		cr_assert_eq(event.dir_len, strlen(at(&world, "r/d/e")));
		cr_assert(paths_speak(world.w, top, "n", 1, &event));
		cr_assert_str_eq(event.path, at(&world, "r/n"));
	}
	cr_assert(paths_speak(world.w, e, "x", 1, &event));
	tree_move(&world.w->tree, d, top, "moved", 5);
	cr_assert(paths_speak(world.w, e, "x", 1, &event));
	cr_assert_str_eq(event.path, at(&world, "r/moved/e/x"));
	tree_detach(&world.w->tree, d);
	cr_assert(!paths_speak(world.w, e, "x", 1, &event));
	tree_move(&world.w->tree, d, top, "d", 1);
	world_close(&world);
}

Test(paths, root_of_everything_is_a_slash)
{
	struct world world;
	struct watcher_event event;
	world_open(&world, 0);
	(void)world_root(&world, "/", WATCHER_POLL);
	struct node *top = world.w->roots[0]->top;
	cr_assert(paths_speak(world.w, top, "etc", 3, &event));
	cr_assert_str_eq(event.path, "/etc");
	cr_assert_eq(event.dir_len, 0);
	paths_tell(world.w, WATCHER_DIR_GONE, top, NULL);
	while (!world_find(&world, WATCHER_DIR_GONE, "/"))
		cr_assert_eq(world_step(&world), WATCHER_EVENT);
	world_close(&world);
}
