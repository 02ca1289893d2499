/* reader: the ring, its wake-ups, the exact count, and the thread that stops reading when it is
 * full. */
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/own.h"
#include "watcher/reader.h"

/* How often a bell other than this one was rung. */
static int own_bell = -1;
static atomic_uint other_bells;

ssize_t write(int fd, const void *bytes, size_t len)
{
	uint64_t one = 1;
	if (fd != own_bell && len == sizeof one && memcmp(bytes, &one, sizeof one) == 0)
		atomic_fetch_add(&other_bells, 1);
	return syscall(SYS_write, fd, bytes, len);
}

static unsigned given_back;

int madvise(void *at, size_t len, int advice)
{
	given_back++;
	return (int)syscall(SYS_madvise, at, len, advice);
}

static bool rang(int fd)
{
	uint64_t count;
	return read(fd, &count, sizeof count) == sizeof count;
}

Test(watcher_reader, bytes_come_out_as_they_went_in_around_the_ring)
{
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct reader *reader;
	cr_assert_eq(reader_new(&reader, -1, wake, 4096), 0);
	unsigned char in = 0;
	unsigned char out = 0;
	unsigned seed = 5;
	uint64_t total = 0;
	uint64_t skipped = 0;
	for (int round = 0; round < 20000; round++) {
		unsigned char bytes[1024];
		size_t len = 16 * (1 + (size_t)rand_r(&seed) % 60);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (unsigned char)(in + i);
		if (reader_feed(reader, bytes, len)) {
			in = (unsigned char)(in + len);
			total += len;
		}
		size_t have = 0;
		const unsigned char *got = rand_r(&seed) % 3 ? reader_peek(reader, &have) : NULL;
		if (!got)
			continue;
		size_t take = rand_r(&seed) % 2 ? have : have / 32 * 16;
		for (size_t i = 0; i < take; i++)
			cr_assert_eq(got[i], (unsigned char)(out + i));
		out = (unsigned char)(out + take);
		reader_skip(reader, take, take);
		skipped += take;
		reader_tidy(reader);
	}
	cr_assert_eq(reader_horizon(reader), total);
	cr_assert_eq(reader_position(reader), skipped);
	uint64_t used;
	uint64_t high;
	reader_usage(reader, &used, &high);
	cr_assert_eq(used, total - skipped);
	cr_assert(high <= 4096 && high > 2048);
	reader_free(reader);
	close(wake);
}

Test(watcher_reader, bell_rings_only_when_the_ring_was_empty)
{
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct reader *reader;
	char bytes[32] = { 0 };
	size_t len;
	cr_assert_eq(reader_new(&reader, -1, wake, 0), 0);
	cr_assert(reader_feed(reader, bytes, 32));
	cr_assert(rang(wake));
	cr_assert(reader_feed(reader, bytes, 32));
	cr_assert(!rang(wake));
	cr_assert_not_null(reader_peek(reader, &len));
	cr_assert_eq(len, 64);
	cr_assert(!reader_dry(reader));
	reader_skip(reader, 64, 64);
	cr_assert(reader_dry(reader));
	cr_assert_null(reader_peek(reader, &len));
	cr_assert(reader_feed(reader, bytes, 32));
	cr_assert(rang(wake));
	reader_free(reader);
	close(wake);
}

Test(watcher_reader, all_that_was_read_is_skipped_in_the_end_whatever_it_seemed_to_stand_for)
{
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct reader *reader;
	char bytes[32] = { 0 };
	cr_assert_eq(reader_new(&reader, -1, wake, 0), 0);
	for (size_t seeming = 0; seeming <= 64; seeming += 64) {
		cr_assert(reader_feed(reader, bytes, 32));
		reader_skip(reader, 16, seeming);
		reader_tidy(reader);
		cr_assert(!reader_dry(reader), "there is something left");
		reader_skip(reader, 16, 16);
		reader_tidy(reader);
		cr_assert(reader_dry(reader));
		cr_assert_eq(reader_position(reader), reader_horizon(reader));
	}
	reader_free(reader);
	close(wake);
}

Test(watcher_reader, memory_of_a_burst_is_given_back_wherever_in_the_ring_it_ended)
{
	static const char bytes[60000];
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct reader *reader;
	size_t len;
	cr_assert_eq(reader_new(&reader, -1, wake, (size_t)1 << 20), 0);
	for (int i = 0; i < 19; i++) { /* 17 fit, so it ends near the beginning */
		cr_assert(reader_feed(reader, bytes, sizeof bytes));
		cr_assert_not_null(reader_peek(reader, &len));
		reader_skip(reader, len, len);
	}
	given_back = 0;
	reader_tidy(reader);
	cr_assert_eq(given_back, 1);
	reader_tidy(reader);
	cr_assert_eq(given_back, 1, "there is nothing more to give");
	reader_free(reader);
	close(wake);
}

/* A directory with files made in it, watched by an inotify instance. */
struct source {
	char dir[64];
	int fd;
	int wake;
	struct reader *reader;
};

static void source_open(struct source *source, size_t bound)
{
	*source = (struct source){ .dir = "/tmp/carved-reader-XXXXXX" };
	cr_assert_not_null(mkdtemp(source->dir));
	source->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	source->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	cr_assert_gt(inotify_add_watch(source->fd, source->dir, IN_CREATE | IN_DELETE), 0);
	cr_assert_eq(reader_new(&source->reader, source->fd, source->wake, bound), 0);
}

/* Two events of 32 bytes. */
static void source_act(const struct source *source)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/f", source->dir);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	unlink(path);
}

static void source_close(struct source *source)
{
	reader_free(source->reader);
	close(source->fd);
	close(source->wake);
	rmdir(source->dir);
}

Test(watcher_reader, horizon_counts_what_is_still_in_the_kernel)
{
	struct source source;
	source_open(&source, 0);
	for (uint64_t i = 1; i <= 100; i++) {
		source_act(&source);
		cr_assert_eq(reader_horizon(source.reader), i * 64);
	}
	cr_assert_eq(reader_start(source.reader), 0);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(reader_horizon(source.reader), 6400, "however far the thread is");
	source_close(&source);
}

Test(watcher_reader, everything_arrives_though_the_ring_is_small_and_the_reader_slow)
{
	enum {
		ACTS = 4000
	};
	struct source source;
	source_open(&source, 4096);
	cr_assert_eq(reader_start(source.reader), 0);
	for (int i = 0; i < ACTS; i++)
		source_act(&source);
	uint64_t used;
	uint64_t high;
	reader_usage(source.reader, &used, &high);
	cr_assert_leq(high, 4096);
	uint64_t want = (uint64_t)ACTS * 64;
	cr_assert_eq(reader_horizon(source.reader), want);
	int64_t deadline = own_now_ns() + INT64_C(30000000000);
	own_bell = source.wake;
	atomic_store(&other_bells, 0);
	while (reader_position(source.reader) < want) {
		size_t len;
		if (reader_peek(source.reader, &len)) {
			reader_skip(source.reader, 32, 32);
			continue;
		}
		struct pollfd fd = { .fd = source.wake, .events = POLLIN };
		cr_assert_lt(own_now_ns(), deadline);
		(void)poll(&fd, 1, 1000);
		(void)rang(source.wake);
	}
	cr_assert(reader_dry(source.reader));
	/* its thread reads at least 1024 - 31 bytes at a time, and need not wake for less */
	cr_assert_leq(atomic_load(&other_bells), want / 512);
	source_close(&source);
}

Test(watcher_reader, ends_while_it_waits_for_room_or_for_events)
{
	for (int full = 0; full < 2; full++) {
		struct source source;
		source_open(&source, 4096);
		cr_assert_eq(reader_start(source.reader), 0);
		for (int i = 0; full && i < 1000; i++)
			source_act(&source);
		source_close(&source);
	}
	reader_free(NULL);
}

Test(watcher_reader, error_of_the_kernel_is_kept_and_wakes)
{
	int ends[2];
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct reader *reader;
	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	/* the write end: poll() says POLLERR once the read end is closed, read() fails with EBADF
	 */
	close(ends[0]);
	cr_assert_eq(reader_new(&reader, ends[1], wake, 0), 0);
	cr_assert_eq(reader_start(reader), 0);
	struct pollfd fd = { .fd = wake, .events = POLLIN };
	cr_assert_eq(poll(&fd, 1, 30000), 1);
	cr_assert_lt(reader_error(reader), 0);
	reader_free(reader);
	close(ends[1]);
	close(wake);
}
