/* memview: watcher/view.h answered by memfs. Descriptors of the watcher's own (its eventfds) are
 * real ones and are far below ours. */
#include <sys/inotify.h>
#include <sys/stat.h>

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/memfs.h"
#include "watcher/own.h"
#include "watcher/view.h"

#define FD_BASE	    (1 << 20)
#define FDS	    64
#define FD_INSTANCE (FD_BASE - 1)

static struct descriptor {
	bool used;
	int flags;
	uint32_t cursor; /* offset of the last entry listed */
	struct mem_spot spot;
} table[FDS];

static void race(void)
{
	if (mem_hook)
		mem_hook();
}

/* Something that has nothing to do with what is asked for: 0, or -errno. */
static int fault(const char *what)
{
	race();
	int error = mem_fault ? mem_fault(what) : 0;
	mem.answered_fault += error != 0;
	return -error;
}

static struct descriptor *at_fd(int fd)
{
	assert(fd >= FD_BASE && fd < FD_BASE + FDS && table[fd - FD_BASE].used);
	return &table[fd - FD_BASE];
}

static int give(struct mem_spot spot, int flags)
{
	int i = 0;
	if (spot.inode->kind != MEM_DIR)
		return -ENOTDIR;
	if (!(flags & O_PATH) && !(spot.inode->mode & MEM_READ))
		return -EACCES;
	while (i < FDS && table[i].used)
		i++;
	assert(i < FDS);
	table[i] = (struct descriptor){ .used = true, .flags = flags, .spot = spot };
	mem_take_hold(spot.mount, spot.inode);
	mem.descriptors++;
	return FD_BASE + i;
}

static int count_unreadable(int fd)
{
	if (fd == -EACCES)
		mem.answered_unreadable++;
	return fd;
}

int view_open(const char *path)
{
	struct mem_spot spot;
	int failed = fault(__func__);
	if (failed == 0)
		failed = mem_resolve(path, &spot);
	return failed != 0 ? failed : give(spot, O_PATH);
}

int view_open_at(int at, const char *name)
{
	int failed = fault(__func__);
	if (failed != 0)
		return failed;
	struct mem_spot spot = at_fd(at)->spot;
	if (!(spot.inode->mode & MEM_SEARCH))
		return -EACCES;
	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
		failed = mem_resolve_at(spot, name, &spot);
		if (failed != 0)
			return failed;
	}
	if (strcmp(name, "..") == 0) {
		while (spot.inode == spot.mount->root && spot.mount->parent)
			spot = (struct mem_spot){ spot.mount->parent, spot.mount->point };
		if (spot.inode->parent && spot.inode != spot.mount->root)
			spot.inode = spot.inode->parent;
		mem_cross(&spot);
	}
	return give(spot, O_PATH);
}

static int beneath(struct mem_spot at, const char *relative, int flags)
{
	char name[MEM_NAME_MOST];
	while (*relative) {
		size_t len = strcspn(relative, "/");
		if (at.inode->kind == MEM_LINK)
			return -ELOOP;
		if (at.inode->kind != MEM_DIR)
			return -ENOTDIR;
		if (!(at.inode->mode & MEM_SEARCH))
			return count_unreadable(-EACCES);
		assert(len < sizeof name);
		memcpy(name, relative, len);
		name[len] = '\0';
		relative += len + (relative[len] == '/');
		if (strcmp(name, ".") == 0)
			continue;
		const struct mem_entry *entry = mem_find(at.inode, name);
		if (!entry)
			return -ENOENT;
		at.inode = entry->inode;
		mem_cross(&at);
	}
	return count_unreadable(give(at, flags));
}

int view_open_beneath(int at, const char *relative, int flags)
{
	int failed = fault(__func__);
	return failed != 0 ? failed : beneath(at_fd(at)->spot, relative, flags);
}

void view_close(int fd)
{
	if (fd == FD_INSTANCE) {
		for (struct mem_inode *inode = mem.inodes; inode; inode = inode->next)
			inode->wd = 0;
		mem.watches = 0;
		mem.instance = false;
		return;
	}
	if (fd < FD_BASE) {
		(void)close(fd);
		return;
	}
	struct descriptor *descriptor = at_fd(fd);
	descriptor->used = false;
	mem.descriptors--;
	mem_let_go(descriptor->spot.mount, descriptor->spot.inode);
}

static struct statx_timestamp stamp(int64_t ns)
{
	return (struct statx_timestamp){ .tv_sec = ns / 1000000000,
					 .tv_nsec = (uint32_t)(ns % 1000000000) };
}

static void fill(const struct mem_spot *spot, struct statx *out)
{
	static const uint16_t types[] = { [MEM_DIR] = S_IFDIR,
					  [MEM_FILE] = S_IFREG,
					  [MEM_LINK] = S_IFLNK,
					  [MEM_FIFO] = S_IFIFO };
	const struct mem_inode *inode = spot->inode;
	*out = (struct statx){
		.stx_mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
		.stx_mode = types[inode->kind],
		.stx_ino = inode->ino,
		.stx_dev_major = inode->fs->dev,
		.stx_mnt_id = spot->mount->id,
		.stx_size = inode->size,
		.stx_nlink = inode->links,
		.stx_btime = stamp(inode->btime_ns),
		.stx_mtime = stamp(inode->mtime_ns),
		.stx_ctime = stamp(inode->ctime_ns),
	};
}

int view_stat(int at, const char *name, unsigned mask, struct statx *out)
{
	(void)mask;
	int failed = fault(__func__);
	if (failed != 0)
		return failed;
	struct mem_spot spot = at_fd(at)->spot;
	if (*name) {
		const struct mem_entry *entry = mem_find(spot.inode, name);
		if (!(spot.inode->mode & MEM_SEARCH))
			return count_unreadable(-EACCES);
		if (!entry)
			return -ENOENT;
		spot.inode = entry->inode;
		mem_cross(&spot);
	}
	fill(&spot, out);
	return 0;
}

char *view_link(int at, const char *name)
{
	race(); /* it needs no descriptor */
	const struct mem_inode *dir = at_fd(at)->spot.inode;
	const struct mem_entry *entry = dir->mode & MEM_SEARCH ? mem_find(dir, name) : NULL;
	if (!entry || entry->inode->kind != MEM_LINK)
		return NULL;
	return own_copy(entry->inode->target, strlen(entry->inode->target));
}

int view_filesystem(int fd, uint64_t *out_fsid, uint64_t *out_magic)
{
	int failed = fault(__func__);
	if (failed != 0)
		return failed;
	*out_fsid = at_fd(fd)->spot.inode->fs->dev;
	*out_magic = at_fd(fd)->spot.inode->fs->magic;
	return 0;
}

static const struct mem_entry *after(const struct mem_inode *dir, uint32_t cursor)
{
	const struct mem_entry *found = NULL;
	for (const struct mem_entry *entry = dir->entries; entry; entry = entry->next) {
		if (entry->offset > cursor && (!found || entry->offset < found->offset))
			found = entry;
	}
	return found;
}

long view_list(int fd, void *buffer, size_t size)
{
	static const unsigned char types[] = {
		[MEM_DIR] = DT_DIR, [MEM_FILE] = DT_REG, [MEM_LINK] = DT_LNK, [MEM_FIFO] = DT_FIFO
	};
	int failed = fault(__func__);
	if (failed != 0)
		return failed;
	struct descriptor *descriptor = at_fd(fd);
	const struct mem_inode *dir = descriptor->spot.inode;
	assert(!(descriptor->flags & O_PATH));
	if (dir->dead)
		return -ENOENT;
	size_t used = 0;
	for (uint32_t most = 1 + mem_random(3); most > 0; most--) {
		const struct mem_entry *entry = after(dir, descriptor->cursor);
		size_t len = (offsetof(struct dirent64, d_name) + sizeof entry->name + 7) / 8 * 8;
		if (!entry || used + len > size)
			break;
		struct dirent64 *out = (void *)((char *)buffer + used);
		memset(out, 0, len);
		out->d_ino = entry->inode->ino;
		out->d_reclen = (unsigned short)len;
		out->d_type = mem.unknown_types ? DT_UNKNOWN : types[entry->inode->kind];
		memcpy(out->d_name, entry->name, sizeof entry->name);
		descriptor->cursor = entry->offset;
		used += len;
	}
	return (long)used;
}

/* Puts the path of a directory before *out, which is the end of the room; false when it is out of
 * reach: removed, or below a mount that was taken away. */
static bool put_path(struct mem_spot spot, char **out)
{
	for (;;) {
		while (spot.inode == spot.mount->root && spot.mount->parent)
			spot = (struct mem_spot){ spot.mount->parent, spot.mount->point };
		if (spot.inode == spot.mount->root)
			return spot.mount == mem.first;
		const struct mem_entry *entry = mem_entry_of(spot.inode);
		if (!entry)
			return false;
		size_t len = strlen(entry->name);
		*out -= len + 1;
		**out = '/';
		memcpy(*out + 1, entry->name, len);
		spot.inode = spot.inode->parent;
	}
}

char *view_path(int fd)
{
	char room[4096] = "";
	char *path = room + sizeof room - 1;
	race();
	if (!put_path(at_fd(fd)->spot, &path))
		return NULL;
	return own_copy(*path ? path : "/", *path ? strlen(path) : 1);
}

FILE *view_mounts(void)
{
	static char text[65536];
	size_t len = 0;
	if (fault(__func__) != 0)
		return NULL;
	for (const struct mem_mount *mount = mem.mounts; mount; mount = mount->next) {
		char room[4096] = "";
		char *path = room + sizeof room - 1;
		if (!put_path((struct mem_spot){ (struct mem_mount *)mount, mount->root }, &path))
			continue;
		len += (size_t)snprintf(
			text + len, sizeof text - len, "%llu %llu 0:%u /%llu %s rw - mem mem rw\n",
			(unsigned long long)mount->id,
			(unsigned long long)(mount->parent ? mount->parent->id : 0),
			mount->root->fs->dev, (unsigned long long)mount->root->serial,
			*path ? path : "/");
		assert(len < sizeof text);
	}
	return fmemopen(text, len, "r");
}

/* No file is mounted alone here, and every open would be told. */
bool view_is_mounted_file(const char *path)
{
	(void)path;
	return false;
}

bool view_is_deaf(int fd)
{
	(void)fd;
	return false;
}

int view_instance(void)
{
	if (mem.no_instance) {
		mem.answered_limit++;
		return -EMFILE;
	}
	mem.instance = true;
	mem.queue_at = mem.queue_len = 0;
	mem.overflowed = false;
	return FD_INSTANCE;
}

int view_watch(int inotify_fd, int fd, uint32_t mask)
{
	int failed = fault(__func__);
	if (failed != 0)
		return failed;
	assert(inotify_fd == FD_INSTANCE && mem.instance);
	int wd = mem_watch(at_fd(fd)->spot.inode, mask);
	if (wd == -ENOSPC)
		mem.answered_limit++;
	return count_unreadable(wd);
}

void view_unwatch(int inotify_fd, int wd)
{
	if (inotify_fd < 0)
		return; /* all went with the instance */
	race();
	assert(inotify_fd == FD_INSTANCE);
	for (struct mem_inode *inode = mem.inodes; inode; inode = inode->next) {
		if (inode->wd == wd) {
			mem_unwatch(inode);
			return;
		}
	}
}

/* Called with the reader's lock held: nothing else may happen here. */
uint64_t view_queued(int inotify_fd)
{
	(void)inotify_fd;
	return mem_queue_bytes();
}

int64_t view_now_ns(void)
{
	return mem.now_ns;
}
