/* deeds: what processes do to the file system of a simulation. See simulation.h. */
#include <linux/magic.h>

#include <stdio.h>
#include <string.h>

#include "tests/sim/simulation.h"

#define INODES_MOST 48
#define OPENS_MOST  6

static const char *const names[] = { "a", "b", "c", "d", "e" };

static const char *any_name(void)
{
	return names[sim_dice(5)];
}

/* ------- what there is ------- */

static void gather(struct mem_spot spot, struct mem_spot *out, size_t *count, size_t most)
{
	if (*count == most)
		return;
	out[(*count)++] = spot;
	for (struct mem_entry *entry = spot.inode->entries; entry; entry = entry->next) {
		if (entry->inode->kind != MEM_DIR)
			continue;
		struct mem_spot below = { spot.mount, entry->inode };
		mem_cross(&below);
		gather(below, out, count, most);
	}
}

size_t sim_directories(struct mem_spot from, struct mem_spot *out, size_t most)
{
	size_t count = 0;
	gather(from, out, &count, most);
	return count;
}

static struct mem_spot spots[SIM_SPOTS];

/* Directories at which things may happen: not those that the roots' paths are made of. */
static size_t places(void)
{
	struct mem_spot w;
	if (mem_resolve("/w", &w) != 0)
		return 0;
	size_t count = sim_directories(w, spots, SIM_SPOTS);
	spots[0] = spots[--count]; /* not /w itself */
	return count;
}

static bool any_place(struct mem_spot *out)
{
	size_t count = places();
	if (count == 0)
		return false;
	*out = spots[sim_dice((unsigned)count)];
	return true;
}

static struct mem_inode *any_dir(void)
{
	struct mem_spot spot;
	return any_place(&spot) ? spot.inode : NULL;
}

static struct mem_entry *any_entry(void)
{
	static struct mem_entry *all[512];
	size_t count = places();
	size_t have = 0;
	for (size_t i = 0; i < count; i++) {
		for (struct mem_entry *entry = spots[i].inode->entries; entry;
		     entry = entry->next) {
			if (have < sizeof all / sizeof *all)
				all[have++] = entry;
		}
	}
	return have ? all[sim_dice((unsigned)have)] : NULL;
}

/* For the log; a mount's own path is left out. */
static const char *path_of(const struct mem_inode *dir)
{
	static char ring[4][SIM_PATH_MOST];
	static unsigned next;
	char *out = ring[next++ % 4];
	char *at = out + SIM_PATH_MOST - 1;
	*at = '\0';
	for (const struct mem_entry *entry = mem_entry_of(dir); entry;
	     entry = mem_entry_of(entry->dir)) {
		size_t len = strlen(entry->name);
		if (at - out < (long)len + 1)
			break;
		at -= len;
		memcpy(at, entry->name, len);
		*--at = '/';
	}
	return at;
}

/* ------- files ------- */

static void make(void)
{
	struct mem_inode *dir = any_dir();
	const char *name = any_name();
	enum mem_kind kind = (enum mem_kind)sim_dice(8);
	if (!dir || mem.inode_count > INODES_MOST)
		return;
	if (kind > MEM_FIFO)
		kind = MEM_DIR;
	int failed = mem_make(dir, name, kind, kind == MEM_LINK ? any_name() : NULL);
	sim_say("make kind %d %s/%s: %d", (int)kind, path_of(dir), name, failed);
}

static struct mem_entry *file_at(struct mem_inode *dir, const char *name)
{
	struct mem_entry *entry = mem_find(dir, name);
	if (!entry && !dir->dead && mem.inode_count <= INODES_MOST) {
		(void)mem_make(dir, name, MEM_FILE, NULL);
		oracle_look();
		entry = mem_find(dir, name);
	}
	return entry && entry->inode->kind == MEM_FILE ? entry : NULL;
}

static void do_close(struct mem_open *open)
{
	if (open->entry)
		oracle_closed(open->entry);
	mem_close(open);
}

static void write_at(struct mem_inode *dir, const char *name, bool keep)
{
	struct mem_entry *entry = file_at(dir, name);
	unsigned opens = 0;
	for (struct mem_open *open = mem.opens; open; open = open->next)
		opens++;
	if (!entry || opens >= OPENS_MOST)
		return;
	sim_say("write %s/%s%s", path_of(dir), name, keep ? " and keep it open" : "");
	struct mem_open *open = mem_open_write(entry);
	mem_write(open);
	if (!keep)
		do_close(open);
}

static void write_file(void)
{
	struct mem_inode *dir = any_dir();
	const char *name = any_name();
	bool keep = sim_dice(3) == 0;
	if (dir)
		write_at(dir, name, keep);
}

static void close_one(void)
{
	struct mem_open *open = mem.opens;
	for (unsigned n = sim_dice(3); open && open->next && n > 0; n--)
		open = open->next;
	if (!open)
		return;
	sim_say("close %s", open->entry ? open->entry->name : "something without a name");
	do_close(open);
}

static void remove_one(void)
{
	struct mem_entry *entry = any_entry();
	if (!entry)
		return;
	sim_say("remove %s/%s", path_of(entry->dir), entry->name);
	mem_remove_tree(entry);
}

static void remove_empty(void)
{
	struct mem_entry *entry = any_entry();
	if (!entry || entry->inode->kind != MEM_DIR)
		return;
	/* the one that takes its place comes at once: mkdir after rmdir */
	char name[MEM_NAME_MOST];
	memcpy(name, entry->name, sizeof name);
	struct mem_inode *dir = entry->dir;
	int failed = mem_rmdir(entry);
	sim_say("rmdir %s/%s: %d", path_of(dir), name, failed);
	if (failed == 0 && sim_dice(2)) {
		(void)mem_make(dir, name, MEM_DIR, NULL);
		sim_say("mkdir %s/%s", path_of(dir), name);
	}
}

static void move_one(void)
{
	struct mem_entry *entry = any_entry();
	struct mem_inode *dir = any_dir();
	const char *name = any_name();
	if (!entry || !dir)
		return;
	const char *from = path_of(entry->dir);
	char old[MEM_NAME_MOST];
	memcpy(old, entry->name, sizeof old);
	const char *to = path_of(dir);
	int failed = mem_rename(entry, dir, name);
	if (failed == 0)
		sim_say("rename %s/%s %s/%s", from, old, to, name);
}

static void exchange(void)
{
	struct mem_entry *one = any_entry();
	struct mem_entry *other = any_entry();
	if (!one || !other)
		return;
	const char *from = path_of(one->dir);
	const char *to = path_of(other->dir);
	const char *a = one->name;
	if (mem_exchange(one, other) == 0)
		sim_say("exchange %s/%s %s/%s", from, other->name, to, a);
}

static void link_one(void)
{
	struct mem_entry *entry = any_entry();
	struct mem_inode *dir = any_dir();
	const char *name = any_name();
	if (entry && dir && mem_link(entry->inode, dir, name) == 0)
		sim_say("link %s/%s %s/%s", path_of(entry->dir), entry->name, path_of(dir), name);
}

static void touch_one(void)
{
	struct mem_entry *entry = any_entry();
	if (!entry)
		return;
	sim_say("touch %s/%s", path_of(entry->dir), entry->name);
	mem_touch(entry);
}

static void publish_unnamed(void)
{
	struct mem_inode *dir = any_dir();
	const char *name = any_name();
	if (!dir || dir->dead || mem.inode_count > INODES_MOST)
		return;
	struct mem_open *open = mem_tmpfile(dir);
	mem_write(open);
	int failed = mem_link(open->inode, dir, name);
	sim_say("O_TMPFILE %s/%s: %d", path_of(dir), name, failed);
	oracle_look();
	mem_close(open);
}

/* mkdir -p, and a file at once. */
static void make_deep(void)
{
	struct mem_inode *dir = any_dir();
	unsigned depth = 1 + sim_dice(3);
	for (unsigned i = 0; dir && i < depth && mem.inode_count <= INODES_MOST; i++) {
		const char *name = any_name();
		int failed = mem_make(dir, name, MEM_DIR, NULL);
		if (failed == 0)
			sim_say("mkdir %s/%s", path_of(dir), name);
		const struct mem_entry *entry = mem_find(dir, name);
		dir = entry && entry->inode->kind == MEM_DIR ? entry->inode : NULL;
	}
	if (dir)
		write_at(dir, any_name(), false);
}

/* ------- what stands in the way ------- */

static void change_mode(void)
{
	struct mem_inode *dir = any_dir();
	unsigned mode = sim_dice(6);
	if (!dir || !(sim.features & SIM_MODES))
		return;
	mem_chmod(dir, mode > MEM_ALL ? MEM_ALL : mode);
	sim_say("chmod %s %u", path_of(dir), dir->mode);
}

static struct mem_inode *held[4];

static void hold(void)
{
	unsigned i = sim_dice(4);
	if (!(sim.features & SIM_HOLDS))
		return;
	if (held[i]) {
		sim_say("leave a directory");
		mem_release(held[i]);
		held[i] = NULL;
		return;
	}
	held[i] = any_dir();
	if (held[i]) {
		sim_say("enter %s", path_of(held[i]));
		mem_hold(held[i]);
	}
}

static struct mem_mount *any_mount(void)
{
	struct mem_mount *mount = mem.mounts;
	for (unsigned n = sim_dice(3); mount && mount->next && n > 0; n--)
		mount = mount->next;
	return mount;
}

static void mount_one(void)
{
	struct mem_spot spot;
	struct mem_inode *bound = NULL;
	unsigned kind = sim_dice(8);
	unsigned mounts = 0;
	for (struct mem_mount *mount = mem.mounts; mount; mount = mount->next)
		mounts++;
	if (!any_place(&spot) || mounts > 4)
		return;
	if (kind >= 5 && sim.features & SIM_BINDS)
		bound = any_dir();
	if (mem_mount(spot, bound, kind == 0 ? FUSE_SUPER_MAGIC : TMPFS_MAGIC) != 0)
		return;
	sim_say("mount %s on %s", bound ? path_of(bound) : "a new one", path_of(spot.inode));
	sim.mounted = sim.mounts_untold = true;
}

static void change_mounts(void)
{
	if (!(sim.features & SIM_MOUNTS))
		return;
	if (sim_dice(2)) {
		mount_one();
		return;
	}
	struct mem_mount *mount = any_mount();
	bool lazy = sim_dice(2);
	if (mount && mem_umount(mount, lazy) == 0) {
		sim_say("umount%s", lazy ? " -l" : "");
		sim.mounted = sim.mounts_untold = true;
	}
}

static void change_limit(void)
{
	unsigned most = sim_dice(24);
	if (!(sim.features & SIM_LIMITS))
		return;
	mem.watches_most = most < 20 ? most : SIZE_MAX;
	mem.no_instance = mem.no_instance && most % 2; /* once it is there it stays */
	sim_say("at most %zu watches", mem.watches_most);
}

/* What the roots' paths are made of: /w/r, /w/s, and the link. */
static void move_root(void)
{
	static const char *const parts[] = { "r", "s", "link", "x", "out" };
	struct mem_spot w;
	unsigned what = sim_dice(5);
	const char *name = parts[sim_dice(5)];
	const char *other = parts[sim_dice(5)];
	if (!(sim.features & SIM_ROOT_MOVES) || mem_resolve("/w", &w) != 0)
		return;
	struct mem_entry *entry = mem_find(w.inode, name);
	struct mem_entry *at = mem_find(w.inode, other);
	sim.disturbed = true;
	sim_say("root parts: %s %s, deed %u", name, other, what);
	if (!entry && strcmp(name, "link") == 0)
		(void)mem_make(w.inode, name, MEM_LINK, other);
	else if (!entry)
		(void)mem_make(w.inode, name, MEM_DIR, NULL);
	else if (what == 0)
		mem_remove_tree(entry);
	else if (what == 1 && at)
		(void)mem_exchange(entry, at);
	else if (what < 4)
		(void)mem_rename(entry, w.inode, other);
	else if (at && at->inode->kind == MEM_DIR)
		(void)mem_rename(entry, at->inode, any_name());
}

void sim_deed(void)
{
	static void (*const deeds[])(void) = {
		make,	     make,	    make_deep,	  write_file, write_file,      write_file,
		close_one,   remove_one,    remove_empty, move_one,   move_one,	       move_one,
		move_one,    exchange,	    link_one,	  touch_one,  publish_unnamed, hold,
		change_mode, change_mounts, change_limit, move_root,
	};
	sim.clock++;
	deeds[sim_dice(sizeof deeds / sizeof *deeds)]();
	oracle_look();
	if (sim_dice(2))
		mem.now_ns += INT64_C(3000000);
}

void sim_first_tree(void)
{
	memset(held, 0, sizeof held);
	(void)mem_make(mem_root(), "w", MEM_DIR, NULL);
	struct mem_inode *w = mem_find(mem_root(), "w")->inode;
	(void)mem_make(w, "r", MEM_DIR, NULL);
	(void)mem_make(w, "s", MEM_DIR, NULL);
	(void)mem_make(w, "out", MEM_DIR, NULL);
	(void)mem_make(w, "link", MEM_LINK, "r");
	oracle_look();
	for (unsigned n = sim_dice(12); n > 0; n--)
		sim_deed();
}

void sim_heal(void)
{
	sim_say("heal");
	sim.clock++;
	mem.watches_most = SIZE_MAX;
	mem.no_instance = false;
	mem.queue_most = 16384;
	for (struct mem_inode *inode = mem.inodes, *next; inode; inode = next) {
		next = inode->next;
		if (inode->kind == MEM_DIR && inode->mode != MEM_ALL)
			mem_chmod(inode, MEM_ALL);
	}
	while (mem.opens)
		do_close(mem.opens);
	for (unsigned i = 0; i < 4; i++) {
		if (held[i])
			mem_release(held[i]);
		held[i] = NULL;
	}
	oracle_look();
}

void sim_touch_everywhere(void)
{
	sim_say("a file everywhere");
	sim.clock++;
	size_t count = places();
	for (size_t i = 0; i < count; i++) {
		struct mem_inode *dir = spots[i].inode;
		if (mem_make(dir, "last", MEM_FILE, NULL) != 0)
			continue;
		oracle_look();
		do_close(mem_open_write(mem_find(dir, "last")));
	}
	oracle_look();
}
