/*
 * producer: writes many small files as a sensor does, as fast as one process can.
 *
 *	producer DIRECTORY COUNT BYTES [DIRECTORIES [SEED]]
 *
 * The files are spread over d0, d1, ... below DIRECTORY and named as Bro names them, with fuids
 *that are random (a xorshift generator): names in a row would hide what an index costs. The same
 *SEED gives the same names and contents; two producers need two seeds. Prints what it made and how
 *long it took.
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
#define BYTES_MAX   65536
#define DIRS_MAX    256

static uint64_t state;

/* Marsaglia, "Xorshift RNGs" (2003), with a multiplication to mend the low bits. */
static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		fail(name);
	uint64_t own = next_random(); /* so that no two contents are the same */
	memcpy(content, &own, bytes < sizeof own ? bytes : sizeof own);
	if (bytes && write(fd, content, bytes) != (ssize_t)bytes)
		fail(name);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 6) {
		fprintf(stderr, "usage: producer DIRECTORY COUNT BYTES [DIRECTORIES [SEED]]\n");
		return 2;
	}
	long count = number(argv[2], 0, 100000000);
	size_t bytes = (size_t)number(argv[3], 0, BYTES_MAX);
	long dirs = argc > 4 ? number(argv[4], 1, DIRS_MAX) : 1;
	state = (uint64_t)(argc > 5 ? number(argv[5], 1, INT32_MAX) : 1) *
		UINT64_C(0x9e3779b97f4a7c15);
	static int directory[DIRS_MAX];
	for (long i = 0; i < dirs; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/d%ld", argv[1], i);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fail(path);
		directory[i] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (directory[i] < 0)
			fail(path);
	}
	double began = seconds();
	for (long i = 0; i < count; i++)
		make_file(directory[i % dirs], bytes);
	double took = seconds() - began;
	printf("%ld files in %.3f s\n", count, took);
	return 0;
}
