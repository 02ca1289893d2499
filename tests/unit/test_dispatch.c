/* dispatch: golden traces, on the real kernel and from recorded records. */
#include <sys/syscall.h>

#include "tests/unit/watcher_world.h"
#include "watcher/dispatch.h"

/* What was told of files, as a line: letter and base name each. */
static const char *line(const struct world *world)
{
	static char out[4096];
	static const char letters[] = "cmntwg";
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < world->count; i++) {
		const struct told *told = &world->told[i];
		if (told->kind > WATCHER_GONE)
			continue;
		/* CLOSED MOVED CREATED TOUCHED WALKED GONE */
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%c %s%s%s", len ? ", " : "",
					letters[told->kind], strrchr(told->path, '/') + 1,
					told->from ? "<" : "",
					told->from ? strrchr(told->from, '/') + 1 : "");
	}
	return out;
}

enum deed {
	WRITE,
	TOUCH_NEW,
	RDWR,
	MOVE_IN,
	MOVE_OUT,
	MOVE_WITHIN,
	MOVE_OVER,
	EXCHANGE,
	LINK,
	SYMLINK,
	FIFO,
	UNLINK_OPEN,
	CHMOD,
	TRUNCATE,
	RSYNC,
	TMPFILE,
	HELD_RENAME
};

static void deed_tmpfile(const struct world *world)
{
	char proc[64];
	int fd = open(at(world, "r"), O_TMPFILE | O_WRONLY, 0644);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "x", 1), 1);
	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	cr_assert_eq(linkat(AT_FDCWD, proc, AT_FDCWD, at(world, "r/named"), AT_SYMLINK_FOLLOW), 0);
	close(fd);
}

static void do_deed(const struct world *world, enum deed deed)
{
	int fd;
	switch (deed) {
	case WRITE:
	case TOUCH_NEW:
		make_file(at(world, "r/n"));
		break;
	case RDWR:
		close(open(at(world, "r/f"), O_RDWR));
		break;
	case MOVE_IN:
		move(at(world, "o"), at(world, "r/o"));
		break;
	case MOVE_OUT:
		move(at(world, "r/f"), at(world, "f"));
		break;
	case MOVE_WITHIN:
		move(at(world, "r/f"), at(world, "r/n"));
		break;
	case MOVE_OVER:
		move(at(world, "r/f"), at(world, "r/g"));
		break;
	case EXCHANGE:
		cr_assert_eq(syscall(SYS_renameat2, AT_FDCWD, at(world, "r/f"), AT_FDCWD,
				     at(world, "r/g"), 2),
			     0);
		break;
	case LINK:
		cr_assert_eq(link(at(world, "o"), at(world, "r/n")), 0);
		break;
	case SYMLINK:
		cr_assert_eq(symlink("/etc", at(world, "r/n")), 0);
		break;
	case FIFO:
		cr_assert_eq(mkfifo(at(world, "r/n"), 0644), 0);
		break;
	case UNLINK_OPEN:
		fd = open(at(world, "r/f"), O_WRONLY);
		cr_assert_eq(unlink(at(world, "r/f")), 0);
		cr_assert_eq(write(fd, "y", 1), 1);
		close(fd);
		break;
	case CHMOD:
		cr_assert_eq(chmod(at(world, "r/f"), 0600), 0);
		break;
	case TRUNCATE:
		cr_assert_eq(truncate(at(world, "r/f"), 0), 0);
		break;
	case RSYNC:
		make_file(at(world, "r/.n.Xy"));
		move(at(world, "r/.n.Xy"), at(world, "r/n"));
		break;
	case TMPFILE:
		deed_tmpfile(world);
		break;
	case HELD_RENAME:
		fd = open(at(world, "r/f"), O_WRONLY);
		move(at(world, "r/f"), at(world, "r/n"));
		cr_assert_eq(write(fd, "y", 1), 1);
		close(fd);
		break;
	}
}

Test(dispatch, deeds_are_told_as_the_golden_traces_say)
{
	static const struct {
		enum deed deed;
		const char *told;
		const char *at_once; /* its making and its close are read together */
	} rows[] = {
		{ WRITE, "n n, c n", "c n" },
		{ RDWR, "c f", NULL },
		{ MOVE_IN, "m o", NULL },
		{ MOVE_OUT, "g f", NULL },
		{ MOVE_WITHIN, "m n<f", NULL },
		{ MOVE_OVER, "m g<f", NULL },
		{ EXCHANGE, "m g<f, m f<g", NULL },
		{ LINK, "n n", NULL },
		{ SYMLINK, "n n", NULL },
		{ FIFO, "n n", NULL },
		{ UNLINK_OPEN, "g f", NULL },
		{ CHMOD, "t f", NULL },
		{ TRUNCATE, "", NULL },
		{ RSYNC, "n .n.Xy, c .n.Xy, m n<.n.Xy", "c .n.Xy, m n<.n.Xy" },
		{ TMPFILE, "n named", NULL },
		{ HELD_RENAME, "m n<f, c n", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world world;
		world_ready(&world);
		make_file(at(&world, "o"));
		make_file(at(&world, "r/f"));
		make_file(at(&world, "r/g"));
		world_settle(&world);
		world_forget(&world);
		do_deed(&world, rows[i].deed);
		world_settle(&world);
		bool at_once = rows[i].at_once && strcmp(line(&world), rows[i].at_once) == 0;
		cr_expect(at_once || strcmp(line(&world), rows[i].told) == 0,
			  "row %zu: %s, expected %s", i, line(&world), rows[i].told);
		world_close(&world);
	}
}

Test(dispatch, names_are_bytes)
{
	static const char *const names[] = { "a\nb",
					     "\xff\xfe",
					     " ",
					     "-rf",
					     "%s%n",
					     "\x01",
					     "#1",
					     "a b",
					     "\xe2\x80\xae"
					     "x" };
	struct world world;
	world_ready(&world);
	char longest[256];
	memset(longest, 0xf0, 255);
	longest[255] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		make_file(at(&world, "r/%s", names[i]));
	make_file(at(&world, "r/%s", longest));
	world_settle(&world);
	watcher_reconcile(world.w);
	world_settle(&world);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		cr_assert_eq(world_count(&world, WATCHER_CLOSED, at(&world, "r/%s", names[i])), 1);
		cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/%s", names[i])), 1);
	}
	cr_assert_eq(world_count(&world, WATCHER_CLOSED, at(&world, "r/%s", longest)), 1);
	world_close(&world);
}

/* A world whose thread does not run: only what a trace says is read. */
static void open_for_traces(struct world *world)
{
	world_open(world, 0);
	make_dir(at(world, "r"));
	make_dir(at(world, "r/d"));
	make_file(at(world, "r/f"));
	(void)world_root(world, at(world, "r"), WATCHER_INOTIFY);
	world_drain(world);
	world_forget(world);
}

Test(dispatch, halves_of_a_rename_meet_across_other_events_and_reads)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	int r = wd_of(&world, at(&world, "r"));
	int d = wd_of(&world, at(&world, "r/d"));
	trace_add(&trace, r, IN_MOVED_FROM, 7, "a");
	trace_add(&trace, r, IN_CLOSE_WRITE, 0, "x");
	trace_add(&trace, d, IN_CREATE, 0, "y");
	trace_feed(&trace, &world);
	for (int i = 0; i < 3; i++)
		(void)world_step(&world);
	trace_add(&trace, d, IN_MOVED_TO, 7, "b");
	trace_feed(&trace, &world);
	world_drain(&world);
	const struct told *moved = world_find(&world, WATCHER_MOVED, at(&world, "r/d/b"));
	cr_assert_not_null(moved);
	cr_assert_str_eq(moved->from, at(&world, "r/a"));
	world_close(&world);
}

Test(dispatch, file_that_appears_at_a_left_name_comes_after_its_leaving)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	int r = wd_of(&world, at(&world, "r"));
	trace_add(&trace, r, IN_MOVED_FROM, 7, "a");
	trace_add(&trace, r, IN_CREATE, 0, "a");
	trace_add(&trace, r, IN_MOVED_TO, 7, "b");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_str_eq(line(&world), "g a, n a, m b<a");
	world_close(&world);
}

Test(dispatch, overflow_between_records_opens_one_gap_and_walks_after_it)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	int r = wd_of(&world, at(&world, "r"));
	trace_add(&trace, r, IN_CLOSE_WRITE, 0, "x");
	trace_add(&trace, -1, IN_Q_OVERFLOW, 0, NULL);
	trace_add(&trace, r, IN_CLOSE_WRITE, 0, "y");
	trace_feed(&trace, &world);
	make_dir(at(&world, "r/new"));
	make_file(at(&world, "r/new/f"));
	world_drain(&world);
	cr_assert_str_eq(line(&world), "c x, c y, w f, w f");
	cr_assert(world_told(&world, at(&world, "r/new/f")));
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_OPENED, WATCHER_CAUSE_OVERFLOW), 1);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW), 1);
	cr_assert_eq(world.told[world.count - 1].kind, WATCHER_WALKED_ALL);
	world_close(&world);
}

Test(dispatch, unknown_descriptor_is_a_reason_to_walk_everything)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	trace_add(&trace, 12345, IN_CLOSE_WRITE, 0, "x");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_eq(world_count(&world, WATCHER_WALKED, at(&world, "r/f")), 1);
	world_close(&world);
}

Test(dispatch, ignored_of_an_unknown_or_retired_descriptor_is_nothing)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	int d = wd_of(&world, at(&world, "r/d"));
	cr_assert_eq(rmdir(at(&world, "r/d")), 0);
	trace_add(&trace, wd_of(&world, at(&world, "r")), IN_DELETE | IN_ISDIR, 0, "d");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert(world_find(&world, WATCHER_DIR_GONE, at(&world, "r/d")));
	world_forget(&world);
	trace_add(&trace, d, IN_CLOSE_WRITE, 0, "late");
	trace_add(&trace, d, IN_IGNORED, 0, NULL);
	trace_add(&trace, d, IN_IGNORED, 0, NULL);
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_eq(world.count, 0);
	cr_assert_null(wdmap_find(&world.w->tree.wds, d));
	world_close(&world);
}

Test(dispatch, ignored_of_the_old_directory_does_not_touch_the_new_one)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	int r = wd_of(&world, at(&world, "r"));
	int old = wd_of(&world, at(&world, "r/d"));
	int held = open(at(&world, "r/d"), O_RDONLY | O_CLOEXEC);
	cr_assert_eq(rmdir(at(&world, "r/d")), 0);
	make_dir(at(&world, "r/d"));
	trace_add(&trace, r, IN_DELETE | IN_ISDIR, 0, "d");
	trace_add(&trace, r, IN_CREATE | IN_ISDIR, 0, "d");
	trace_add(&trace, old, IN_DELETE_SELF, 0, NULL);
	trace_add(&trace, old, IN_IGNORED, 0, NULL);
	trace_feed(&trace, &world);
	world_drain(&world);
	close(held);
	int now = wd_of(&world, at(&world, "r/d"));
	cr_assert_gt(now, 0);
	cr_assert_neq(now, old);
	cr_assert_eq(world_count(&world, WATCHER_DIR_GONE, NULL), 0);
	trace_add(&trace, now, IN_CLOSE_WRITE, 0, "f");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert(world_find(&world, WATCHER_CLOSED, at(&world, "r/d/f")));
	world_close(&world);
}

Test(dispatch, stale_deletion_of_a_directory_that_is_there_changes_nothing)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	int r = wd_of(&world, at(&world, "r"));
	int d = wd_of(&world, at(&world, "r/d"));
	trace_add(&trace, r, IN_DELETE | IN_ISDIR, 0, "d");
	trace_add(&trace, r, IN_CREATE | IN_ISDIR, 0, "d");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_eq(world.count, 0);
	cr_assert_eq(wd_of(&world, at(&world, "r/d")), d);
	trace.len = 0;
	trace_add(&trace, r, IN_MOVED_FROM | IN_ISDIR, 3, "d");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_eq(world.count, 1, "it was away and is back: it is walked");
	cr_assert(world_find(&world, WATCHER_WALKED_ALL, NULL));
	cr_assert_eq(wd_of(&world, at(&world, "r/d")), d);
	world_close(&world);
}

Test(dispatch, records_that_the_kernel_cannot_have_written_count_as_lost_events)
{
	struct world world;
	struct trace trace = { .len = 0 };
	open_for_traces(&world);
	trace_add(&trace, wd_of(&world, at(&world, "r")), IN_CLOSE_WRITE, 0, "../x");
	trace_feed(&trace, &world);
	world_drain(&world);
	cr_assert_eq(world_gaps(&world, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW), 1);
	world_close(&world);
}

Test(dispatch, random_records_never_break_the_tree)
{
	static const uint32_t bits[] = { IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE,
					 IN_MOVED_FROM,	 IN_DELETE,   IN_DELETE_SELF,
					 IN_MOVE_SELF,	 IN_ATTRIB,   IN_UNMOUNT,
					 IN_IGNORED };
	static const char *const names[] = { "a", "b", "d", "f", NULL };
	struct world world;
	struct trace trace = { .len = 0 };
	unsigned seed = (unsigned)own_now_ns();
	fprintf(stderr, "seed %u\n", seed);
	open_for_traces(&world);
	for (int round = 0; round < 2000; round++) {
		for (int i = 0; i < 8; i++) {
			unsigned pick = (unsigned)rand_r(&seed);
			const char *a = names[pick % 3];
			const char *b = names[pick / 3 % 3];
			if (pick % 11 == 0)
				(void)mkdir(at(&world, "r/%s", a), 0755);
			if (pick % 11 == 1)
				(void)mkdir(at(&world, "r/%s/%s", a, b), 0755);
			if (pick % 11 == 2)
				(void)rename(at(&world, "r/%s", a), at(&world, "r/%s/%s", b, a));
			if (pick % 11 == 3)
				(void)rename(at(&world, "r/%s/%s", a, b), at(&world, "r/%s", b));
			if (pick % 11 == 4)
				(void)rmdir(at(&world, "r/%s", a));
			trace_add(&trace, (int)(pick >> 8) % 40 + (pick % 97 ? 1 : -1),
				  bits[pick % 10] | (pick & 64 ? IN_ISDIR : 0), pick >> 20 & 3,
				  names[(pick >> 4) % 5]);
		}
		trace_feed(&trace, &world);
		world_drain(&world);
		world_forget(&world);
	}
	world_close(&world);
}
