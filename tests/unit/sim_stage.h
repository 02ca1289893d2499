/* sim_stage: a watcher on a file system in memory; /w/r is the root, unless said otherwise. */
#ifndef CARVED_TESTS_SIM_STAGE_H
#define CARVED_TESTS_SIM_STAGE_H

#include <linux/magic.h>

#include "tests/sim/memfs.h"
#include "tests/unit/watcher_world.h"

static struct world stage;

UNUSED static struct mem_spot spot_at(const char *path)
{
	struct mem_spot spot;
	mem.all_seeing = true;
	cr_assert_eq(mem_resolve(path, &spot), 0, "%s", path);
	mem.all_seeing = false;
	return spot;
}

UNUSED static struct mem_inode *parent_of(const char *path)
{
	char dir[256];
	(void)snprintf(dir, sizeof dir, "%.*s/", (int)(strrchr(path, '/') - path), path);
	return spot_at(dir).inode;
}

UNUSED static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

UNUSED static struct mem_entry *entry_at(const char *path)
{
	return mem_find(parent_of(path), name_of(path));
}

UNUSED static void stage_dir(const char *path)
{
	cr_assert_eq(mem_make(parent_of(path), name_of(path), MEM_DIR, NULL), 0, "%s", path);
}

UNUSED static void stage_file(const char *path)
{
	cr_assert_eq(mem_make(parent_of(path), name_of(path), MEM_FILE, NULL), 0, "%s", path);
	mem_close(mem_open_write(entry_at(path)));
}

UNUSED static void stage_move(const char *from, const char *to)
{
	cr_assert_eq(mem_rename(entry_at(from), parent_of(to), name_of(to)), 0, "%s", from);
}

UNUSED static void stage_mount(const char *what, const char *where)
{
	cr_assert_eq(mem_mount(spot_at(where), what ? spot_at(what).inode : NULL, TMPFS_MAGIC), 0);
}

UNUSED static void stage_begin(void)
{
	mem_begin(1);
	stage = (struct world){ 0 };
	cr_assert_eq(watcher_new(&stage.w, NULL), 0);
	stage_dir("/w");
	stage_dir("/w/r");
	stage_dir("/w/s");
}

UNUSED static void stage_end(void)
{
	mem_hook = NULL;
	mem_fault = NULL;
	watcher_free(stage.w);
	world_forget(&stage);
	free(stage.told);
	mem_end();
}

/* Everything that the kernel has queued is read. */
UNUSED static void stage_read(void)
{
	unsigned char bytes[sizeof(struct inotify_event) + 48];
	for (const struct mem_event *event; (event = mem_queue_first()) != NULL; mem_queue_pop()) {
		struct inotify_event head = { .wd = event->wd,
					      .mask = event->mask,
					      .cookie = event->cookie };
		head.len = (uint32_t)(mem_event_size(event) - sizeof head);
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes, &head, sizeof head);
		memcpy(bytes + sizeof head, event->name, strlen(event->name));
		cr_assert(reader_feed(stage.w->reader, bytes, mem_event_size(event)));
	}
}

UNUSED static void stage_settle(void)
{
	do {
		stage_read();
		world_drain(&stage);
		if (stage.w->timer_ns > mem.now_ns)
			mem.now_ns = stage.w->timer_ns;
	} while (mem_queue_left() > 0 || stage.w->timer_ns != 0);
	world_drain(&stage);
}

UNUSED static void stage_ready(void)
{
	(void)world_root(&stage, "/w/r", WATCHER_AUTO);
	stage_settle();
	world_forget(&stage);
}

#endif
