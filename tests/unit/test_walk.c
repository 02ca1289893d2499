/* walk: what listings meet, in what order watch and list happen, what they forget. */
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/unit/watcher_world.h"
#include "watcher/walk.h"

/* Done between setting the watch of a directory and listing it, when set. */
static void (*before_listing)(void);
/* Done when a watch was set, when set. */
static void (*after_watching)(void);
static unsigned watches_set;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	watches_set++;
	int wd = (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	if (after_watching)
		after_watching();
	return wd;
}

/* So many calls of getdents64, and of statx by name, every other of which a signal interrupts. */
static unsigned interrupted;
/* The name whose statx fails with the error, when set. */
static const char *bad_name;
static int bad_error;

static bool interrupts(void)
{
	if (interrupted == 0)
		return false;
	errno = EINTR;
	return --interrupted % 2;
}

int statx(int fd, const char *path, int flags, unsigned mask, struct statx *out)
{
	if (*path != '\0' && interrupts())
		return -1;
	if (bad_name && strcmp(path, bad_name) == 0) {
		errno = bad_error;
		return -1;
	}
	return (int)syscall(SYS_statx, fd, path, flags, mask, out);
}

ssize_t getdents64(int fd, void *buffer, size_t size)
{
	if (before_listing)
		before_listing();
	if (interrupts())
		return -1;
	return syscall(SYS_getdents64, fd, buffer, size);
}

static const struct world *acting;
static unsigned acts;

static void make_one_more(void)
{
	if (acts < 40)
		make_file(at(acting, "r/late%u", acts++));
}

Test(walk, file_made_between_watch_and_list_or_after_is_told)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	for (int i = 0; i < 10; i++)
		make_dir(at(&world, "r/d%d", i));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	acting = &world;
	before_listing = make_one_more;
	world_settle(&world);
	before_listing = NULL;
	world_settle(&world);
	cr_assert_gt(acts, 10);
	for (unsigned i = 0; i < acts; i++)
		cr_assert(world_told(&world, at(&world, "r/late%u", i)), "%u", i);
	world_close(&world);
}

static void make_one_in_the_new(void)
{
	if (acts == 0 && access(at(acting, "r/new"), F_OK) == 0)
		make_file(at(acting, "r/new/f%u", acts++));
}

/* A new directory's watch stands before it is listed: what is closed in between is told by an
 * event, and by the listing after it. To the history both must be one file on one file system,
 * which world_note() holds for every event. */
Test(walk, file_closed_between_watch_and_list_lies_on_a_file_system)
{
	struct world world;
	world_ready(&world);
	acting = &world;
	acts = 0;
	after_watching = make_one_in_the_new;
	make_dir(at(&world, "r/new"));
	world_settle(&world);
	after_watching = NULL;
	cr_assert_eq(acts, 1);
	world_settle(&world); /* its event came after the first ticket */
	cr_assert_geq(world_count(&world, WATCHER_CLOSED, at(&world, "r/new/f0")), 1);
	world_close(&world);
}

static void move_the_tree(void)
{
	if (++acts == 3)
		move(at(acting, "r/a"), at(acting, "r/b"));
}

Test(walk, tree_moved_while_it_is_walked_is_walked_where_it_is)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/a"));
	for (int i = 0; i < 20; i++) {
		make_dir(at(&world, "r/a/d%d", i));
		make_file(at(&world, "r/a/d%d/f", i));
	}
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	acting = &world;
	before_listing = move_the_tree;
	world_settle(&world);
	before_listing = NULL;
	world_settle(&world);
	for (int i = 0; i < 20; i++)
		cr_assert(world_told(&world, at(&world, "r/b/d%d/f", i)));
	world_check_watches(&world, at(&world, "r"));
	world_close(&world);
}

Test(walk, special_files_are_told_with_what_they_are)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/file"));
	cr_assert_eq(link(at(&world, "r/file"), at(&world, "r/hard")), 0);
	cr_assert_eq(symlink("file", at(&world, "r/soft")), 0);
	cr_assert_eq(mkfifo(at(&world, "r/fifo"), 0600), 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_settle(&world);
	const struct told *file = world_find(&world, WATCHER_WALKED, at(&world, "r/file"));
	const struct told *hard = world_find(&world, WATCHER_WALKED, at(&world, "r/hard"));
	cr_assert(S_ISREG(file->stat.stx_mode));
	cr_assert_eq(file->stat.stx_ino, hard->stat.stx_ino);
	cr_assert_eq(file->stat.stx_size, 1);
	cr_assert(file->stat.stx_mask & STATX_BTIME);
	cr_assert(S_ISLNK(world_find(&world, WATCHER_WALKED, at(&world, "r/soft"))->stat.stx_mode));
	cr_assert(
		S_ISFIFO(world_find(&world, WATCHER_WALKED, at(&world, "r/fifo"))->stat.stx_mode));
	cr_assert_eq(world_count(&world, WATCHER_WALKED, NULL), 4);
	world_close(&world);
}

Test(walk, many_entries_come_once_each_and_a_call_is_bounded)
{
	enum {
		FILES = 5000
	};
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	for (int i = 0; i < FILES; i++)
		make_file(at(&world, "r/f%d", i));
	for (int i = 0; i < 3000; i++)
		make_dir(at(&world, "r/d%d", i));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	struct watcher_stats stats;
	uint64_t before = 0;
	for (int did = WATCHER_BUSY; did != WATCHER_NOTHING;) {
		did = world_step(&world);
		watcher_stats(world.w, &stats);
		cr_assert_leq(stats.entries_walked - before, 2000);
		before = stats.entries_walked;
	}
	cr_assert_eq(world_count(&world, WATCHER_WALKED, NULL), FILES);
	cr_assert_eq(stats.directories, 3001);
	cr_assert_geq(stats.watches, 3001);
	cr_assert_eq(world_count(&world, WATCHER_WALKED_ALL, NULL), 1);
	world_close(&world);
}

Test(walk, directories_deeper_than_path_max_are_walked_and_watched)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	char name[201];
	memset(name, 'n', 200);
	name[200] = '\0';
	int fd = open(at(&world, "r"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 40; i++) {
		cr_assert_eq(mkdirat(fd, name, 0755), 0);
		int below = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	int file = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(file);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world.w), 0);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, NULL), 1);
	cr_assert_eq(strlen(world_find(&world, WATCHER_WALKED, NULL)->path),
		     strlen(at(&world, "r")) + 40 * 201 + 2);
	world_forget(&world);
	close(openat(fd, "g", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	close(fd);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_CLOSED, NULL), 1);
	world_close(&world);
}

Test(walk, directories_removed_behind_its_back_are_forgotten)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	for (int i = 0; i < 100; i++)
		make_dir(at(&world, "r/d%d", i));
	(void)world_root(&world, at(&world, "r"), WATCHER_POLL);
	world_settle(&world);
	for (int i = 0; i < 100; i += 2)
		cr_assert_eq(rmdir(at(&world, "r/d%d", i)), 0);
	watcher_retry(world.w);
	world_settle(&world);
	world_drain(&world);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 50);
	cr_assert_eq(world.w->tree.count, 51);
	world_close(&world);
}

Test(walk, directory_news_of_a_walked_one_cost_no_second_listing)
{
	struct world world;
	world_ready(&world);
	make_dir(at(&world, "r/d"));
	watcher_reconcile(world.w); /* finds d; its IN_CREATE is still unread or just read */
	world_settle(&world);
	struct watcher_stats before;
	struct watcher_stats after;
	watcher_stats(world.w, &before);
	struct trace trace = { .len = 0 };
	trace_add(&trace, wd_of(&world, at(&world, "r")), IN_CREATE | IN_ISDIR, 0, "d");
	trace_feed(&trace, &world);
	world_settle(&world);
	watcher_stats(world.w, &after);
	cr_assert_eq(after.walks, before.walks);
	world_close(&world);
}

Test(walk, signals_do_not_disturb_a_listing)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_file(at(&world, "r/f"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	interrupted = 8;
	world_drain(&world);
	cr_assert_leq(interrupted, 2);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/f")), 1);
	cr_assert_eq(world_count(&world, WATCHER_GAP_OPENED, NULL), 0);
	world_close(&world);
}

/* One entry that cannot be looked at is told all the same, and hides nothing else. */
Test(walk, entry_that_cannot_be_looked_at_is_told_and_listed_again)
{
	struct world world;
	world_ready(&world);
	make_file(at(&world, "r/a"));
	make_file(at(&world, "r/bad"));
	make_dir(at(&world, "r/d"));
	make_file(at(&world, "r/d/z"));
	world_settle(&world);
	world_forget(&world);
	bad_name = "bad";
	bad_error = EIO;
	watcher_reconcile(world.w);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/a")), 1);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/d/z")), 1);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/bad")), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_UNREADABLE), 1);
	cr_assert(strstr(world_find(&world, WATCHER_COMPLAINT, NULL)->text, "Input/output"));
	bad_name = NULL;
	watcher_retry(world.w);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_UNREADABLE);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/bad")), 2);
	bad_name = "bad";
	bad_error = EACCES;
	watcher_reconcile(world.w);
	world_settle(&world);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/bad")), 2,
		     "no search permission");
	world_close(&world);
}

static int run_as_nobody(void (*body)(void))
{
	pid_t child = fork();
	if (child == 0) {
		if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
			_exit(77);
		body();
		_exit(0);
	}
	int status = 0;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#define REQUIRE(condition)                                                              \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                       \
		}                                                                       \
	} while (0)

static void unreadable_directory(void)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	make_dir(at(&world, "r/e"));
	make_file(at(&world, "r/d/f"));
	REQUIRE(chmod(at(&world, "r/d"), 0300) == 0);
	REQUIRE(chmod(at(&world, "r/e"), 0) == 0);
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	REQUIRE(watcher_start(world.w) == 0);
	world_await(&world, WATCHER_WALKED_ALL, NULL);
	REQUIRE(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_UNREADABLE) == 1);
	REQUIRE(world_count(&world, WATCHER_COMPLAINT, at(&world, "r/d")) == 1);
	REQUIRE(strstr(world_find(&world, WATCHER_COMPLAINT, NULL)->text, "permission"));
	REQUIRE(watcher_needs_retry(world.w));
	watcher_retry(world.w);
	world_settle(&world);
	REQUIRE(world_count(&world, WATCHER_COMPLAINT, NULL) == 2);
	/* the parent's IN_ATTRIB is enough, no retry is needed */
	REQUIRE(chmod(at(&world, "r/d"), 0755) == 0);
	world_await(&world, WATCHER_WALKED, at(&world, "r/d/f"));
	REQUIRE(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_UNREADABLE) == 0);
	REQUIRE(chmod(at(&world, "r/e"), 0755) == 0);
	world_await_gap(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_UNREADABLE);
	REQUIRE(!watcher_needs_retry(world.w));
	make_file(at(&world, "r/d/g"));
	make_file(at(&world, "r/e/g"));
	world_settle(&world);
	REQUIRE(world_find(&world, WATCHER_CLOSED, at(&world, "r/d/g")));
	REQUIRE(world_find(&world, WATCHER_CLOSED, at(&world, "r/e/g")));
	world_close(&world);
}

/* A walk that visits everything must visit what lies below the root's own directory too, once that
 * can be read again. */
static void unreadable_root(void)
{
	struct world world;
	world_open(&world, 0);
	make_dir(at(&world, "r"));
	make_dir(at(&world, "r/d"));
	(void)world_root(&world, at(&world, "r"), WATCHER_INOTIFY);
	world_drain(&world);
	/* the thread does not run yet: this is what an overflow hides */
	make_file(at(&world, "r/d/hidden"));
	REQUIRE(chmod(at(&world, "r"), 0300) == 0);
	watcher_reconcile(world.w);
	world_drain(&world);
	REQUIRE(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_UNREADABLE) == 1);
	REQUIRE(world_count(&world, WATCHER_WALKED, at(&world, "r/d/hidden")) == 0);
	struct trace trace = { .len = 0 };
	REQUIRE(chmod(at(&world, "r"), 0755) == 0);
	trace_add(&trace, world.w->roots[0]->top->wd, IN_ATTRIB | IN_ISDIR, 0, NULL);
	trace_feed(&trace, &world);
	world_drain(&world);
	REQUIRE(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_UNREADABLE) == 1);
	REQUIRE(world_count(&world, WATCHER_WALKED, at(&world, "r/d/hidden")) == 1);
	world_close(&world);
}

Test(walk, what_lies_below_a_root_that_was_unreadable_is_visited)
{
	int status = run_as_nobody(unreadable_root);
	if (status == 77)
		fprintf(stderr, "not run: this user cannot become another one\n");
	else
		cr_assert_eq(status, 0);
}

Test(walk, unreadable_directory_is_a_gap_until_it_can_be_read)
{
	int status = run_as_nobody(unreadable_directory);
	if (status == 77)
		fprintf(stderr, "not run: this user cannot become another one\n");
	else
		cr_assert_eq(status, 0);
}
