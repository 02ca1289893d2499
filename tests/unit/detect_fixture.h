/*
 * What the tests of core/detect share: a directory of their own, a sample in it, and a request for
 * it.
 */
#ifndef CARVED_TESTS_UNIT_DETECT_FIXTURE_H
#define CARVED_TESTS_UNIT_DETECT_FIXTURE_H

#include <sys/stat.h>

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/api.h"
#include "core/config/config.h"
#include "core/detect/detect.h"

#define FIXTURE_DEADLINE_MS 240000

/* Words of a command, NULL-terminated. */
#define WORDS(...)                \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}

/* For detectors that are opened, and run nothing. */
static const struct config fixture_config = { .history = (char *)"/nonexistent/history.db" };

struct fixture {
	char dir[64];
	char *path; /* of the sample */
	int fd;
	struct entry entry;
	struct scan_request request;
};

/* A file called name in the fixture's directory; owned by the caller. */
static inline char *fixture_path(const struct fixture *fixture, const char *name)
{
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/%s", fixture->dir, name);
	return str_take(&path);
}

/* The digest in force; overwritten by the next call. */
static inline const char *fixture_digest(const struct detector *detector)
{
	static char digest[65];
	struct error why = { 0 };
	assert(detector_digest(detector, digest, &why));
	return digest;
}

static inline void fixture_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert(file);
	assert(fputs(text, file) >= 0);
	assert(fclose(file) == 0);
}

/* The text of a file, "" when it is not there; owned by the caller. */
static inline char *fixture_read(const char *path)
{
	AUTO_STR text = STR_INIT;
	FILE *file = fopen(path, "r");
	char chunk[4096];
	for (size_t got; file && (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
		str_append(&text, chunk, got);
	if (file)
		(void)fclose(file);
	return str_take(&text);
}

static inline bool fixture_has(const struct fixture *fixture, const char *name)
{
	AUTO_FREE char *path = fixture_path(fixture, name);
	return access(path, F_OK) == 0;
}

/* What is left of scratch directories: 0 when all are gone. */
static inline int fixture_scratch_count(const struct fixture *fixture)
{
	AUTO_FREE char *place = fixture_path(fixture, "history.db.scratch");
	int count = -2; /* . and .. */
	DIR *dir = opendir(place);
	while (dir && readdir(dir))
		count++;
	if (dir)
		(void)closedir(dir);
	return dir ? count : 0;
}

/* A directory with a sample called name, and a request for it. */
static inline void fixture_init(struct fixture *fixture, const char *name)
{
	*fixture = (struct fixture){ .dir = "/tmp/carved-detect-XXXXXX" };
	assert(mkdtemp(fixture->dir));
	fixture->path = fixture_path(fixture, name);
	fixture_write(fixture->path, "sample");
	fixture->fd = open(fixture->path, O_RDONLY | O_CLOEXEC);
	assert(fixture->fd >= 0);
	(void)strcpy(fixture->entry.mime, "application/pdf");
	fixture->request = (struct scan_request){
		.path = fixture->path,
		.name_offset = strlen(fixture->dir) + 1,
		.entry = &fixture->entry,
		.fd = fixture->fd,
		.size = 6,
		.attempt = 1,
		.deadline = mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS),
		.cancel_fd = -1,
	};
}

static inline void fixture_remove(const char *path)
{
	DIR *dir = opendir(path);
	for (struct dirent *at; dir && (at = readdir(dir));) {
		if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
			continue;
		AUTO_STR inner = STR_INIT;
		str_printf(&inner, "%s/%s", path, at->d_name);
		if (unlink(str_text(&inner)) < 0)
			fixture_remove(str_text(&inner));
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(path);
}

static inline void fixture_done(struct fixture *fixture)
{
	(void)close(fixture->fd);
	fixture_remove(fixture->dir);
	free(fixture->path);
}

/* Asks a detector made of row about the fixture's sample. */
static inline struct answer fixture_ask(const struct fixture *fixture,
					const struct config_detector *row,
					const struct config *config)
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	struct answer answer = { 0 };
	AUTO_FREE char *history = fixture_path(fixture, "history.db");
	const struct config defaults = { .history = history };
	int result = detector_open(&detector, row, config ? config : &defaults, &err);
	if (result < 0)
		fprintf(stderr, "%s\n", err.text);
	assert(result == 0);
	detector_scan(detector, &fixture->request, &answer);
	detector_free(detector);
	return answer;
}

/* Names with which attackers have tried to run something; none may. All are legal file names. */
static const char *const fixture_names[] = {
	"$(touch marker)",
	"`touch marker`",
	"a;touch marker;b",
	"a'; touch marker; '",
	"a\"; touch marker; \"",
	"a\ntouch marker\n",
	"-rf",
	"--help",
	"a b  c",
	"*",
	"$HOME",
	"${BROAPT_PATH}",
	"a|touch marker",
	"a&touch marker&",
	"{path}",
	"%s%n%s",
	"\\$(touch marker)",
	"a\xff\xfe",
	"$((1+1))",
	">marker",
};

#define FIXTURE_NAMES (sizeof fixture_names / sizeof *fixture_names)

#endif
