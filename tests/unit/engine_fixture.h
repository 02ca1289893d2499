/*
 * What the tests of core/engines share: a directory of their own with files of rules, an engine
 * that has loaded them, and what it says of a content.
 */
#ifndef CARVED_TESTS_UNIT_ENGINE_FIXTURE_H
#define CARVED_TESTS_UNIT_ENGINE_FIXTURE_H

#include <sys/mman.h>

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engines/engine.h"
#include "detect_fixture.h"

#define HELLO  "rule hello : greeting { strings: $a = \"hello\" condition: $a }\n"
#define BROKEN "rule broken {\n condition: $b }\n"

struct bench {
	char dir[64];
	char *paths[2];
	struct helper_load load;
	struct helper_hello hello;
	const struct engine_class *class;
	void *state;
	int keep_fd;
	struct error err;
};

static inline void bench_init(struct bench *bench, const char *type)
{
	*bench = (struct bench){ .dir = "/tmp/carved-engine-XXXXXX", .keep_fd = -1 };
	cr_assert(mkdtemp(bench->dir));
	bench->class = engine_class(type);
	cr_assert_not_null(bench->class);
	bench->paths[0] = bench->dir;
	bench->load =
		(struct helper_load){ .limit = 1 << 20, .paths = bench->paths, .path_count = 1 };
}

static inline void bench_write(const struct bench *bench, const char *name, const char *text)
{
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/%s", bench->dir, name);
	fixture_write(str_text(&path), text);
}

static inline void bench_unload(struct bench *bench)
{
	if (bench->state)
		bench->class->close(bench->state);
	bench->state = NULL;
	helper_hello_done(&bench->hello);
}

/* Loads; what an earlier load kept is there for it. */
static inline int bench_load(struct bench *bench)
{
	bench_unload(bench);
	int kept = bench->keep_fd;
	bench->keep_fd = bench->load.restore ? -1 : memfd_create("keep", MFD_CLOEXEC);
	const struct engine_start start = { .load = &bench->load,
					    .kept_fd = kept,
					    .keep_fd = bench->keep_fd };
	int result = bench->class->load(&bench->state, &start, &bench->hello, &bench->err);
	if (bench->load.restore)
		bench->keep_fd = kept;
	else if (kept >= 0)
		close(kept);
	return result;
}

static inline struct helper_answer bench_scan_as(struct bench *bench, const char *content,
						 size_t len, const char *name)
{
	int fd = memfd_create("sample", MFD_CLOEXEC);
	cr_assert_eq(write(fd, content, len), (ssize_t)len);
	struct helper_answer answer = { .outcome = OUTCOMES };
	const struct helper_request request = {
		.timeout_ms = 60000,
		.size = (int64_t)len,
		.field = { [HELPER_NAME] = { name, strlen(name) },
			   [HELPER_EXTENSION] = { "", 0 },
			   [HELPER_MIME] = { "", 0 },
			   [HELPER_PROTOCOL] = { "HTTP", 4 } },
	};
	bench->class->scan(bench->state, &request, fd, &answer);
	close(fd);
	return answer;
}

static inline struct helper_answer bench_scan(struct bench *bench, const char *content)
{
	return bench_scan_as(bench, content, strlen(content), "name");
}

static inline void bench_expect(struct bench *bench, const char *content, enum outcome outcome)
{
	struct helper_answer answer = bench_scan(bench, content);
	cr_expect_eq(answer.outcome, outcome, "%s: %s", content, outcome_name(answer.outcome));
	helper_answer_done(&answer);
}

static inline void bench_done(struct bench *bench)
{
	bench_unload(bench);
	if (bench->keep_fd >= 0)
		close(bench->keep_fd);
	fixture_remove(bench->dir);
}

#endif
