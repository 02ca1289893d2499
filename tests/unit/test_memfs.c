/*
 * memfs: the file system in memory tells what the kernel tells. The same deeds are done to both,
 * and the events are compared: the traces that the simulation is made of are those of the kernel
 * that the test runs on.
 */
#include <linux/fs.h>

#include "tests/sim/memfs.h"
#include "tests/unit/watcher_world.h"
#include "watcher/adopt.h"

#define SLOTS 4

/* A letter, see do_real(), and the paths. */
struct deed {
	char what;
	char a[32];
	char b[32];
};

struct story {
	const char *name;
	const char *deeds[12];
};

static struct deed deed_of(const char *words)
{
	struct deed deed = { 0 };
	(void)sscanf(words, "%c %31s %31s", &deed.what, deed.a, deed.b);
	return deed;
}

static const struct story stories[] = {
	{ "a file is made and closed", { "o d/f", "c" } },
	{ "closed after each of two writers", { "o d/f", "o d/f", "c", "c" } },
	{ "touched", { "o d/f", "c", "t d/f" } },
	{ "a rename in one directory, and over a victim",
	  { "o d/a", "c", "m d/a d/b", "o d/a", "c", "m d/a d/b" } },
	{ "into and out of it", { "o x/f", "c", "m x/f d/f", "m d/f x/g" } },
	{ "between two watched ones", { "o d/f", "m d/f e/f", "c" } },
	{ "exchange inside", { "o d/a", "o d/b", "x d/a d/b", "c", "c" } },
	{ "exchange of a file and a directory", { "o d/a", "d e/b", "x d/a e/b" } },
	{ "exchange with outside", { "o d/a", "o x/b", "x d/a x/b" } },
	{ "links and special files", { "o x/f", "l x/f d/f", "s d/s", "p d/p" } },
	{ "a close through a link", { "o x/f", "l x/f d/f", "c", "o d/f", "c" } },
	{ "unlinked while it is open", { "o d/f", "u d/f", "c" } },
	{ "unlinked, made anew, both closed", { "o d/f", "u d/f", "o d/f", "c", "c" } },
	{ "replaced while it is open", { "o d/f", "o x/f", "m x/f d/f", "c", "c" } },
	{ "made without a name", { "z d f", "c" } },
	{ "directories come and go", { "d d/s", "r d/s", "d d/s" } },
	{ "a watched directory goes", { "d d/s", "w d/s", "r d/s" } },
	{ "a watched directory goes while somebody is in it",
	  { "d d/s", "w d/s", "h d/s", "r d/s", "d d/s", "g" } },
	{ "two of them, the inner one is held",
	  { "d d/s", "d d/s/t", "w d/s", "w d/s/t", "h d/s/t", "r d/s/t", "r d/s", "g" } },
	{ "a watched directory moves, and its files tell",
	  { "d d/s", "w d/s", "m d/s e/t", "o e/t/f", "c" } },
	{ "a watched directory moves out", { "d d/s", "w d/s", "m d/s x/t", "o x/t/f", "c" } },
	{ "over a watched victim", { "d d/s", "w d/s", "d d/t", "w d/t", "m d/s d/t" } },
	{ "over a watched victim while somebody is in it",
	  { "d d/s", "w d/s", "d d/t", "w d/t", "h d/t", "m d/s d/t", "g" } },
	{ "exchange of watched directories", { "d d/s", "w d/s", "d e/t", "w e/t", "x d/s e/t" } },
	{ "a directory's mode", { "d d/s", "w d/s", "a d/s" } },
	{ "a watch is set again, and taken away", { "w d", "v d", "o d/f", "c" } },
	{ "the top moves", { "m d x/d", "o x/d/f", "c" } },
	{ "the last event is told once", { "o d/f", "o d/f", "o d/f", "c", "c", "c" } },
};

struct telling {
	char text[4096];
	size_t len;
	uint32_t cookies[16];
	unsigned cookie_count;
};

static void tell(struct telling *out, const struct inotify_event *head, const char *name)
{
	unsigned nth = 0;
	while (nth < out->cookie_count && out->cookies[nth] != head->cookie)
		nth++;
	if (head->cookie && nth == out->cookie_count)
		out->cookies[out->cookie_count++] = head->cookie;
	out->len += (size_t)snprintf(out->text + out->len, sizeof out->text - out->len,
				     "%d %08x %u %s\n", head->wd, head->mask,
				     head->cookie ? nth + 1 : 0, name);
}

/* ------- the kernel ------- */

struct real {
	char dir[64];
	int inotify_fd;
	int open[SLOTS]; /* the oldest is closed first */
	int opens;
	int held;
	int wds[16];
	char watched[16][64];
	int watch_count;
};

static void real_watch(struct real *real, const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", real->dir, name);
	int wd = inotify_add_watch(real->inotify_fd, path, adopt_mask);
	cr_assert_gt(wd, 0);
	real->wds[real->watch_count] = wd;
	(void)snprintf(real->watched[real->watch_count++], 64, "%s", name);
}

static void real_unwatch(struct real *real, const char *name)
{
	for (int i = 0; i < real->watch_count; i++) {
		if (strcmp(real->watched[i], name) == 0)
			(void)inotify_rm_watch(real->inotify_fd, real->wds[i]);
	}
}

static void real_unnamed(struct real *real, const char *dir, const char *path)
{
	char from[64];
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0);
	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	cr_assert_eq(linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 0);
	real->open[real->opens++] = fd;
}

static void do_real(struct real *real, const char *words)
{
	struct deed deed = deed_of(words);
	char a[256];
	char b[256];
	(void)snprintf(a, sizeof a, "%s/%s", real->dir, deed.a);
	(void)snprintf(b, sizeof b, "%s/%s", real->dir, deed.b);
	int failed = 0;
	switch (deed.what) {
	case 'a':
		failed = chmod(a, 0700);
		break;
	case 'c':
		close(real->open[0]);
		memmove(real->open, real->open + 1, sizeof real->open - sizeof *real->open);
		real->opens--;
		break;
	case 'd':
		failed = mkdir(a, 0755);
		break;
	case 'g':
		close(real->held);
		break;
	case 'h':
		real->held = open(a, O_PATH | O_CLOEXEC);
		break;
	case 'l':
		failed = link(a, b);
		break;
	case 'm':
		failed = rename(a, b);
		break;
	case 'o':
		real->open[real->opens++] = open(a, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		break;
	case 'p':
		failed = mkfifo(a, 0644);
		break;
	case 'r':
		failed = rmdir(a);
		break;
	case 's':
		failed = symlink("anything", a);
		break;
	case 't':
		failed = utimensat(AT_FDCWD, a, NULL, 0);
		break;
	case 'u':
		failed = unlink(a);
		break;
	case 'v':
		real_unwatch(real, deed.a);
		break;
	case 'w':
		real_watch(real, deed.a);
		break;
	case 'x':
		failed = renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
		break;
	case 'z':
		(void)snprintf(b, sizeof b, "%s/%s/%s", real->dir, deed.a, deed.b);
		real_unnamed(real, a, b);
		break;
	}
	cr_assert_eq(failed, 0, "%c %s: %s", deed.what, a, strerror(errno));
}

static void real_tell(const struct real *real, struct telling *out)
{
	_Alignas(struct inotify_event) char bytes[16384];
	ssize_t got = read(real->inotify_fd, bytes, sizeof bytes);
	for (ssize_t i = 0; i < got;) {
		const struct inotify_event *event = (const void *)(bytes + i);
		tell(out, event, event->len ? event->name : "");
		i += (ssize_t)(sizeof *event + event->len);
	}
}

static void tell_real(const struct story *story, struct telling *out)
{
	struct real real = { .dir = "/tmp/carved-memfs-XXXXXX", .held = -1 };
	cr_assert_not_null(mkdtemp(real.dir));
	real.inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	static const char *const before[] = {
		"d d", "d e", "d x", "w d", "w e",
	};
	for (size_t i = 0; i < sizeof before / sizeof *before; i++)
		do_real(&real, before[i]);
	for (const char *const *deed = story->deeds; *deed; deed++)
		do_real(&real, *deed);
	real_tell(&real, out);
	while (real.opens > 0)
		close(real.open[--real.opens]);
	close(real.inotify_fd);
	remove_tree(real.dir);
}

/* ------- memory ------- */

static struct mem_open *mem_opened[SLOTS];
static int mem_opens;
static struct mem_inode *mem_held;

static struct mem_inode *mem_dir(const char *path, char *out_name)
{
	struct mem_spot spot;
	char dir[256];
	const char *slash = strrchr(path, '/');
	(void)snprintf(out_name, MEM_NAME_MOST, "%s", slash ? slash + 1 : path);
	(void)snprintf(dir, sizeof dir, "/%.*s", slash ? (int)(slash - path) : 0, path);
	cr_assert_eq(mem_resolve(dir, &spot), 0, "%s", dir);
	return spot.inode;
}

static struct mem_entry *mem_at(const char *path)
{
	char name[MEM_NAME_MOST];
	const struct mem_inode *dir = mem_dir(path, name);
	return mem_find(dir, name);
}

static void open_mem(const char *path)
{
	char name[MEM_NAME_MOST];
	struct mem_inode *dir = mem_dir(path, name);
	(void)mem_make(dir, name, MEM_FILE, NULL);
	mem_opened[mem_opens++] = mem_open_write(mem_find(dir, name));
}

static void do_mem(const char *words)
{
	struct deed deed = deed_of(words);
	char name[MEM_NAME_MOST];
	char other[MEM_NAME_MOST];
	struct mem_inode *dir = *deed.a ? mem_dir(deed.a, name) : NULL;
	struct mem_inode *other_dir = *deed.b && deed.what != 'z' ? mem_dir(deed.b, other) : NULL;
	struct mem_entry *entry = dir ? mem_find(dir, name) : NULL;
	int failed = 0;
	switch (deed.what) {
	case 'a':
		mem_chmod(entry->inode, MEM_ALL);
		break;
	case 'c':
		mem_close(mem_opened[0]);
		memmove(mem_opened, mem_opened + 1, sizeof mem_opened - sizeof *mem_opened);
		mem_opens--;
		break;
	case 'd':
		failed = mem_make(dir, name, MEM_DIR, NULL);
		break;
	case 'g':
		mem_release(mem_held);
		break;
	case 'h':
		mem_hold(mem_held = entry->inode);
		break;
	case 'l':
		failed = mem_link(entry->inode, other_dir, other);
		break;
	case 'm':
		failed = mem_rename(entry, other_dir, other);
		break;
	case 'o':
		open_mem(deed.a);
		break;
	case 'p':
		failed = mem_make(dir, name, MEM_FIFO, NULL);
		break;
	case 'r':
		failed = mem_rmdir(entry);
		break;
	case 's':
		failed = mem_make(dir, name, MEM_LINK, "anything");
		break;
	case 't':
		mem_touch(entry);
		break;
	case 'u':
		failed = mem_unlink(entry);
		break;
	case 'v':
		mem_unwatch(entry->inode);
		break;
	case 'w':
		cr_assert_gt(mem_watch(entry->inode, adopt_mask), 0);
		break;
	case 'x':
		failed = mem_exchange(entry, mem_at(deed.b));
		break;
	case 'z':
		mem_opened[mem_opens++] = mem_tmpfile(entry->inode);
		failed = mem_link(mem_opened[mem_opens - 1]->inode, entry->inode, deed.b);
		break;
	}
	cr_assert_eq(failed, 0, "%c %s: %d", deed.what, deed.a, failed);
}

static void tell_mem(const struct story *story, struct telling *out)
{
	mem_begin(1);
	mem.instance = true;
	mem_opens = 0;
	static const char *const before[] = {
		"d d", "d e", "d x", "w d", "w e",
	};
	for (size_t i = 0; i < sizeof before / sizeof *before; i++)
		do_mem(before[i]);
	for (const char *const *deed = story->deeds; *deed; deed++)
		do_mem(*deed);
	for (const struct mem_event *event = mem_queue_first(); event; event = mem_queue_first()) {
		struct inotify_event head = { .wd = event->wd,
					      .mask = event->mask,
					      .cookie = event->cookie };
		tell(out, &head, event->name);
		mem_queue_pop();
	}
	mem_end();
}

Test(memfs, tells_what_the_kernel_tells)
{
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		struct telling real = { 0 };
		struct telling memory = { 0 };
		tell_real(&stories[i], &real);
		tell_mem(&stories[i], &memory);
		cr_expect_str_eq(memory.text, real.text, "%s\n-- in memory:\n%s-- the kernel:\n%s",
				 stories[i].name, memory.text, real.text);
	}
}

/* Not with the kernel: its bound is the same for all of the machine's programs. */
Test(memfs, queue_that_is_full_drops_and_says_so_once)
{
	char name[MEM_NAME_MOST];
	mem_begin(1);
	mem.instance = true;
	mem.queue_most = 3;
	do_mem("d d");
	do_mem("w d");
	for (int i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof name, "s d/f%d", i);
		do_mem(name);
	}
	cr_assert_eq(mem_queue_left(), 4, "three, and the overflow");
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(mem_queue_first()->mask, IN_CREATE);
		mem_queue_pop();
	}
	cr_assert_eq(mem_queue_first()->mask, IN_Q_OVERFLOW);
	cr_assert_eq(mem_queue_first()->wd, -1);
	do_mem("s d/g");
	cr_assert_eq(mem_queue_left(), 2, "there is room again");
	mem_end();
}
