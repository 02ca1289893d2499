/*
 * producer: writes many small files as a sensor does, as fast as one process can or at a rate.
 *
 *	producer [-r RATE] [-m MOST] [-k CONTENTS] [-t TIMES] DIRECTORY COUNT BYTES [DIRECTORIES
 *[SEED]]
 *
 * The files are spread over d0, d1, ... below DIRECTORY and named as Bro names them, with fuids
 * that are random (a xorshift generator): names in a row would hide what an index costs. The same
 * SEED gives the same names and contents; two producers need two seeds. Prints what it made and how
 * long it took.
 *
 *	-r RATE      so many files a second, evenly
 *	-m MOST      sizes from BYTES to MOST, each power of two as often as any other
 *	-k CONTENTS  so many different contents, each as often as any other; without it no two are
 *	             the same
 *	-t TIMES     a file with a line for each of them: its fuid and when it was closed, in
 *	             nanoseconds of CLOCK_REALTIME
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FUID_RANDOM 17
#define BYTES_MAX   (1L << 20)
#define DIRS_MAX    512
#define NS_PER_S    1000000000L

static uint64_t state;

static struct {
	long rate;     /* files a second; 0: as fast as it goes */
	long most;     /* largest size; 0: all have the same */
	long contents; /* how many different ones; 0: all are */
	FILE *times;
} options;

/* Marsaglia, "Xorshift RNGs" (2003), with a multiplication to mend the low bits. */
static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static long number(const char *text, long least, long most)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || *end || end == text || value < least || value > most) {
		fprintf(stderr, "producer: %s is not a number from %ld to %ld\n", text, least,
			most);
		exit(2);
	}
	return value;
}

static void fail(const char *what)
{
	fprintf(stderr, "producer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t size_of_next(size_t bytes)
{
	if (!options.most)
		return bytes;
	unsigned powers = 0;
	while ((long)(bytes << (powers + 1)) <= options.most)
		powers++;
	size_t least = bytes << next_random() % (powers + 1);
	size_t size = least + next_random() % least;
	return size < (size_t)options.most ? size : (size_t)options.most;
}

/* Contents begin with a number of their own, and go on with the same bytes. */
static size_t fill(char *content, size_t bytes)
{
	uint64_t own = next_random();
	if (options.contents) {
		own = own % (uint64_t)options.contents + 1;
		uint64_t before = state;
		state = own * UINT64_C(0x9e3779b97f4a7c15);
		bytes = size_of_next(bytes);
		state = before;
	} else {
		bytes = size_of_next(bytes);
	}
	memcpy(content, &own, bytes < sizeof own ? bytes : sizeof own);
	return bytes;
}

static void make_file(int directory, size_t bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static char content[BYTES_MAX];
	char fuid[FUID_RANDOM + 1] = "";
	for (size_t i = 0; i < FUID_RANDOM; i++)
		fuid[i] = letters[next_random() % (sizeof letters - 1)];
	char name[128];
	snprintf(name, sizeof name, "HTTP-F%s.burst.text.plain.txt", fuid);
	size_t size = fill(content, bytes);
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		fail(name);
	if (size && write(fd, content, size) != (ssize_t)size)
		fail(name);
	close(fd);
	if (options.times)
		fprintf(options.times, "F%s %" PRId64 "\n", fuid, now_ns(CLOCK_REALTIME));
}

/* Until file number i is due; no file waits for the clock alone for less than a tenth of a ms, or
 * sleeping would cost more than writing. */
static void wait_for_turn(int64_t began, long i)
{
	if (!options.rate)
		return;
	int64_t due = began + (int64_t)i * NS_PER_S / options.rate;
	if (due - now_ns(CLOCK_MONOTONIC) < NS_PER_S / 10000)
		return;
	struct timespec until = { .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void usage(void)
{
	fprintf(stderr, "usage: producer [-r RATE] [-m MOST] [-k CONTENTS] [-t TIMES] "
			"DIRECTORY COUNT BYTES [DIRECTORIES [SEED]]\n");
	exit(2);
}

static void read_options(int argc, char **argv)
{
	for (int letter; (letter = getopt(argc, argv, "r:m:k:t:")) != -1;) {
		switch (letter) {
		case 'r':
			options.rate = number(optarg, 1, 10000000);
			break;
		case 'm':
			options.most = number(optarg, 1, BYTES_MAX);
			break;
		case 'k':
			options.contents = number(optarg, 1, 100000000);
			break;
		case 't':
			options.times = fopen(optarg, "we");
			if (!options.times)
				fail(optarg);
			break;
		default:
			usage();
		}
	}
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	argv += optind;
	argc -= optind;
	if (argc < 3 || argc > 5)
		usage();
	long count = number(argv[1], 0, 100000000);
	size_t bytes = (size_t)number(argv[2], options.most ? 1 : 0, BYTES_MAX);
	long dirs = argc > 3 ? number(argv[3], 1, DIRS_MAX) : 1;
	state = (uint64_t)(argc > 4 ? number(argv[4], 1, INT32_MAX) : 1) *
		UINT64_C(0x9e3779b97f4a7c15);
	static int directory[DIRS_MAX];
	for (long i = 0; i < dirs; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/d%ld", argv[0], i);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fail(path);
		directory[i] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (directory[i] < 0)
			fail(path);
	}
	int64_t began = now_ns(CLOCK_MONOTONIC);
	for (long i = 0; i < count; i++) {
		wait_for_turn(began, i);
		make_file(directory[i % dirs], bytes);
	}
	double took = (double)(now_ns(CLOCK_MONOTONIC) - began) / NS_PER_S;
	if (options.times && fclose(options.times) != 0)
		fail("times");
	printf("%ld files in %.6f s\n", count, took);
	return 0;
}
