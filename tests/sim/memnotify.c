/* memnotify: marks and the queue, as fs/notify/inotify has them. See memfs.h. */
#include <sys/inotify.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/memfs.h"

static bool same(const struct mem_event *a, const struct mem_event *b)
{
	return a->wd == b->wd && a->mask == b->mask && a->cookie == b->cookie &&
	       strcmp(a->name, b->name) == 0;
}

size_t mem_event_size(const struct mem_event *event)
{
	size_t len = strlen(event->name);
	return sizeof(struct inotify_event) + (len ? (len / 16 + 1) * 16 : 0);
}

size_t mem_queue_left(void)
{
	return mem.queue_len - mem.queue_at;
}

uint64_t mem_queue_bytes(void)
{
	uint64_t bytes = 0;
	for (size_t i = mem.queue_at; i < mem.queue_len; i++)
		bytes += mem_event_size(&mem.queue[i]);
	return bytes;
}

const struct mem_event *mem_queue_first(void)
{
	return mem_queue_left() ? &mem.queue[mem.queue_at] : NULL;
}

void mem_queue_pop(void)
{
	if (mem.queue[mem.queue_at].mask & IN_Q_OVERFLOW)
		mem.overflowed = false;
	mem.queue_at++;
	if (mem.queue_at == mem.queue_len)
		mem.queue_at = mem.queue_len = 0;
}

/* Only the last one in the queue is compared: inotify_merge(). */
static void put(const struct mem_event *event)
{
	struct mem_event over = { .wd = -1, .mask = IN_Q_OVERFLOW };
	if (mem_queue_left() >= mem.queue_most) {
		mem.dropped++;
		if (mem.overflowed)
			return;
		mem.overflowed = true;
		event = &over;
	} else if (mem_queue_left() && same(event, &mem.queue[mem.queue_len - 1])) {
		return;
	}
	if (mem.queue_len == mem.queue_capacity) {
		mem.queue_capacity = mem.queue_capacity ? mem.queue_capacity * 2 : 256;
		mem.queue = realloc(mem.queue, mem.queue_capacity * sizeof *mem.queue);
		if (!mem.queue)
			abort();
	}
	mem.queue[mem.queue_len++] = *event;
	mem.queued += mem_event_size(event);
}

void mem_notify(struct mem_inode *inode, uint32_t mask, uint32_t cookie, const char *name)
{
	const uint32_t always = IN_IGNORED | IN_UNMOUNT;
	if (!inode || !inode->wd || !mem.instance)
		return;
	if (!(mask & always) && !(mask & inode->mask & IN_ALL_EVENTS))
		return;
	/* both have never said that they are about a directory */
	if (mask & (IN_MOVE_SELF | IN_DELETE_SELF))
		mask &= ~(uint32_t)IN_ISDIR;
	struct mem_event event = { .wd = inode->wd, .mask = mask, .cookie = cookie };
	strncpy(event.name, name, sizeof event.name - 1);
	put(&event);
}

void mem_notify_entry(const struct mem_entry *entry, uint32_t mask)
{
	if (entry->inode->kind == MEM_DIR)
		mask |= IN_ISDIR;
	mem_notify(entry->dir, mask, 0, entry->name);
	mem_notify(entry->inode, mask, 0, "");
}

int mem_watch(struct mem_inode *inode, uint32_t mask)
{
	if (!(inode->mode & MEM_READ))
		return -EACCES;
	if (inode->wd) {
		inode->mask = mask & IN_MASK_ADD ? inode->mask | mask : mask;
		return inode->wd;
	}
	if (mem.watches >= mem.watches_most)
		return -ENOSPC;
	mem.watches++;
	inode->wd = ++mem.next_wd;
	inode->mask = mask;
	return inode->wd;
}

void mem_unwatch(struct mem_inode *inode)
{
	if (!inode->wd)
		return;
	mem_notify(inode, IN_IGNORED, 0, "");
	inode->wd = 0;
	mem.watches--;
}
