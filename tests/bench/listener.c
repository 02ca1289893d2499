/*
 * listener: when was each file's answer told? It is told after the commit.
 *
 *	listener TIMES <LINES
 *
 * LINES are those of carved run --json about files of producer. TIMES gets a line for each: the
 *fuid and the time at which the line had come, in nanoseconds of CLOCK_REALTIME, as producer writes
 * them. Ends with LINES.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "listener: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void note(FILE *times, const char *line, int64_t came_ns)
{
	static const char before[] = "/HTTP-";
	const char *fuid = strstr(line, before);
	if (!fuid)
		return;
	fuid += sizeof before - 1;
	fprintf(times, "%.*s %" PRId64 "\n", (int)strcspn(fuid, "."), fuid, came_ns);
}

int main(int argc, char **argv)
{
	static char buffer[(1 << 18) + 1];
	if (argc != 2) {
		fprintf(stderr, "usage: listener TIMES <LINES\n");
		return 2;
	}
	FILE *times = fopen(argv[1], "we");
	if (!times)
		fail(argv[1]);
	size_t kept = 0;
	for (ssize_t len;
	     (len = read(STDIN_FILENO, buffer + kept, sizeof buffer - 1 - kept)) != 0;) {
		if (len < 0)
			fail("standard input");
		int64_t came_ns = now_ns();
		size_t end = kept + (size_t)len;
		buffer[end] = '\0';
		char *line = buffer;
		for (char *newline; (newline = strchr(line, '\n')); line = newline + 1) {
			*newline = '\0';
			note(times, line, came_ns);
		}
		kept = (size_t)(buffer + end - line);
		memmove(buffer, line, kept);
	}
	if (fclose(times) != 0)
		fail(argv[1]);
	return 0;
}
