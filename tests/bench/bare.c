/*
 * bare: what the kernel and OpenSSL cost alone, for comparison with the daemon in the same run.
 *
 *	bare read DIRECTORY COUNT     says "ready", then reads inotify events of files that were
 *	                              written or moved in, directories in DIRECTORY included, and
 *	                              forgets them; ends after COUNT
 *	bare walk DIRECTORY           lists everything below it, with a statx for each file
 *	bare hash DIRECTORY           the same, and opens, reads, hashes (SHA-256) and closes each
 *file
 *
 * Prints how many, the seconds, and the microseconds of processor time for each.
 */
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double processor_time(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(long count, double seconds)
{
	printf("%ld in %.6f s, %.4f us each\n", count, seconds,
	       processor_time() * 1e6 / (double)(count ? count : 1));
}

static void watch(int inotify, const char *path)
{
	if (inotify_add_watch(inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0 &&
	    errno != ENOTDIR)
		fail(path);
}

static void read_events(const char *top, long most)
{
	static char buffer[1 << 16] __attribute__((aligned(8)));
	int inotify = inotify_init1(IN_CLOEXEC);
	if (inotify < 0)
		fail("inotify");
	watch(inotify, top);
	DIR *list = opendir(top);
	if (!list)
		fail(top);
	for (struct dirent *entry; (entry = readdir(list));) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", top, entry->d_name);
		if (entry->d_name[0] != '.')
			watch(inotify, path);
	}
	closedir(list);
	printf("ready\n");
	fflush(stdout);
	long count = 0;
	double began = 0;
	while (count < most) {
		ssize_t len = read(inotify, buffer, sizeof buffer);
		if (len <= 0)
			fail("read");
		if (began == 0)
			began = now();
		for (char *at = buffer; at < buffer + len;) {
			const struct inotify_event *event = (const void *)at;
			if (event->mask & IN_Q_OVERFLOW) {
				fprintf(stderr, "bare: the queue ran over\n");
				exit(1);
			}
			count++;
			at += sizeof *event + event->len;
		}
	}
	report(count, now() - began);
}

static void hash_file(int directory, const char *name, EVP_MD_CTX *context)
{
	static unsigned char buffer[1 << 17];
	unsigned char digest[EVP_MAX_MD_SIZE];
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		fail(name);
	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (ssize_t len; (len = read(fd, buffer, sizeof buffer)) > 0;)
		EVP_DigestUpdate(context, buffer, (size_t)len);
	EVP_DigestFinal_ex(context, digest, NULL);
	close(fd);
}

static long walk(int parent, const char *name, EVP_MD_CTX *context)
{
	long count = 0;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	if (!list)
		fail(name);
	for (struct dirent *entry; (entry = readdir(list));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type == DT_DIR) {
			count += walk(fd, entry->d_name, context);
			continue;
		}
		struct statx st;
		if (statx(fd, entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
			  &st) < 0)
			fail(entry->d_name);
		if (context)
			hash_file(fd, entry->d_name, context);
		count++;
	}
	closedir(list);
	return count;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "read") == 0) {
		read_events(argv[2], strtol(argv[3], NULL, 10));
		return 0;
	}
	bool hash = argc == 3 && strcmp(argv[1], "hash") == 0;
	if (!hash && !(argc == 3 && strcmp(argv[1], "walk") == 0)) {
		fprintf(stderr, "usage: bare read DIRECTORY COUNT | walk DIRECTORY | hash "
				"DIRECTORY\n");
		return 2;
	}
	EVP_MD_CTX *context = hash ? EVP_MD_CTX_new() : NULL;
	double began = now();
	long count = walk(AT_FDCWD, argv[2], context);
	report(count, now() - began);
	EVP_MD_CTX_free(context);
	return 0;
}
