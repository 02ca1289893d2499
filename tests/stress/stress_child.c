/*
 * stress_child: several threads spawn at once; each must get its own child's words and end,
 * whatever the children of the others do, and nothing may be left: no descriptor, no zombie.
 */
#include <sys/wait.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/cage.h"
#include "core/detect/child.h"
#include "core/detect/spawn_plan.h"

static char place[] = "/tmp/carved-stress-child-XXXXXX";

#define THREADS 8
#define ROUNDS	40

static const struct {
	const char *text;
	int64_t deadline_ms;
	enum child_end end;
	int status;
} kinds[] = {
	{ "echo $1 >&3; exit 0", 60000, CHILD_EXITED, 0 },
	{ "echo $1 >&3; echo noise >&2; exit 7", 60000, CHILD_EXITED, 7 },
	{ "echo $1 >&3; kill -9 $$", 60000, CHILD_SIGNALED, 9 },
	{ "echo $1 >&3; sleep 1000 & exit 0", 60000, CHILD_EXITED, 0 },
	{ "exec sleep 1000", 50, CHILD_TIMEOUT, 0 },
	{ "echo $1 >&3; head -c 300000 /dev/zero; exit 1", 60000, CHILD_EXITED, 1 },
};

#define KINDS (sizeof kinds / sizeof *kinds)

static void fail(const char *what, unsigned thread, unsigned round)
{
	(void)fprintf(stderr, "thread %u round %u: %s\n", thread, round, what);
	exit(1);
}

static void one(unsigned thread, unsigned round)
{
	unsigned kind = (thread + round) % KINDS;
	AUTO_STR token = STR_INIT;
	str_printf(&token, "%u.%u", thread, round);
	const char *const words[] = { "/bin/sh", "-c", kinds[kind].text, "sh", str_text(&token) };
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		spawn_plan_arg(&plan, words[i], strlen(words[i]));
	spawn_plan_base_env(&plan);
	const struct cage cage = { .place = place };
	const struct child_job job = {
		.plan = &plan,
		.cage = &cage,
		.sample_fd = -1,
		.cancel_fd = -1,
		.deadline = mono_add_ms(mono_now(), kinds[kind].deadline_ms),
		.output_limit = 1000,
		.report_limit = 1000,
	};
	__attribute__((cleanup(child_result_cleanup))) struct child_result result;
	struct error err = { 0 };
	if (child_run(&job, &result, &err) < 0)
		fail(err.text, thread, round);
	if (result.end != kinds[kind].end || result.status != kinds[kind].status)
		fail("another end than its own", thread, round);
	str_putc(&token, '\n');
	if (result.end != CHILD_TIMEOUT &&
	    strcmp(str_text(&result.report.kept), str_text(&token)) != 0)
		fail("another report than its own", thread, round);
}

static void *work(void *argument)
{
	unsigned thread = *(const unsigned *)argument;
	for (unsigned round = 0; round < ROUNDS; round++)
		one(thread, round);
	return NULL;
}

static int count_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir && readdir(dir))
		count++;
	if (dir)
		(void)closedir(dir);
	return count;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];
	int before = count_descriptors();
	if (!mkdtemp(place))
		fail("mkdtemp", 0, 0);
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0)
			fail("pthread_create", i, 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	if (count_descriptors() != before)
		fail("descriptors are left", 0, 0);
	if (waitpid(-1, NULL, WNOHANG) >= 0)
		fail("children are left", 0, 0);
	if (access(place, F_OK) == 0)
		fail("scratch directories are left", 0, 0);
	(void)printf("%d runs\n", THREADS * ROUNDS);
	return 0;
}
