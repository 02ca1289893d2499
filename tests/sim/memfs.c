/* memfs: see memfs.h. */
#include "tests/sim/memfs.h"

#include <linux/magic.h>
#include <sys/inotify.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mem mem;
void (*mem_hook)(void);
int (*mem_fault)(const char *what);

static void *need(void *block)
{
	if (!block)
		abort();
	return block;
}

uint32_t mem_random(uint32_t below)
{
	mem.random ^= mem.random << 13;
	mem.random ^= mem.random >> 7;
	mem.random ^= mem.random << 17;
	return below ? (uint32_t)((mem.random >> 16) % below) : 0;
}

static int64_t tick(void)
{
	return mem.now_ns / MEM_TICK_NS * MEM_TICK_NS;
}

/* ------- inodes ------- */

static struct mem_inode *make_inode(struct mem_fs *fs, enum mem_kind kind)
{
	static uint64_t serial;
	struct mem_inode *inode = need(calloc(1, sizeof *inode));
	bool again = mem.reuse_inos && fs->free_count > 0 && mem_random(4);
	*inode = (struct mem_inode){
		.next = mem.inodes,
		.fs = fs,
		.serial = ++serial,
		.ino = again ? fs->free_inos[--fs->free_count] : fs->next_ino++,
		.kind = kind,
		.mode = MEM_ALL,
		.btime_ns = tick(),
		.mtime_ns = tick(),
		.ctime_ns = tick(),
	};
	mem.inodes = inode;
	mem.inode_count++;
	return inode;
}

static void free_inode(struct mem_inode *inode)
{
	struct mem_inode **at = &mem.inodes;
	while (*at != inode)
		at = &(*at)->next;
	*at = inode->next;
	mem.inode_count--;
	struct mem_fs *fs = inode->fs;
	if (fs->free_count < sizeof fs->free_inos / sizeof *fs->free_inos)
		fs->free_inos[fs->free_count++] = inode->ino;
	free(inode);
}

/* Nothing leads to it any more: fsnotify_inoderemove(). */
static void drop_if_unused(struct mem_inode *inode)
{
	if (inode->holds > 0 || (inode->kind == MEM_DIR ? !inode->dead : inode->links > 0))
		return;
	struct mem_inode *above = inode->kind == MEM_DIR ? inode->parent : NULL;
	mem_notify(inode, IN_DELETE_SELF, 0, "");
	mem_unwatch(inode);
	free_inode(inode);
	if (above)
		mem_release(above);
}

/* ------- entries ------- */

struct mem_entry *mem_find(const struct mem_inode *dir, const char *name)
{
	struct mem_entry *entry = dir->entries;
	while (entry && strcmp(entry->name, name) != 0)
		entry = entry->next;
	return entry;
}

static void put_entry(struct mem_entry *entry, struct mem_inode *dir, const char *name)
{
	entry->dir = dir;
	entry->next = dir->entries;
	entry->offset = 1 + mem_random(1u << 30);
	strncpy(entry->name, name, sizeof entry->name - 1);
	entry->name[sizeof entry->name - 1] = '\0';
	dir->entries = entry;
	entry->put = mem.structure;
	if (entry->inode->kind == MEM_DIR)
		entry->inode->parent = dir;
	dir->mtime_ns = dir->ctime_ns = tick();
	mem.structure++;
}

static struct mem_entry *add_entry(struct mem_inode *dir, const char *name, struct mem_inode *inode)
{
	struct mem_entry *entry = need(calloc(1, sizeof *entry));
	entry->inode = inode;
	inode->links++;
	put_entry(entry, dir, name);
	return entry;
}

static void take_entry(struct mem_entry *entry)
{
	struct mem_entry **at = &entry->dir->entries;
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	entry->dir->mtime_ns = entry->dir->ctime_ns = tick();
	mem.structure++;
}

/* Without a word; the inode stays until it is dropped. */
static struct mem_inode *free_entry(struct mem_entry *entry)
{
	struct mem_inode *inode = entry->inode;
	take_entry(entry);
	for (struct mem_open *open = mem.opens; open; open = open->next) {
		if (open->entry == entry)
			open->entry = NULL;
	}
	inode->links--;
	if (inode->kind == MEM_DIR) {
		inode->dead = true;
		mem_hold(inode->parent); /* while there is a way up from it */
	}
	inode->ctime_ns = tick();
	free(entry);
	return inode;
}

struct mem_inode *mem_root(void)
{
	return mem.first->root;
}

struct mem_entry *mem_entry_of(const struct mem_inode *dir)
{
	struct mem_entry *entry = dir->parent ? dir->parent->entries : NULL;
	while (entry && entry->inode != dir)
		entry = entry->next;
	return entry;
}

bool mem_is_above(const struct mem_inode *dir, const struct mem_inode *other)
{
	while (other && other != dir)
		other = other->parent;
	return other == dir;
}

static bool is_point(const struct mem_inode *inode)
{
	const struct mem_mount *mount = mem.mounts;
	while (mount && !(mount->parent && mount->point == inode))
		mount = mount->next;
	return mount != NULL;
}

/* What is bound elsewhere could be removed too; that is not modelled. */
static bool is_bound(const struct mem_inode *inode)
{
	const struct mem_mount *mount = mem.mounts;
	while (mount && mount->root != inode)
		mount = mount->next;
	return mount != NULL;
}

static struct mem_mount *mounted_on(const struct mem_spot *spot)
{
	struct mem_mount *mount = mem.mounts;
	while (mount && !(mount->parent == spot->mount && mount->point == spot->inode))
		mount = mount->next;
	return mount;
}

void mem_cross(struct mem_spot *spot)
{
	struct mem_mount *mount;
	while ((mount = mounted_on(spot)) != NULL)
		*spot = (struct mem_spot){ mount, mount->root };
}

static int resolve(struct mem_spot from, const char *path, unsigned links, struct mem_spot *out)
{
	char name[MEM_NAME_MOST];
	struct mem_spot at = from;
	if (*path == '/') {
		at = (struct mem_spot){ mem.first, mem.first->root };
		mem_cross(&at);
	}
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");
		if (at.inode->kind != MEM_DIR)
			return -ENOTDIR;
		if (!(at.inode->mode & MEM_SEARCH) && !mem.all_seeing)
			return -EACCES;
		if (len >= sizeof name)
			return -ENOENT;
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		const struct mem_entry *entry = mem_find(at.inode, name);
		if (!entry)
			return -ENOENT;
		struct mem_spot next = { at.mount, entry->inode };
		if (entry->inode->kind == MEM_LINK) {
			int failed = links > 8
					     ? -ELOOP
					     : resolve(at, entry->inode->target, links + 1, &next);
			if (failed != 0)
				return failed;
		}
		mem_cross(&next);
		at = next;
	}
	*out = at;
	return 0;
}

int mem_resolve_at(struct mem_spot from, const char *path, struct mem_spot *out)
{
	return resolve(from, path, 0, out);
}

int mem_resolve(const char *path, struct mem_spot *out)
{
	return resolve((struct mem_spot){ mem.first, mem.first->root }, path, 0, out);
}

/* ------- begin and end ------- */

static struct mem_inode *make_fs(uint64_t magic)
{
	static uint32_t dev;
	struct mem_fs *fs = need(calloc(1, sizeof *fs));
	*fs = (struct mem_fs){ .dev = ++dev % 4096 + 1, .magic = magic, .next_ino = 2 };
	return make_inode(fs, MEM_DIR);
}

static struct mem_mount *add_mount(struct mem_mount *parent, struct mem_inode *point,
				   struct mem_inode *root)
{
	static uint64_t id;
	struct mem_mount *mount = need(calloc(1, sizeof *mount));
	*mount = (struct mem_mount){
		.next = mem.mounts, .id = ++id, .parent = parent, .point = point, .root = root
	};
	mem.mounts = mount;
	root->fs->mounts++;
	mem.structure++;
	return mount;
}

void mem_begin(uint64_t random)
{
	mem = (struct mem){
		.now_ns = INT64_C(1000000000),
		.random = random | 1,
		.queue_most = 16384,
		.watches_most = SIZE_MAX,
	};
	mem.first = add_mount(NULL, NULL, make_fs(TMPFS_MAGIC));
}

static void free_all_of(struct mem_fs *fs, bool told)
{
	for (struct mem_inode *inode = mem.inodes, *next; inode; inode = next) {
		next = inode->next;
		if (inode->fs != fs)
			continue;
		if (told && inode->wd) {
			mem_notify(inode, IN_UNMOUNT, 0, "");
			mem_unwatch(inode);
		}
		while (inode->entries) {
			struct mem_entry *entry = inode->entries;
			inode->entries = entry->next;
			free(entry);
		}
		free_inode(inode);
	}
	free(fs);
}

void mem_end(void)
{
	mem.instance = false;
	while (mem.opens) {
		struct mem_open *open = mem.opens;
		mem.opens = open->next;
		free(open);
	}
	while (mem.inodes)
		free_all_of(mem.inodes->fs, false);
	while (mem.mounts) {
		struct mem_mount *mount = mem.mounts;
		mem.mounts = mount->next;
		free(mount);
	}
	free(mem.queue);
	mem = (struct mem){ 0 };
}

/* ------- what processes do ------- */

static int may_add(const struct mem_inode *dir, const char *name)
{
	if (dir->dead)
		return -ENOENT;
	return mem_find(dir, name) ? -EEXIST : 0;
}

static uint32_t dir_bit(const struct mem_inode *inode)
{
	return inode->kind == MEM_DIR ? IN_ISDIR : 0;
}

int mem_make(struct mem_inode *dir, const char *name, enum mem_kind kind, const char *target)
{
	int failed = may_add(dir, name);
	if (failed != 0)
		return failed;
	struct mem_inode *inode = make_inode(dir->fs, kind);
	if (target)
		strncpy(inode->target, target, sizeof inode->target - 1);
	(void)add_entry(dir, name, inode);
	mem_notify(dir, IN_CREATE | dir_bit(inode), 0, name);
	return 0;
}

static struct mem_open *add_open(struct mem_inode *inode, struct mem_entry *entry)
{
	struct mem_open *open = need(calloc(1, sizeof *open));
	*open = (struct mem_open){ .next = mem.opens, .inode = inode, .entry = entry };
	mem.opens = open;
	inode->holds++;
	return open;
}

struct mem_open *mem_open_write(struct mem_entry *entry)
{
	return add_open(entry->inode, entry);
}

struct mem_open *mem_tmpfile(struct mem_inode *dir)
{
	return add_open(make_inode(dir->fs, MEM_FILE), NULL);
}

void mem_write(struct mem_open *open)
{
	open->inode->size++;
	open->inode->mtime_ns = open->inode->ctime_ns = tick();
}

void mem_close(struct mem_open *open)
{
	struct mem_open **at = &mem.opens;
	while (*at != open)
		at = &(*at)->next;
	*at = open->next;
	/* without its name IN_EXCL_UNLINK keeps it from the directory */
	if (open->entry)
		mem_notify_entry(open->entry, IN_CLOSE_WRITE);
	open->inode->holds--;
	drop_if_unused(open->inode);
	free(open);
}

int mem_unlink(struct mem_entry *entry)
{
	struct mem_event said = { 0 };
	struct mem_inode *dir = entry->dir;
	if (entry->inode->kind == MEM_DIR)
		return -EISDIR;
	memcpy(said.name, entry->name, sizeof said.name);
	struct mem_inode *inode = free_entry(entry);
	mem_notify(dir, IN_DELETE, 0, said.name);
	drop_if_unused(inode);
	return 0;
}

int mem_rmdir(struct mem_entry *entry)
{
	struct mem_event said = { 0 };
	struct mem_inode *dir = entry->dir;
	if (entry->inode->kind != MEM_DIR)
		return -ENOTDIR;
	if (is_point(entry->inode) || is_bound(entry->inode))
		return -EBUSY;
	if (entry->inode->entries)
		return -ENOTEMPTY;
	memcpy(said.name, entry->name, sizeof said.name);
	/* d_delete_notify(): its own end comes first, unless somebody holds it */
	drop_if_unused(free_entry(entry));
	mem_notify(dir, IN_DELETE | IN_ISDIR, 0, said.name);
	return 0;
}

void mem_remove_tree(struct mem_entry *entry)
{
	if (entry->inode->kind != MEM_DIR) {
		(void)mem_unlink(entry);
		return;
	}
	if (is_point(entry->inode) || is_bound(entry->inode))
		return;
	for (struct mem_entry *below = entry->inode->entries, *next; below; below = next) {
		next = below->next;
		mem_remove_tree(below);
	}
	(void)mem_rmdir(entry);
}

static int may_replace(const struct mem_entry *entry, const struct mem_entry *victim)
{
	bool is_dir = entry->inode->kind == MEM_DIR;
	if (victim->inode->kind == MEM_DIR && !is_dir)
		return -EISDIR;
	if (victim->inode->kind != MEM_DIR && is_dir)
		return -ENOTDIR;
	if (is_point(victim->inode) || is_bound(victim->inode))
		return -EBUSY;
	return victim->inode->entries ? -ENOTEMPTY : 0;
}

/* fsnotify_move() */
static void notify_move(struct mem_inode *old_dir, const char *old_name,
			const struct mem_entry *entry)
{
	uint32_t bit = dir_bit(entry->inode);
	uint32_t cookie = ++mem.next_cookie;
	mem_notify(old_dir, IN_MOVED_FROM | bit, cookie, old_name);
	mem_notify(entry->dir, IN_MOVED_TO | bit, cookie, entry->name);
}

int mem_rename(struct mem_entry *entry, struct mem_inode *dir, const char *name)
{
	struct mem_event old = { 0 };
	struct mem_inode *old_dir = entry->dir;
	struct mem_entry *victim = mem_find(dir, name);
	if (dir->dead)
		return -ENOENT;
	if (dir->fs != entry->inode->fs)
		return -EXDEV;
	if (is_point(entry->inode))
		return -EBUSY;
	if (entry->inode->kind == MEM_DIR && mem_is_above(entry->inode, dir))
		return -EINVAL;
	if (victim && victim->inode == entry->inode)
		return 0;
	if (victim && victim->inode->kind == MEM_DIR && mem_is_above(victim->inode, old_dir))
		return -ENOTEMPTY;
	int failed = victim ? may_replace(entry, victim) : 0;
	if (failed != 0)
		return failed;
	memcpy(old.name, entry->name, sizeof old.name);
	struct mem_inode *gone = victim ? free_entry(victim) : NULL;
	take_entry(entry);
	put_entry(entry, dir, name);
	entry->inode->ctime_ns = tick();
	notify_move(old_dir, old.name, entry);
	if (gone)
		mem_notify(gone, IN_ATTRIB | dir_bit(gone), 0, "");
	mem_notify(entry->inode, IN_MOVE_SELF, 0, "");
	if (gone)
		drop_if_unused(gone);
	return 0;
}

int mem_exchange(struct mem_entry *one, struct mem_entry *other)
{
	struct mem_event name = { 0 };
	struct mem_event other_name = { 0 };
	struct mem_inode *dir = one->dir;
	struct mem_inode *other_dir = other->dir;
	if (dir->fs != other_dir->fs)
		return -EXDEV;
	if (is_point(one->inode) || is_point(other->inode))
		return -EBUSY;
	if (one->inode == other->inode)
		return 0;
	if ((one->inode->kind == MEM_DIR && mem_is_above(one->inode, other_dir)) ||
	    (other->inode->kind == MEM_DIR && mem_is_above(other->inode, dir)))
		return -EINVAL;
	memcpy(name.name, one->name, sizeof name.name);
	memcpy(other_name.name, other->name, sizeof name.name);
	take_entry(one);
	take_entry(other);
	put_entry(one, other_dir, other_name.name);
	put_entry(other, dir, name.name);
	notify_move(dir, name.name, one);
	mem_notify(one->inode, IN_MOVE_SELF, 0, "");
	notify_move(other_dir, other_name.name, other);
	mem_notify(other->inode, IN_MOVE_SELF, 0, "");
	return 0;
}

int mem_link(struct mem_inode *inode, struct mem_inode *dir, const char *name)
{
	int failed = may_add(dir, name);
	if (inode->kind == MEM_DIR)
		return -EPERM;
	if (inode->fs != dir->fs)
		return -EXDEV;
	if (failed != 0)
		return failed;
	(void)add_entry(dir, name, inode);
	inode->ctime_ns = tick();
	mem_notify(dir, IN_CREATE, 0, name);
	return 0;
}

void mem_chmod(struct mem_inode *dir, unsigned mode)
{
	const struct mem_entry *entry = mem_entry_of(dir);
	dir->mode = mode;
	mem.structure++; /* paths may lead elsewhere, or nowhere */
	dir->ctime_ns = tick();
	if (entry)
		mem_notify_entry(entry, IN_ATTRIB);
	else
		mem_notify(dir, IN_ATTRIB | IN_ISDIR, 0, "");
}

void mem_touch(struct mem_entry *entry)
{
	entry->inode->mtime_ns = mem_random(2) ? 1 : tick();
	entry->inode->ctime_ns = tick();
	mem_notify_entry(entry, IN_ATTRIB);
}

void mem_hold(struct mem_inode *dir)
{
	dir->holds++;
}

void mem_release(struct mem_inode *dir)
{
	dir->holds--;
	drop_if_unused(dir);
}

/* ------- mounts ------- */

int mem_mount(struct mem_spot spot, struct mem_inode *root, uint64_t magic)
{
	if (spot.inode->kind != MEM_DIR || spot.inode->dead)
		return -ENOENT;
	(void)add_mount(spot.mount, spot.inode, root ? root : make_fs(magic));
	return 0;
}

static void forget_mount(struct mem_mount *mount)
{
	struct mem_mount **at = &mem.mounts;
	while (*at != mount)
		at = &(*at)->next;
	*at = mount->next;
	struct mem_fs *fs = mount->root->fs;
	if (--fs->mounts == 0)
		free_all_of(fs, true);
	free(mount);
}

int mem_umount(struct mem_mount *mount, bool lazy)
{
	unsigned open_files = 0;
	if (mount == mem.first)
		return -EBUSY;
	for (struct mem_mount *other = mem.mounts; other; other = other->next) {
		if (other->parent == mount)
			return -EBUSY;
	}
	/* who writes, or works in it, keeps the whole file system: which mount is not modelled */
	for (struct mem_inode *inode = mem.inodes; inode; inode = inode->next)
		open_files += inode->fs == mount->root->fs ? inode->holds : 0;
	if (open_files > 0 && (!lazy || open_files > mount->holds))
		return -EBUSY;
	mount->parent = NULL;
	mount->point = NULL;
	mem.structure++;
	if (mount->holds == 0)
		forget_mount(mount);
	return 0;
}

void mem_take_hold(struct mem_mount *mount, struct mem_inode *inode)
{
	mount->holds++;
	inode->holds++;
}

void mem_let_go(struct mem_mount *mount, struct mem_inode *inode)
{
	inode->holds--;
	drop_if_unused(inode);
	mount->holds--;
	if (mount->holds == 0 && !mount->parent && mount != mem.first)
		forget_mount(mount);
}
