/*
 * Many threads ask one helper while its processes are killed under them: every question has one
 * answer, and nothing is left behind. The helper is the script of the unit tests: no sanitizer, so
 * that this runs under all of them.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "core/detect/helper.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/hostile_helper.h"

#define THREADS	  8
#define QUESTIONS 200
/* Answers between two kills. */
#define EVERY 50

static struct fixture fixture;
static struct helper *helper;
static atomic_uint clean, failed, away, running;

static unsigned answered(void)
{
	return clean + failed + away;
}

static void *ask(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct answer answer = { .outcome = OUTCOMES };
		helper_ask(helper, &fixture.request, &answer);
		if (answer.away)
			atomic_fetch_add(&away, 1);
		else if (answer.outcome == OUTCOME_CLEAN)
			atomic_fetch_add(&clean, 1);
		else if (answer.outcome == OUTCOME_ERROR)
			atomic_fetch_add(&failed, 1);
		answer_done(&answer);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Kills one process, other than the first `spare`, that runs our script. */
static void kill_one(const char *program, unsigned spare)
{
	DIR *directory = opendir("/proc");
	const struct dirent *item;
	while ((item = readdir(directory))) {
		char path[300], text[4096] = "";
		snprintf(path, sizeof path, "/proc/%s/cmdline", item->d_name);
		FILE *file =
			item->d_name[0] >= '1' && item->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
		if (file)
			(void)fclose(file);
		if (memmem(text, len, program, strlen(program)) && spare-- == 0) {
			(void)kill((pid_t)strtol(item->d_name, NULL, 10), SIGKILL);
			break;
		}
	}
	(void)closedir(directory);
}

int main(void)
{
	struct error err = { 0 };
	pthread_t threads[THREADS];
	fixture_init(&fixture, "sample");
	AUTO_FREE char *program = fixture_path(&fixture, "helper");
	fixture_write(program, hostile_helper);
	assert(chmod(program, 0755) == 0);
	const struct helper_options options = {
		.program = program, .type = "yara", .name = "good", .limit = 100, .cancel_fd = -1
	};
	if (helper_new(&helper, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	atomic_store(&running, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		assert(pthread_create(&threads[i], NULL, ask, NULL) == 0);
	unsigned kills = 0;
	while (atomic_load(&running) > 0) {
		/* each time some more were answered: a scanner, or (the first that runs) the zygote
		 */
		if (answered() > EVERY * (kills + 1)) {
			kill_one(program, kills % 4 ? 1 + kills % THREADS : 0);
			kills++;
		} else {
			(void)sched_yield();
		}
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	helper_free(helper);
	fixture_done(&fixture);
	printf("%u clean, %u failed, %u away, %u kills\n", clean, failed, away, kills);
	/* a kill costs what its process was at, and for a while the helper may be away */
	return answered() == THREADS * QUESTIONS && clean > 0 && failed <= kills * THREADS ? 0 : 1;
}
