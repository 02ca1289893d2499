/* place: opening beneath a root, identity. */
#include "tests/unit/watcher_world.h"
#include "watcher/place.h"

Test(place, open_beneath_never_leaves_and_never_follows)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/d/e"));
	make_file(at(&world, "r/f"));
	cr_assert_eq(symlink("d", at(&world, "r/link")), 0);
	cr_assert_eq(symlink("/etc", at(&world, "r/etc")), 0);

	static const struct {
		const char *relative;
		int error;
	} rows[] = {
		{ "", 0 },	   { "d", 0 },		 { "d/e", 0 },	       { "none", -ENOENT },
		{ "f", -ENOTDIR }, { "link", -ENOTDIR }, { "link/e", -ELOOP }, { "etc", -ENOTDIR },
		{ "..", -EXDEV },  { "../r", -EXDEV },	 { "/etc", -EXDEV },
	};

	OWN_CLOSE int root = place_open_outside(at(&world, "r"), strlen(at(&world, "r")), true);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		OWN_CLOSE int fd = place_open_beneath(root, rows[i].relative, O_PATH);
		cr_expect_eq(fd < 0 ? fd : 0, rows[i].error, "%s: %d", rows[i].relative, fd);
		cr_expect_eq(place_is_absent(fd), rows[i].error != 0);
	}
	world_close(&world);
}

Test(place, only_errors_of_absence_say_absent)
{
	cr_assert(place_is_absent(-ENOENT));
	const int others[] = { -EACCES, -EMFILE, -ENFILE, -EIO, -ESTALE, -ENAMETOOLONG, 0, 5 };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_assert(!place_is_absent(others[i]));
}

Test(place, identity_tells_a_directory_made_again_from_the_old_one)
{
	struct world world;
	world_open(&world, 0);
	struct place_id old;
	struct place_id again;
	struct place_id made;
	const char *path = at(&world, "d");
	make_dir(path);
	OWN_CLOSE int held = place_open_outside(path, strlen(path), true);
	OWN_CLOSE int second = place_open_outside(path, strlen(path), true);
	cr_assert_eq(place_identify(held, &old), 0);
	cr_assert_eq(place_identify(second, &again), 0);
	cr_assert(place_same(&old, &again));
	cr_assert_eq(old.mount, again.mount);
	cr_assert_eq(rmdir(path), 0);
	make_dir(path);
	OWN_CLOSE int fd = place_open_outside(path, strlen(path), true);
	cr_assert_eq(place_identify(fd, &made), 0);
	cr_assert(!place_same(&old, &made));
	cr_assert_lt(place_identify(-1, &made), 0);
	world_close(&world);
}

Test(place, local_file_systems_are_known_and_all_others_are_not)
{
	const uint64_t local[] = { 0xef53,     0x58465342, 0x9123683e, 0x01021994,
				   0x794c7630, 0xf2f52010, 0x2fc12fc1 };
	const uint64_t remote[] = { 0x6969,	0xff534d42, 0xfe534d42, 0x65735546, 0x01021997,
				    0x00c36400, 0x5346414f, 0,		0xdeadbeef };
	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		cr_expect(place_is_local(local[i]), "%lx", (unsigned long)local[i]);
	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
		cr_expect(!place_is_local(remote[i]), "%lx", (unsigned long)remote[i]);
}

Test(place, empty_path_is_root_or_here)
{
	struct place_id a;
	struct place_id b;
	OWN_CLOSE int slash = place_open_outside("/x", 0, true);
	OWN_CLOSE int whole = place_open_outside("/", 1, true);
	cr_assert_eq(place_identify(slash, &a), 0);
	cr_assert_eq(place_identify(whole, &b), 0);
	cr_assert(place_same(&a, &b));
	char longer[5000];
	memset(longer, 'a', sizeof longer);
	cr_assert_eq(place_open_outside(longer, sizeof longer, true), -ENAMETOOLONG);
}
