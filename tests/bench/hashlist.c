/*
 * What a long hash list costs: hashlist LINES [DIRECTORY]
 *
 * Writes a list of so many SHA-256 sums, loads it without an index and with the one that this has
 * left, and asks for hashes that are there and that are not. Nothing is asserted.
 */
#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/detect/hashset.h"

#define QUESTIONS 1000000

static void sum_of(struct digest *digest, uint64_t i, uint8_t out[DIGEST_SIZE])
{
	digest_begin(digest);
	digest_add(digest, &i, sizeof i);
	digest_end(digest, out);
}

static void write_list(const char *path, struct digest *digest, uint64_t lines)
{
	FILE *file = fopen(path, "w");
	if (!file)
		abort();
	for (uint64_t i = 0; i < lines; i++) {
		uint8_t sum[DIGEST_SIZE];
		AUTO_STR line = STR_INIT;
		sum_of(digest, i, sum);
		str_hex(&line, sum, sizeof sum);
		(void)fprintf(file, "%s  Family.%llu\n", str_text(&line),
			      (unsigned long long)i / 3);
	}
	if (fclose(file) != 0)
		abort();
}

static double seconds_since(int64_t start_ns)
{
	return (double)(clock_wall_ns() - start_ns) / 1e9;
}

static long peak_kib(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static struct hashset *load(const char *words, const char *list, const char *index)
{
	struct hashset *set = NULL;
	struct error err = { 0 };
	char digest[DIGEST_HEX];
	int64_t start = clock_wall_ns();
	if (hashset_load(&set, list, index, digest, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	(void)printf("%s: %.2f s, %ld KiB at most\n", words, seconds_since(start), peak_kib());
	return set;
}

static void ask(const char *words, const struct hashset *set, struct digest *digest, uint64_t first,
		uint64_t among)
{
	static char signature[HASHLINE_SIGNATURE_MAX + 1];
	int64_t start = clock_wall_ns();
	int found = 0;
	for (uint64_t i = 0; i < QUESTIONS; i++) {
		uint8_t sum[DIGEST_SIZE];
		sum_of(digest, first + i * 7919 % among, sum);
		found += hashset_find(set, HASH_SHA256, sum, signature) > 0;
	}
	double took = seconds_since(start);
	(void)printf("%s: %d of %d found, %.0f a second, %ld KiB at most\n", words, found,
		     QUESTIONS, QUESTIONS / took, peak_kib());
}

int main(int argc, char **argv)
{
	uint64_t lines = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	AUTO_STR list = STR_INIT, index = STR_INIT;
	str_printf(&list, "%s/bench-hashlist-%d", argc > 2 ? argv[2] : "/tmp", getpid());
	str_printf(&index, "%s.index", str_text(&list));
	AUTO(digest) struct digest *digest = digest_new();
	write_list(str_text(&list), digest, lines);
	hashset_free(load("built", str_text(&list), str_text(&index)));
	AUTO(hashset) struct hashset *set = load("kept", str_text(&list), str_text(&index));
	ask("there", set, digest, 0, lines);
	ask("not there", set, digest, lines, lines);
	(void)unlink(str_text(&list));
	(void)unlink(str_text(&index));
	return 0;
}
