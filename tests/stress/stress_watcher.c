/*
 * stress_watcher: producers churn a tree while the watcher is read now fast, now slowly; at the end
 * every file on disk must have been told at its path, and the kernel's watches must be those of the
 * directories on disk.
 *
 * usage: stress_watcher [SECONDS] [SEED]. Plain main(), so that it runs under the thread sanitizer
 * too.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/inside.h"
#include "watcher/watcher.h"

#define PRODUCERS   2
#define NAMES	    6
#define FILES_MOST  60000
#define SECONDS	    3
#define PATIENCE_MS 240000
#define RENAME_SWAP 2		 /* RENAME_EXCHANGE of linux/fs.h */
#define QUEUE_FULL  (16384 * 32) /* bytes: the default length, short names */

struct producer {
	pthread_t thread;
	unsigned seed;
	unsigned number;
	const char *root;
	const char *away;
	unsigned files;
};

static atomic_bool stop;
static char root[64];
static char away[64];

/* ------- a set of paths ------- */

struct paths {
	char **slots;
	size_t capacity;
	size_t count;
};

static size_t path_hash(const char *path)
{
	size_t hash = 14695981039346656037u;
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211u;
	return hash;
}

static char **path_slot(struct paths *set, const char *path)
{
	size_t i = path_hash(path) & (set->capacity - 1);
	while (set->slots[i] && strcmp(set->slots[i], path) != 0)
		i = (i + 1) & (set->capacity - 1);
	return &set->slots[i];
}

static void paths_add(struct paths *set, const char *path)
{
	if (set->count * 2 >= set->capacity) {
		struct paths old = *set;
		set->capacity = old.capacity ? old.capacity * 2 : 1024;
		set->slots = own_calloc(set->capacity, sizeof(char *));
		for (size_t i = 0; i < old.capacity; i++) {
			if (old.slots[i])
				*path_slot(set, old.slots[i]) = old.slots[i];
		}
		free(old.slots);
	}
	char **slot = path_slot(set, path);
	if (!*slot) {
		*slot = strdup(path);
		set->count++;
	}
}

static bool paths_has(struct paths *set, const char *path)
{
	return set->capacity && *path_slot(set, path);
}

static void paths_free(struct paths *set)
{
	for (size_t i = 0; i < set->capacity; i++)
		free(set->slots[i]);
	free(set->slots);
}

/* ------- the producers ------- */

static void random_dir(struct producer *p, char *out, size_t size)
{
	int len = snprintf(out, size, "%s", rand_r(&p->seed) % 12 ? p->root : p->away);
	unsigned depth = (unsigned)rand_r(&p->seed) % 4;
	for (unsigned i = 0; i < depth; i++)
		len += snprintf(out + len, size - (size_t)len, "/d%u",
				(unsigned)rand_r(&p->seed) % NAMES);
}

static void write_file(struct producer *p, const char *dir)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/f%u-%u", dir, p->number, p->files);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	p->files++;
	ssize_t written = write(fd, "x", 1);
	(void)written;
	close(fd);
	/* some are published by a rename, some vanish */
	char other[600];
	(void)snprintf(other, sizeof other, "%s.done", path);
	if (p->files % 5 == 0)
		(void)rename(path, other);
	else if (p->files % 7 == 0)
		(void)unlink(path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

static void churn(struct producer *p)
{
	char a[512];
	char b[512];
	random_dir(p, a, sizeof a);
	random_dir(p, b, sizeof b);
	unsigned dice = (unsigned)rand_r(&p->seed) % 100;
	if (dice < 55 && p->files < FILES_MOST)
		write_file(p, a);
	else if (dice < 80)
		(void)mkdir(a, 0755);
	else if (dice < 88 && strcmp(a, root) != 0 && strcmp(a, away) != 0)
		(void)rename(a, b);
	else if (dice < 94 && strcmp(a, root) != 0 && strcmp(b, root) != 0)
		(void)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_SWAP);
	else if (dice < 95 && strcmp(a, root) != 0)
		(void)nftw(a, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	else if (dice < 97)
		(void)rmdir(strcmp(a, root) != 0 ? a : b);
	else
		(void)chmod(a, 0755);
}

static void *produce(void *argument)
{
	struct producer *p = argument;
	while (!atomic_load(&stop))
		churn(p);
	return NULL;
}

/* ------- the reader ------- */

struct tally {
	struct paths told;
	uint64_t events;
	uint64_t gaps_opened;
	uint64_t gaps_closed;
};

static void take(struct tally *tally, const struct watcher_event *event)
{
	tally->events++;
	tally->gaps_opened += event->kind == WATCHER_GAP_OPENED;
	tally->gaps_closed += event->kind == WATCHER_GAP_CLOSED;
	if (event->kind < WATCHER_GONE)
		paths_add(&tally->told, event->path);
	if (event->kind == WATCHER_COMPLAINT)
		fprintf(stderr, "complaint: %s\n", event->text);
}

static bool drain(struct watcher *w, struct tally *tally, unsigned most)
{
	struct watcher_event event;
	int did = WATCHER_BUSY;
	for (unsigned i = 0; i < most && did > 0; i++) {
		did = watcher_next(w, &event);
		if (did == WATCHER_EVENT)
			take(tally, &event);
	}
	if (did < 0) {
		fprintf(stderr, "watcher_next: %s\n", strerror(-did));
		exit(1);
	}
	return did == WATCHER_NOTHING;
}

static void wait_readable(struct watcher *w, int timeout_ms)
{
	struct pollfd fd = { .fd = watcher_fd(w), .events = POLLIN };
	(void)poll(&fd, 1, timeout_ms);
}

/* Until everything is told and no gap is open. */
static bool settle(struct watcher *w, struct tally *tally)
{
	int64_t deadline = own_now_ns() + PATIENCE_MS * INT64_C(1000000);
	uint64_t ticket = watcher_ticket(w);
	while (own_now_ns() < deadline) {
		if (!drain(w, tally, 1000))
			continue;
		if (watcher_passed(w, ticket) && tally->gaps_opened == tally->gaps_closed)
			return true;
		wait_readable(w, 1000);
	}
	fprintf(stderr, "not settled: %lu gaps opened, %lu closed\n",
		(unsigned long)tally->gaps_opened, (unsigned long)tally->gaps_closed);
	return false;
}

/* ------- the judgement ------- */

static struct tally tally;
static struct watcher *watcher;
static unsigned files_on_disk;
static unsigned faults;

static struct {
	uint64_t dev;
	uint64_t ino;
	bool met;
} watched[100000];

static size_t watched_count;

static void read_watches(int fd)
{
	char line[512];
	(void)snprintf(line, sizeof line, "/proc/self/fdinfo/%d", fd);
	FILE *file = fopen(line, "re");
	while (file && fgets(line, sizeof line, file)) {
		unsigned wd;
		unsigned long ino;
		unsigned long dev;
		if (sscanf(line, "inotify wd:%x ino:%lx sdev:%lx", &wd, &ino, &dev) != 3)
			continue;
		watched[watched_count].dev = dev;
		watched[watched_count++].ino = ino;
	}
	if (file)
		(void)fclose(file);
}

static void judge_directory(const char *path, const struct stat *st)
{
	uint64_t dev = (uint64_t)major(st->st_dev) << 20 | minor(st->st_dev);
	for (size_t i = 0; i < watched_count; i++) {
		if (watched[i].ino == st->st_ino && watched[i].dev == dev) {
			watched[i].met = true;
			return;
		}
	}
	fprintf(stderr, "not watched: %s\n", path);
	faults++;
}

static int judge(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_D) {
		judge_directory(path, st);
		return 0;
	}
	files_on_disk++;
	if (!paths_has(&tally.told, path)) {
		fprintf(stderr, "never told: %s\n", path);
		faults++;
	}
	return 0;
}

static void judge_surplus(void)
{
	char above[512];
	struct stat st;
	int len = snprintf(above, sizeof above, "%s", root);
	for (int up = 0; up < 10; up++) {
		len += snprintf(above + len, sizeof above - (size_t)len, "/..");
		if (stat(above, &st) == 0)
			judge_directory(above, &st);
	}
	for (size_t i = 0; i < watched_count; i++) {
		if (!watched[i].met) {
			fprintf(stderr, "watched, but not below the root: inode %lu\n",
				(unsigned long)watched[i].ino);
			faults++;
		}
	}
}

/* Reads nothing until the kernel's queue has run over (or the producers are too slow for that). */
static void fall_behind(void)
{
	int64_t end = own_now_ns() + INT64_C(3000000000);
	int queued = 0;
	while (queued < QUEUE_FULL && own_now_ns() < end) {
		(void)poll(NULL, 0, 20);
		(void)ioctl(watcher->inotify_fd, FIONREAD, &queued);
	}
}

static void run(unsigned seconds, unsigned seed)
{
	struct producer producers[PRODUCERS];
	int64_t end = own_now_ns() + (int64_t)seconds * INT64_C(1000000000);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){
			.seed = seed + i, .number = i, .root = root, .away = away
		};
		(void)pthread_create(&producers[i].thread, NULL, produce, &producers[i]);
	}
	for (unsigned round = 0; own_now_ns() < end; round++) {
		if (drain(watcher, &tally, round % 64 ? 5000 : 50))
			wait_readable(watcher, 20);
		if (round % 200 == 199)
			watcher_reconcile(watcher);
		if (round % 1000 == 500)
			fall_behind();
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < PRODUCERS; i++)
		(void)pthread_join(producers[i].thread, NULL);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : SECONDS;
	unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)own_now_ns();
	/* memory is faster than a journal, and faster producers find more */
	char dir[64] = "/dev/shm/carved-stress-XXXXXX";
	if (!mkdtemp(dir)) {
		(void)snprintf(dir, sizeof dir, "/tmp/carved-stress-XXXXXX");
		if (!mkdtemp(dir))
			return 1;
	}
	(void)snprintf(root, sizeof root, "%s/r", dir);
	(void)snprintf(away, sizeof away, "%s/away", dir);
	if (mkdir(root, 0755) != 0 || mkdir(away, 0755) != 0)
		return 1;
	uint32_t index;
	struct watcher_options options = { .buffer_bytes = 64 << 10 };
	if (watcher_new(&watcher, &options) != 0 ||
	    watcher_add_root(watcher, root, WATCHER_INOTIFY, &index) != 0 ||
	    watcher_start(watcher) != 0)
		return 1;
	printf("seed %u\n", seed);
	(void)fflush(stdout);
	run(seconds, seed);
	faults += settle(watcher, &tally) ? 0 : 1;
	read_watches(watcher->inotify_fd);
	(void)nftw(root, judge, 16, FTW_PHYS);
	judge_surplus();
	struct watcher_stats stats;
	watcher_stats(watcher, &stats);
	printf("events %lu, overflows %lu, listings %lu, directories %lu, files on disk %u, faults %u\n",
	       (unsigned long)stats.events, (unsigned long)stats.overflows,
	       (unsigned long)stats.walks, (unsigned long)stats.directories, files_on_disk, faults);
	watcher_free(watcher);
	paths_free(&tally.told);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return faults ? 1 : 0;
}
