/*
 * reader: see reader.h.
 *
 * The ring is [0, size). The thread writes at head in whole reads that are never split: when the
 * end is too near, limit remembers where the data ends and head starts again at 0. head == tail
 * means empty; head never catches up with tail from behind. Only the thread moves head and only the
 * loop moves tail, except that the loop may set both to 0 under the lock when the ring is empty.
 */
#include "watcher/reader.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "watcher/decode.h"
#include "watcher/own.h"
#include "watcher/view.h"

#define BOUND_DEFAULT ((size_t)8 << 20)
#define BOUND_LEAST   ((size_t)4096)
#define BOUND_MOST    ((size_t)1 << 30)
#define READ_MOST     ((size_t)64 << 10)  /* larger reads were not faster */
#define READ_GOOD     ((size_t)4 << 10)	  /* less is not worth a read when many come */
#define TIDY_ABOVE    ((size_t)256 << 10) /* as long as this little was touched, keep it */

/* When reads follow each other this closely, the next one waits so long for more to come: else,
 * when files are made as fast as can be, there is a read, and two switches of context, for each
 * event. As network cards do with interrupts. The kernel's queue (16,384 events) does not fill in
 * that time, and who waits for a single file's event does not meet it. */
#define READ_CLOSE_NS 500000
#define READ_PAUSE_NS 200000

struct reader {
	unsigned char *ring;
	size_t size;
	size_t batch; /* the room a read must find */
	int inotify_fd;
	int wake_fd;
	int control_fd; /* eventfd: stop, or there is room again */
	bool running;
	pthread_t thread;
	pthread_mutex_t lock;
	uint64_t total; /* bytes that the kernel gave so far; guarded by lock */
	uint64_t high;	/* guarded by lock */
	size_t touched; /* bytes of the ring that hold memory; guarded by lock */
	_Atomic size_t head;
	_Atomic size_t tail;
	_Atomic size_t limit;
	_Atomic uint64_t position;
	atomic_bool stop;
	atomic_bool starved; /* the thread waits for room, and nobody has woken it yet */
	atomic_int error;
	_Atomic uint64_t rounds;
};

static void ring_bell(int fd)
{
	/* EAGAIN: the counter is full, so the other side is awake anyway */
	ssize_t written = write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	(void)written;
}

static void silence(int fd)
{
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof count);
	(void)got;
}

int reader_new(struct reader **out, int inotify_fd, int wake_fd, size_t bound)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = bound ? bound : BOUND_DEFAULT;
	if (size < BOUND_LEAST)
		size = BOUND_LEAST;
	if (size > BOUND_MOST)
		return -E2BIG;
	size = (size + page - 1) / page * page;
	int control = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control < 0)
		return -errno;
	void *ring = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ring == MAP_FAILED) {
		int failed = -errno;
		own_close(control);
		return failed;
	}
	struct reader *reader = own_calloc(1, sizeof *reader);
	*reader = (struct reader){
		.ring = ring,
		.size = size,
		.batch = size / 4 < READ_MOST ? size / 4 : READ_MOST,
		.inotify_fd = inotify_fd,
		.wake_fd = wake_fd,
		.control_fd = control,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	*out = reader;
	return 0;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	if (reader->running) {
		atomic_store(&reader->stop, true);
		ring_bell(reader->control_fd);
		(void)pthread_join(reader->thread, NULL);
	}
	(void)munmap(reader->ring, reader->size);
	own_close(reader->control_fd);
	(void)pthread_mutex_destroy(&reader->lock);
	free(reader);
}

/* Where the next read goes, and how many bytes fit there: at least a batch, or 0. Under the lock,
 * or while the thread is starved. */
static size_t room(struct reader *reader, size_t *out_at)
{
	size_t head = atomic_load(&reader->head);
	size_t tail = atomic_load(&reader->tail);
	*out_at = head;
	if (head < tail)
		return tail - head > reader->batch ? tail - head - 1 : 0;
	if (reader->size - head >= reader->batch)
		return reader->size - head;
	*out_at = 0;
	return tail > reader->batch ? tail - 1 : 0;
}

/* Makes got bytes at at visible to the loop, in as few as say the same; wakes it when it may be
 * asleep. What comes before some point of the kernel's bytes, as others count them, is told whole
 * or not at all: a pair is passed as one. Under the lock. */
static void publish(struct reader *reader, size_t at, size_t got)
{
	size_t head = atomic_load(&reader->head);
	size_t len = decode_merge(reader->ring + at, got);
	if (at != head)
		atomic_store(&reader->limit, head);
	if (at + got > reader->touched)
		reader->touched = at + got;
	reader->total += got;
	uint64_t used = reader->total - atomic_load(&reader->position);
	if (used > reader->high)
		reader->high = used;
	atomic_store(&reader->head, at + len);
	if (atomic_load(&reader->tail) == head)
		ring_bell(reader->wake_fd);
}

enum reading {
	READING_DONE,
	READING_NO_ROOM,
	READING_FAILED
};

static enum reading read_batch(struct reader *reader, size_t *out_got)
{
	*out_got = 0;
	size_t at;
	(void)pthread_mutex_lock(&reader->lock);
	size_t space = room(reader, &at);
	ssize_t got = 0;
	int failed = 0;
	if (space > 0) {
		got = read(reader->inotify_fd, reader->ring + at,
			   space < READ_MOST ? space : READ_MOST);
		failed = got < 0 ? errno : 0;
		if (got > 0) {
			publish(reader, at, (size_t)got);
			*out_got = (size_t)got;
		}
	}
	(void)pthread_mutex_unlock(&reader->lock);
	if (space == 0)
		return READING_NO_ROOM;
	if (failed == 0 || failed == EAGAIN || failed == EINTR)
		return READING_DONE;
	atomic_store(&reader->error, -failed);
	return READING_FAILED;
}

/* Sleeps until the loop has given something back (or wants us to stop). */
static void wait_for_room(struct reader *reader)
{
	size_t at;
	atomic_store(&reader->starved, true);
	(void)pthread_mutex_lock(&reader->lock);
	size_t space = room(reader, &at);
	(void)pthread_mutex_unlock(&reader->lock);
	if (space == 0) {
		struct pollfd control = { .fd = reader->control_fd, .events = POLLIN };
		(void)poll(&control, 1, -1);
		silence(reader->control_fd);
	}
	atomic_store(&reader->starved, false);
}

static int64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* After a read of so many bytes. */
static void pause_when_busy(size_t got, int64_t *last_ns)
{
	int64_t before_ns = *last_ns;
	*last_ns = now_ns();
	if (got >= READ_GOOD || *last_ns - before_ns > READ_CLOSE_NS)
		return;
	/* a signal cannot end it early: the thread takes none */
	(void)nanosleep(&(struct timespec){ .tv_nsec = READ_PAUSE_NS }, NULL);
	*last_ns = now_ns();
}

static void *run(void *argument)
{
	struct reader *reader = argument;
	int64_t last_ns = 0;
	(void)prctl(PR_SET_NAME, "carved-reader");
	while (!atomic_load(&reader->stop)) {
		struct pollfd ends[2] = {
			{ .fd = reader->inotify_fd, .events = POLLIN },
			{ .fd = reader->control_fd, .events = POLLIN },
		};
		(void)poll(ends, 2, -1);
		atomic_fetch_add_explicit(&reader->rounds, 1, memory_order_relaxed);
		if (ends[1].revents)
			silence(reader->control_fd);
		if (!ends[0].revents)
			continue;
		size_t got;
		enum reading reading = read_batch(reader, &got);
		pause_when_busy(got, &last_ns);
		if (reading == READING_NO_ROOM)
			wait_for_room(reader);
		if (reading == READING_FAILED)
			break;
	}
	ring_bell(reader->wake_fd);
	return NULL;
}

int reader_start(struct reader *reader)
{
	if (reader->running || reader->inotify_fd < 0)
		return 0;
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (failed == 0) {
		failed = pthread_create(&reader->thread, NULL, run, reader);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	reader->running = failed == 0;
	return -failed;
}

const void *reader_peek(struct reader *reader, size_t *out_len)
{
	size_t tail = atomic_load(&reader->tail);
	size_t head = atomic_load(&reader->head);
	if (head == tail)
		return NULL;
	if (head < tail) {
		size_t limit = atomic_load(&reader->limit);
		if (tail < limit) {
			*out_len = limit - tail;
			return reader->ring + tail;
		}
		tail = 0;
		atomic_store(&reader->tail, tail);
	}
	*out_len = head - tail;
	return reader->ring + tail;
}

/* Once, and not before it can go on: else each event skipped would wake it in vain. */
static void wake_starved(struct reader *reader)
{
	size_t at;
	if (atomic_load(&reader->starved) && room(reader, &at) > 0 &&
	    atomic_exchange(&reader->starved, false))
		ring_bell(reader->control_fd);
}

void reader_skip(struct reader *reader, size_t bytes, size_t kernel_bytes)
{
	uint64_t position = atomic_load_explicit(&reader->position, memory_order_relaxed);
	atomic_store_explicit(&reader->position, position + kernel_bytes, memory_order_relaxed);
	atomic_store(&reader->tail, atomic_load(&reader->tail) + bytes);
	wake_starved(reader);
}

void reader_drop(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->lock);
	atomic_store(&reader->tail, atomic_load(&reader->head));
	atomic_store(&reader->position, reader->total);
	(void)pthread_mutex_unlock(&reader->lock);
	wake_starved(reader);
}

void reader_tidy(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->lock);
	if (atomic_load(&reader->head) == atomic_load(&reader->tail)) {
		atomic_store(&reader->head, 0);
		atomic_store(&reader->tail, 0);
		atomic_store(&reader->position, reader->total);
		if (reader->touched > 2 * TIDY_ABOVE) {
			(void)madvise(reader->ring + TIDY_ABOVE, reader->size - TIDY_ABOVE,
				      MADV_DONTNEED);
			reader->touched = TIDY_ABOVE;
		}
	}
	(void)pthread_mutex_unlock(&reader->lock);
}

uint64_t reader_position(const struct reader *reader)
{
	return atomic_load_explicit(&reader->position, memory_order_relaxed);
}

/* Bytes read and bytes still in the kernel's queue. */
static uint64_t count_all(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->lock);
	uint64_t all = reader->total;
	if (reader->inotify_fd >= 0)
		all += view_queued(reader->inotify_fd);
	(void)pthread_mutex_unlock(&reader->lock);
	return all;
}

uint64_t reader_horizon(struct reader *reader)
{
	return count_all(reader);
}

bool reader_dry(struct reader *reader)
{
	return count_all(reader) == reader_position(reader);
}

int reader_error(const struct reader *reader)
{
	return atomic_load(&reader->error);
}

uint64_t reader_rounds(struct reader *reader, bool *out_at_work)
{
	*out_at_work = reader->running && !atomic_load(&reader->starved) &&
		       view_queued(reader->inotify_fd) > 0;
	return atomic_load_explicit(&reader->rounds, memory_order_relaxed);
}

void reader_usage(struct reader *reader, uint64_t *out_used, uint64_t *out_high)
{
	(void)pthread_mutex_lock(&reader->lock);
	*out_used = reader->total - reader_position(reader);
	*out_high = reader->high;
	(void)pthread_mutex_unlock(&reader->lock);
}

bool reader_feed(struct reader *reader, const void *bytes, size_t len)
{
	size_t at;
	(void)pthread_mutex_lock(&reader->lock);
	bool fits = len > 0 && room(reader, &at) >= len;
	if (fits) {
		memcpy(reader->ring + at, bytes, len);
		publish(reader, at, len);
	}
	(void)pthread_mutex_unlock(&reader->lock);
	return fits;
}
