/*
 * The kernel's buffers, true and made up, against a small tree that changes meanwhile.
 *
 * The input is a list of steps: something happens in the tree; records that the kernel wrote are
 * handed on, dropped, or handed on twice; records are made up, of watches that exist and of others;
 * bytes are no records at all; the watcher goes on a little; time passes. In the end comes what
 * always comes when records were lost, an overflow, and then must hold, whatever was heard before:
 * exactly the directories below the root are watched, every file below it was told under its path,
 * no gap is open.
 *
 * The clock is ours (--wrap), so that nothing has to be waited for, and no reader thread runs. An
 * inotify instance takes the kernel tens of milliseconds to close, so a thread does that, and
 * removes the tree, behind us.
 */
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>

#include "tests/fuzz/fuzz.h"
#include "watcher/inside.h"
#include "watcher/watcher.h"

#define STEPS_MAX   200
#define QUEUE_MAX   ((size_t)64 << 10)
#define PATHS_MAX   256
#define PATIENCE    100000 /* calls of watcher_next() until nothing more may come */
#define TICK_NS	    INT64_C(100000000)
#define WATCHES_MAX 256
#define QUIET_TURNS 40
#define LATE_MAX    24 /* instances that wait to be closed */

/* So wants the linker: NOLINTBEGIN(bugprone-reserved-identifier) */
int64_t __wrap_own_now_ns(void);
void __wrap_own_close(int fd);
/* NOLINTEND(bugprone-reserved-identifier) */

static int64_t now_ns = INT64_C(1000000000);
static char home[64];
static struct watcher *w;
static char queue[QUEUE_MAX];
static size_t queued;
static bool closing;	      /* what is told from now on is noted */
static char *told[PATHS_MAX]; /* paths of files */
static size_t told_count;
static int gaps_open;

int64_t __wrap_own_now_ns(void) // NOLINT(bugprone-reserved-identifier)
{
	return now_ns++;
}

static const char *const paths[] = { "r/a", "r/a/b", "r/a/b/c", "r/d",	 "r/d/a", "o",
				     "o/a", "o/a/b", "r/f",	"r/a/f", "r/d/f", "r/a/b/f",
				     "o/f", "r/ab",  "r/b",	"r" };
static const char *const names[] = { "a", "b", "c", "d", "f", "ab", "", "x\n\xff" };
static const uint32_t masks[] = { IN_CREATE,	  IN_DELETE,	   IN_MOVED_FROM,  IN_MOVED_TO,
				  IN_CLOSE_WRITE, IN_ATTRIB,	   IN_DELETE_SELF, IN_MOVE_SELF,
				  IN_IGNORED,	  IN_UNMOUNT,	   IN_Q_OVERFLOW,  IN_MODIFY,
				  IN_OPEN,	  IN_CLOSE_NOWRITE };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ------- what is closed and removed behind us ------- */

struct late {
	int fd; /* -1: it was never closed */
	unsigned number;
};

static int late_pipe[2] = { -1, -1 };
static sem_t late_room;
static char base[64];
static unsigned number; /* of the tree in use */
static int late_fd = -1;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void *be_late(void *unused)
{
	struct late late;
	char path[80];
	(void)unused;
	while (read(late_pipe[0], &late, sizeof late) == (ssize_t)sizeof late) {
		if (late.fd >= 0)
			close(late.fd);
		(void)snprintf(path, sizeof path, "%s/%u", base, late.number);
		(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		(void)sem_post(&late_room);
	}
	return NULL;
}

/* libFuzzer's alarm interrupts it. */
static void wait_for_room(void)
{
	while (sem_wait(&late_room) != 0)
		must(errno == EINTR);
}

static void remove_base(void)
{
	for (unsigned i = 0; i < LATE_MAX; i++)
		wait_for_room();
	(void)nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
	pthread_t thread;
	(void)snprintf(base, sizeof base, "/tmp/carved-fuzz-XXXXXX");
	must(mkdtemp(base));
	must(sem_init(&late_room, 0, LATE_MAX) == 0);
	must(pipe2(late_pipe, O_CLOEXEC) == 0);
	must(pthread_create(&thread, NULL, be_late, NULL) == 0);
	must(atexit(remove_base) == 0);
}

/* own_close(), but for the instance. */
void __wrap_own_close(int fd) // NOLINT(bugprone-reserved-identifier)
{
	int code = errno;
	if (fd >= 0 && w && fd == w->inotify_fd)
		late_fd = fd;
	else if (fd >= 0)
		close(fd);
	errno = code;
}

static void make_home(void)
{
	if (base[0] == '\0')
		begin();
	number++;
	late_fd = -1;
	(void)snprintf(home, sizeof home, "%.40s/%u", base, number);
	must(mkdir(home, 0755) == 0 && chdir(home) == 0);
	must(mkdir("r", 0755) == 0 && mkdir("r/a", 0755) == 0 && mkdir("r/a/b", 0755) == 0);
	must(mkdir("o", 0755) == 0);
}

static void leave_home(void)
{
	struct late late = { .fd = late_fd, .number = number };
	wait_for_room();
	must(write(late_pipe[1], &late, sizeof late) == (ssize_t)sizeof late);
}

static const char *a_path(struct input *in)
{
	return paths[input_byte(in) % COUNT(paths)];
}

/* One change on disk; whether it succeeds does not matter. */
static void change_disk(struct input *in)
{
	unsigned deed = input_byte(in) % 8;
	const char *path = a_path(in);
	int fd;
	switch (deed) {
	case 0:
	case 1:
		(void)mkdir(path, 0755);
		break;
	case 2:
		(void)remove(path);
		break;
	case 3:
	case 4:
		(void)rename(path, a_path(in));
		break;
	case 5:
		(void)renameat2(AT_FDCWD, path, AT_FDCWD, a_path(in), RENAME_EXCHANGE);
		break;
	case 6:
		/* a root that leads to what others change would be another test */
		if (link(path, a_path(in)) < 0 && strcmp(path, "r") != 0)
			(void)symlink("..", path);
		break;
	default:
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
		break;
	}
}

/* What the kernel has written by now is taken from it. */
static void fetch(void)
{
	ssize_t got = read(w->inotify_fd, queue + queued, QUEUE_MAX - queued);
	if (got > 0)
		queued += (size_t)got;
}

static size_t record_size(const char *record)
{
	struct inotify_event head;
	memcpy(&head, record, sizeof head);
	return sizeof head + head.len;
}

/* The first records leave the queue: handed on so many times (0: dropped). */
static void pass_on(unsigned count, unsigned times)
{
	fetch();
	for (; count > 0 && queued > 0; count--) {
		size_t size = record_size(queue);
		for (unsigned i = 0; i < times; i++)
			(void)reader_feed(w->reader, queue, size);
		queued -= size;
		memmove(queue, queue + size, queued);
	}
}

static void make_up(struct input *in)
{
	char record[sizeof(struct inotify_event) + 32] = { 0 };
	struct inotify_event head = { .wd = (int)(input_byte(in) % 16) };
	unsigned kind = input_byte(in);
	unsigned name = input_byte(in);
	if (head.wd == 15)
		head.wd = kind & 0x40 ? -1 : INT32_MAX;
	head.mask = masks[kind % COUNT(masks)] | (kind & 0x80 ? IN_ISDIR : 0);
	head.cookie = name >> 5;
	head.len = name & 0x10 ? 16 : 0;
	memcpy(record, &head, sizeof head);
	if (head.len)
		memcpy(record + sizeof head, names[name % COUNT(names)],
		       strlen(names[name % COUNT(names)]));
	(void)reader_feed(w->reader, record, sizeof head + head.len);
}

static void feed_rubbish(struct input *in)
{
	size_t len = input_byte(in) % 64;
	if (len > in->left)
		len = in->left;
	(void)reader_feed(w->reader, in->at, len);
	in->at += len;
	in->left -= len;
}

static bool was_told(const char *path)
{
	for (size_t i = 0; i < told_count; i++) {
		if (strcmp(told[i], path) == 0)
			return true;
	}
	return false;
}

static void note(const struct watcher_event *event)
{
	if (event->kind == WATCHER_GAP_OPENED)
		gaps_open++;
	if (event->kind == WATCHER_GAP_CLOSED)
		gaps_open--;
	must(gaps_open >= 0);
	if (event->kind > WATCHER_GONE)
		return;
	must(event->path && strlen(event->path) == event->path_len);
	must(event->path[event->dir_len] == '/' && !strchr(event->path + event->dir_len + 1, '/'));
	must((event->kind == WATCHER_WALKED) == (event->stat != NULL));
	if (closing && event->kind != WATCHER_GONE && !was_told(event->path)) {
		must(told_count < PATHS_MAX);
		told[told_count++] = strdup(event->path);
	}
}

/* True when there was something to do. */
static bool go_on(void)
{
	struct watcher_event event;
	int did = watcher_next(w, &event);
	must(did >= 0);
	if (did == WATCHER_EVENT)
		note(&event);
	return did != WATCHER_NOTHING;
}

static void step(struct input *in)
{
	unsigned what = input_byte(in);
	switch (what % 10) {
	case 0:
	case 1:
	case 2:
		change_disk(in);
		break;
	case 3:
		pass_on(what / 10, 1);
		break;
	case 4:
		pass_on(what / 10 % 4, what / 40 % 3);
		break;
	case 5:
		make_up(in);
		break;
	case 6:
		feed_rubbish(in);
		break;
	case 7:
		now_ns += (int64_t)(what / 10) * TICK_NS / 4;
		break;
	case 8:
		if (what / 10 % 3 == 0)
			watcher_reconcile(w);
		else if (what / 10 % 3 == 1)
			watcher_retry(w);
		else
			watcher_mounts_changed(w);
		break;
	default:
		for (unsigned i = 0; i <= what / 10; i++)
			(void)go_on();
		break;
	}
}

/* Until nothing more comes, however long it is waited. */
static void come_to_rest(void)
{
	unsigned quiet = 0;
	bool retried = false;
	for (unsigned turn = 0; quiet < QUIET_TURNS; turn++) {
		must(turn < PATIENCE);
		pass_on(UINT32_MAX, 1);
		if (go_on() || queued > 0) {
			quiet = 0;
		} else {
			quiet++;
			now_ns += TICK_NS;
			if (quiet == QUIET_TURNS / 2 && !retried) {
				watcher_retry(w);
				retried = true;
			}
		}
	}
}

static void overflow(void)
{
	struct inotify_event head = { .wd = -1, .mask = IN_Q_OVERFLOW };
	pass_on(UINT32_MAX, 1);
	while (!reader_feed(w->reader, &head, sizeof head))
		must(go_on());
}

/* ------- what must hold ------- */

struct watches {
	size_t count;
	uint64_t ino[WATCHES_MAX];
	bool expected[WATCHES_MAX];
};

static struct watches watches;

static void read_watches(void)
{
	char path[64];
	char line[512];
	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", w->inotify_fd);
	FILE *file = fopen(path, "re");
	must(file);
	watches.count = 0;
	while (fgets(line, sizeof line, file)) {
		unsigned long ino;
		unsigned wd;
		if (sscanf(line, "inotify wd:%x ino:%lx", &wd, &ino) == 2) {
			must(watches.count < WATCHES_MAX);
			watches.expected[watches.count] = false;
			watches.ino[watches.count++] = ino;
		}
	}
	(void)fclose(file);
}

static bool expect_watch(uint64_t ino)
{
	for (size_t i = 0; i < watches.count; i++) {
		if (watches.ino[i] == ino) {
			watches.expected[i] = true;
			return true;
		}
	}
	return false;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_D) {
		if (!expect_watch(st->st_ino)) {
			(void)fprintf(stderr, "not watched: %s\n", path);
			abort();
		}
		return 0;
	}
	if (was_told(path))
		return 0;
	(void)fprintf(stderr, "not told: %s\n", path);
	abort();
}

static void check(const char *root)
{
	struct stat st;
	read_watches();
	bool present = lstat(root, &st) == 0 && S_ISDIR(st.st_mode);
	if (present)
		(void)nftw(root, visit, 16, FTW_PHYS);
	/* directories above the root are watched for changes of its path */
	static const char *const above[] = { ".", "..", "../..", "../../.." };
	for (size_t i = 0; i < COUNT(above); i++) {
		must(stat(above[i], &st) == 0);
		(void)expect_watch(st.st_ino);
	}
	for (size_t i = 0; i < watches.count; i++)
		must(watches.expected[i]);
	must(gaps_open == 0 || !present);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	char root[80];
	uint32_t index;
	make_home();
	(void)snprintf(root, sizeof root, "%s/r", home);
	queued = 0;
	gaps_open = 0;
	closing = false;
	must(watcher_new(&w, NULL) == 0);
	must(watcher_add_root(w, root, WATCHER_INOTIFY, &index) == 0);
	for (unsigned i = 0; i < STEPS_MAX && in.left > 0; i++)
		step(&in);
	overflow();
	closing = true;
	come_to_rest();
	check(root);
	watcher_free(w);
	for (size_t i = 0; i < told_count; i++)
		free(told[i]);
	told_count = 0;
	w = NULL;
	leave_home();
	return 0;
}
