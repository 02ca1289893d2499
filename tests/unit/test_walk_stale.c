/* A server that says ESTALE is not taken for our own word that a path leads elsewhere. */
#include <sys/syscall.h>

#include <dlfcn.h>

#include "tests/unit/watcher_world.h"

/* Seam: opening that name below a directory fails as it does when an NFS server forgot its handle.
 */
static const char *stale;

long syscall(long number, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long words[6];
	va_list arguments;
	va_start(arguments, number);
	for (size_t i = 0; i < 6; i++)
		words[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_openat2 && stale && strcmp((const char *)words[1], stale) == 0) {
		errno = ESTALE;
		return -1;
	}
	return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

Test(walk_stale, stale_directory_is_a_gap_until_it_can_be_opened)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_file(at(&world, "r/d/f"));
	stale = "d";
	(void)world_root(&world, at(&world, "r"), WATCHER_AUTO);
	cr_assert_eq(watcher_start(world.w), 0);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_UNREADABLE), 1);
	const struct told *said = world_find(&world, WATCHER_COMPLAINT, at(&world, "r/d"));
	cr_assert_not_null(said);
	cr_assert_not_null(strstr(said->text, "tale"), "%s", said->text);
	cr_assert(watcher_needs_retry(world.w));
	stale = NULL;
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_UNREADABLE);
	cr_assert(world_told(&world, at(&world, "r/d/f")));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(walk_stale, directory_on_the_way_that_is_stale_loses_nothing_below_it)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/e"));
	(void)world_root(&world, at(&world, "r"), WATCHER_POLL);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	world_forget(&world);
	make_file(at(&world, "r/d/e/f"));
	stale = "d";
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0, "that is no absence");
	stale = NULL;
	watcher_retry(world.w);
	world_settle(&world);
	cr_assert(world_told(&world, at(&world, "r/d/e/f")));
	world_close(&world);
}
