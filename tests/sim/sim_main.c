/*
 * simulate: runs of the simulation (sim.h) from the command line.
 *
 *   simulate [--from SEED] [--runs N] [--minutes M]   many runs; the first bad one ends it
 *   simulate --reloads 1 ...                          roots go and come back, too; stands first
 *   simulate --bytes MOST ...                         with runs of up to so many bytes, not 1500
 *   simulate --seed SEED                              one run, told line by line
 *   simulate --shrink SEED                            the shortest string of bytes that still fails
 *                                                     the same way, told line by line
 *   simulate FILE                                     one run of a file's bytes, told line by line
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/sim.h"

static uint8_t bytes[1 << 16];
static size_t most = 1500;

/* 1 and more: how it fails, by its words without names and numbers. */
static int kind(const char *words)
{
	unsigned sum = 0;
	for (const char *word = words; *word; word += strspn(word, " ")) {
		size_t len = strcspn(word, " ");
		bool plain = len > 2 && strcspn(word, "/0123456789") >= len;
		for (size_t i = 0; plain && i < len; i++)
			sum = sum * 31 + (unsigned char)word[i];
		word += len;
	}
	return *words ? (int)(1 + sum % 200) : 0;
}

/* How a run ends, in a process of its own: it may abort. */
static int status_of(const uint8_t *data, size_t size)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		(void)sim_run(data, size);
		_exit(kind(sim_words()));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static size_t shrink(uint8_t *data, size_t size)
{
	int status = status_of(data, size);
	uint8_t *trial = malloc(size);
	if (!trial)
		abort();
	for (size_t chunk = size / 2; chunk > 0; chunk /= 2) {
		for (size_t at = 8; at + chunk <= size;) {
			memcpy(trial, data, at);
			memcpy(trial + at, data + at + chunk, size - at - chunk);
			if (status_of(trial, size - chunk) == status) {
				size -= chunk;
				memcpy(data, trial, size);
			} else {
				at += chunk;
			}
		}
	}
	for (size_t at = 0; at < size; at++) {
		uint8_t was = data[at];
		data[at] = 0;
		if (was != 0 && status_of(data, size) != status)
			data[at] = was;
	}
	free(trial);
	return size;
}

static int tell(const uint8_t *data, size_t size)
{
	sim_speak(true);
	int failed = sim_run(data, size);
	(void)printf("%s\n", failed ? sim_words() : "right");
	return failed;
}

static uint64_t under_way;

static void say_where(int signal)
{
	char line[64];
	int len = snprintf(line, sizeof line, "seed %llu: signal %d\n",
			   (unsigned long long)under_way, signal);
	ssize_t written = write(STDOUT_FILENO, line, (size_t)len);
	_exit(written > 0 ? 1 : 2);
}

static int many(uint64_t from, uint64_t runs, long minutes)
{
	time_t end = time(NULL) + minutes * 60;
	uint64_t seed = from;
	(void)signal(SIGSEGV, say_where);
	(void)signal(SIGABRT, say_where);
	for (; minutes > 0 ? time(NULL) < end : seed < from + runs; seed++) {
		size_t size = sim_bytes(under_way = seed, bytes, most);
		if (sim_run(bytes, size) == 0)
			continue;
		(void)printf("seed %llu: %s\n", (unsigned long long)seed, sim_words());
		return 1;
	}
	(void)printf("%llu runs, all right\n", (unsigned long long)(seed - from));
	return 0;
}

static size_t load(const char *path)
{
	FILE *file = fopen(path, "rbe");
	if (!file)
		return 0;
	size_t size = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	return size;
}

int main(int argc, char **argv)
{
	uint64_t from = 1;
	uint64_t runs = 2000;
	long minutes = 0;
	for (int i = 1; i < argc; i++) {
		uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;
		if (argv[i][0] != '-')
			return tell(bytes, load(argv[i]));
		if (i + 1 == argc)
			return 2;
		if (strcmp(argv[i], "--seed") == 0)
			return tell(bytes, sim_bytes(value, bytes, most));
		if (strcmp(argv[i], "--shrink") == 0)
			return tell(bytes, shrink(bytes, sim_bytes(value, bytes, most)));
		if (strcmp(argv[i], "--bytes") == 0 && value <= sizeof bytes)
			most = value;
		else if (strcmp(argv[i], "--reloads") == 0)
			sim_reload(value > 0);
		else if (strcmp(argv[i], "--from") == 0)
			from = value;
		else if (strcmp(argv[i], "--runs") == 0)
			runs = value;
		else if (strcmp(argv[i], "--minutes") == 0)
			minutes = (long)value;
		else
			return 2;
		i++;
	}
	return many(from, runs, minutes);
}
