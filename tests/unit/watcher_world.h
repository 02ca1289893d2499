/*
 * A world for tests of the watcher: a temporary tree, a watcher on it, and everything it told.
 *
 * Nothing here sleeps: world_settle() waits on watcher_fd() until a ticket has passed. What cannot
 * come within WORLD_PATIENCE_MS fails the test.
 */
#ifndef CARVED_TESTS_WATCHER_WORLD_H
#define CARVED_TESTS_WATCHER_WORLD_H

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/inside.h"
#include "watcher/watcher.h"

#define WORLD_PATIENCE_MS 240000
#define UNUSED		  __attribute__((unused))

struct told {
	enum watcher_kind kind;
	enum watcher_cause cause;
	uint32_t root;
	char *path;
	char *from;
	char *text;
	struct statx stat;
};

struct world {
	char dir[64];
	struct watcher *w;
	struct told *told;
	size_t count;
};

/* A path below the world's directory, in one of a few buffers that take turns. */
UNUSED static const char *at(const struct world *world, const char *format, ...)
{
	static char ring[8][16384];
	static unsigned next;
	char *out = ring[next++ % 8];
	va_list arguments;
	va_start(arguments, format);
	int len = snprintf(out, 16384, "%s/", world->dir);
	(void)vsnprintf(out + len, 16384 - (size_t)len, format, arguments);
	va_end(arguments);
	return out;
}

UNUSED static void make_dir(const char *path)
{
	cr_assert_eq(mkdir(path, 0755), 0, "mkdir %s: %s", path, strerror(errno));
}

UNUSED static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "open %s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, "x", 1), 1);
	close(fd);
}

UNUSED static void move(const char *from, const char *to)
{
	cr_assert_eq(rename(from, to), 0, "rename %s: %s", from, strerror(errno));
}

UNUSED static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

UNUSED static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS);
}

UNUSED static void world_open(struct world *world, size_t buffer_bytes)
{
	*world = (struct world){ .dir = "/tmp/carved-watcher-XXXXXX" };
	cr_assert_not_null(mkdtemp(world->dir));
	struct watcher_options options = { .buffer_bytes = buffer_bytes };
	cr_assert_eq(watcher_new(&world->w, &options), 0);
}

UNUSED static void world_forget(struct world *world)
{
	for (size_t i = 0; i < world->count; i++) {
		free(world->told[i].path);
		free(world->told[i].from);
		free(world->told[i].text);
	}
	world->count = 0;
}

UNUSED static void world_close(struct world *world)
{
	watcher_free(world->w);
	world_forget(world);
	free(world->told);
	remove_tree(world->dir);
}

UNUSED static uint32_t world_root(struct world *world, const char *path, enum watcher_mode mode)
{
	uint32_t index = 0;
	int failed = watcher_add_root(world->w, path, mode, &index);
	cr_assert_eq(failed, 0, "watcher_add_root(%s): %d", path, failed);
	return index;
}

UNUSED static void world_note(struct world *world, const struct watcher_event *event)
{
	if ((world->count & (world->count + 1)) == 0)
		world->told = realloc(world->told, (2 * world->count + 2) * sizeof *world->told);
	world->told[world->count++] = (struct told){
		.kind = event->kind,
		.cause = event->cause,
		.root = event->root,
		.path = event->path ? strdup(event->path) : NULL,
		.from = event->from ? strdup(event->from) : NULL,
		.text = event->text ? strdup(event->text) : NULL,
		.stat = event->stat ? *event->stat : (struct statx){ 0 },
	};
	if (event->path && event->kind <= WATCHER_GONE) {
		cr_assert_eq(strlen(event->path), event->path_len);
		cr_assert_lt(event->dir_len, event->path_len);
		cr_assert_eq(event->path[event->dir_len], '/');
		cr_assert_null(strchr(event->path + event->dir_len + 1, '/'));
		cr_assert_neq(event->fsid, 0, "%s lies on no file system", event->path);
	}
}

/* One call; what it told is noted. */
UNUSED static int world_step(struct world *world)
{
	struct watcher_event event;
	int did = watcher_next(world->w, &event);
	cr_assert_geq(did, 0, "watcher_next: %d", did);
	if (did == WATCHER_EVENT)
		world_note(world, &event);
	return did;
}

UNUSED static int64_t world_deadline(void)
{
	return own_now_ns() + WORLD_PATIENCE_MS * INT64_C(1000000);
}

/* Waits until watcher_fd() is readable. */
UNUSED static void world_wait(struct world *world, int64_t deadline)
{
	int64_t left = (deadline - own_now_ns()) / 1000000;
	struct pollfd fd = { .fd = watcher_fd(world->w), .events = POLLIN };
	cr_assert_gt(left, 0, "waited too long");
	cr_assert_geq(poll(&fd, 1, (int)left), 0);
	cr_assert(fd.revents & POLLIN, "waited too long");
}

/* Takes what is there now, without waiting. */
UNUSED static void world_drain(struct world *world)
{
	while (world_step(world) != WATCHER_NOTHING)
		;
}

/* Waits until everything that has happened by now was told and followed up. */
UNUSED static void world_settle(struct world *world)
{
	int64_t deadline = world_deadline();
	uint64_t ticket = watcher_ticket(world->w);
	for (;;) {
		world_drain(world);
		if (watcher_passed(world->w, ticket))
			return;
		world_wait(world, deadline);
	}
}

UNUSED static size_t world_count(const struct world *world, enum watcher_kind kind,
				 const char *path)
{
	size_t count = 0;
	for (size_t i = 0; i < world->count; i++) {
		const struct told *told = &world->told[i];
		count += told->kind == kind &&
			 (!path || (told->path && strcmp(told->path, path) == 0));
	}
	return count;
}

UNUSED static const struct told *world_find(const struct world *world, enum watcher_kind kind,
					    const char *path)
{
	for (size_t i = 0; i < world->count; i++) {
		const struct told *told = &world->told[i];
		if (told->kind == kind && (!path || (told->path && strcmp(told->path, path) == 0)))
			return told;
	}
	return NULL;
}

/* Was the path told at all as something that may be complete? */
UNUSED static bool world_told(const struct world *world, const char *path)
{
	return world_find(world, WATCHER_CLOSED, path) || world_find(world, WATCHER_MOVED, path) ||
	       world_find(world, WATCHER_WALKED, path) || world_find(world, WATCHER_CREATED, path);
}

UNUSED static size_t world_gaps(const struct world *world, enum watcher_kind kind,
				enum watcher_cause cause)
{
	size_t count = 0;
	for (size_t i = 0; i < world->count; i++)
		count += world->told[i].kind == kind && world->told[i].cause == cause;
	return count;
}

/* Waits until something of that kind (and path, unless NULL) was told. */
UNUSED static void world_await(struct world *world, enum watcher_kind kind, const char *path)
{
	int64_t deadline = world_deadline();
	for (;;) {
		world_drain(world);
		if (world_find(world, kind, path))
			return;
		world_wait(world, deadline);
	}
}

UNUSED static void world_await_gap(struct world *world, enum watcher_kind kind,
				   enum watcher_cause cause)
{
	int64_t deadline = world_deadline();
	for (;;) {
		world_drain(world);
		if (world_gaps(world, kind, cause) > 0)
			return;
		world_wait(world, deadline);
	}
}

/* A watcher with its thread on <dir>/r, walked; told so far is forgotten. */
UNUSED static void world_ready(struct world *world)
{
	world_open(world, 0);
	make_dir(at(world, "r"));
	(void)world_root(world, at(world, "r"), WATCHER_INOTIFY);
	cr_assert_eq(watcher_start(world->w), 0);
	world_settle(world);
	world_forget(world);
}

/* A file made in the root now is told at its path. */
UNUSED static void world_check_alive(struct world *world, const char *root)
{
	static unsigned serial;
	char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/alive%u", root, serial++);
	make_file(path);
	world_settle(world);
	cr_assert(world_find(world, WATCHER_CLOSED, path), "%s", path);
}

/* ------- the oracle: the kernel's list of watches against the directories on disk ------- */

struct inode_set {
	struct inode {
		uint64_t dev;
		uint64_t ino;
	} at[65536];

	size_t count;
};

static struct inode_set oracle_disk;
static struct inode_set oracle_kernel;

UNUSED static bool set_has(const struct inode_set *set, uint64_t dev, uint64_t ino)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->at[i].dev == dev && set->at[i].ino == ino)
			return true;
	}
	return false;
}

UNUSED static void set_add(struct inode_set *set, uint64_t dev, uint64_t ino)
{
	cr_assert_lt(set->count, 65536);
	set->at[set->count++] = (struct inode){ .dev = dev, .ino = ino };
}

/* The kernel's own number of a device, as fdinfo shows it. */
UNUSED static uint64_t kernel_dev(dev_t dev)
{
	return (uint64_t)major(dev) << 20 | minor(dev);
}

UNUSED static int oracle_visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type == FTW_D || type == FTW_DNR)
		set_add(&oracle_disk, kernel_dev(st->st_dev), st->st_ino);
	return 0;
}

UNUSED static void oracle_read_kernel(const struct world *world)
{
	char path[64];
	char line[512];
	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", world->w->inotify_fd);
	FILE *file = fopen(path, "re");
	cr_assert_not_null(file);
	oracle_kernel.count = 0;
	while (fgets(line, sizeof line, file)) {
		unsigned wd;
		unsigned long ino;
		unsigned long dev;
		if (sscanf(line, "inotify wd:%x ino:%lx sdev:%lx", &wd, &ino, &dev) == 3)
			set_add(&oracle_kernel, dev, ino);
	}
	(void)fclose(file);
}

/* Every directory below root is watched, and nothing else but directories above the root. */
UNUSED static void world_check_watches(const struct world *world, const char *root)
{
	struct stat st;
	char above[PATH_MAX];
	oracle_disk.count = 0;
	(void)nftw(root, oracle_visit, 64, FTW_PHYS);
	oracle_read_kernel(world);
	for (size_t i = 0; i < oracle_disk.count; i++)
		cr_assert(set_has(&oracle_kernel, oracle_disk.at[i].dev, oracle_disk.at[i].ino),
			  "a directory is not watched: inode %llu",
			  (unsigned long long)oracle_disk.at[i].ino);
	for (int up = 1; up < 20; up++) {
		int len = snprintf(above, sizeof above, "%s", root);
		for (int i = 0; i < up; i++)
			len += snprintf(above + len, sizeof above - (size_t)len, "/..");
		cr_assert_eq(stat(above, &st), 0);
		set_add(&oracle_disk, kernel_dev(st.st_dev), st.st_ino);
	}
	for (size_t i = 0; i < oracle_kernel.count; i++)
		cr_assert(set_has(&oracle_disk, oracle_kernel.at[i].dev, oracle_kernel.at[i].ino),
			  "something is watched that is no directory below the root");
}

/* ------- records as the kernel writes them, for traces ------- */

struct trace {
	char bytes[65536];
	size_t len;
};

UNUSED static void trace_add(struct trace *trace, int wd, uint32_t mask, uint32_t cookie,
			     const char *name)
{
	uint32_t name_len = name ? (uint32_t)((strlen(name) / 16 + 1) * 16) : 0;
	struct inotify_event head = { .wd = wd, .mask = mask, .cookie = cookie, .len = name_len };
	cr_assert_leq(trace->len + sizeof head + name_len, sizeof trace->bytes);
	memcpy(trace->bytes + trace->len, &head, sizeof head);
	memset(trace->bytes + trace->len + sizeof head, 0, name_len);
	if (name)
		memcpy(trace->bytes + trace->len + sizeof head, name, strlen(name));
	trace->len += sizeof head + name_len;
}

/* Hands the trace to a watcher whose thread does not run. */
UNUSED static void trace_feed(struct trace *trace, struct world *world)
{
	cr_assert(reader_feed(world->w->reader, trace->bytes, trace->len));
	trace->len = 0;
}

/* The directory of that path, in the first root that has it. */
UNUSED static const struct node *node_at(const struct world *world, const char *path)
{
	const struct watcher *w = world->w;
	for (uint32_t i = 0; i < w->root_count; i++) {
		const struct root *root = w->roots[i];
		const struct node *node = root->top;
		const char *rest = path + root->path_len;
		if (strncmp(path, root->path, root->path_len) != 0 || (*rest && *rest != '/'))
			continue;
		while (node && *rest) {
			size_t len = strcspn(++rest, "/");
			node = tree_child(&w->tree, node, rest, len);
			rest += len;
		}
		if (node)
			return node;
	}
	return NULL;
}

/* The watch descriptor of a directory. */
UNUSED static int wd_of(const struct world *world, const char *path)
{
	const struct node *node = node_at(world, path);
	cr_assert_not_null(node, "%s is not in the tree", path);
	return node->wd;
}

#endif
