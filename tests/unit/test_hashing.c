/* hashing: a job has the hashes that are in use, those of its own content and no others. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/app/engine.h"
#include "core/app/hashing.h"
#include "core/app/job.h"
#include "core/config/config.h"
#include "core/detect/hasher.h"
#include "tests/unit/detect_fixture.h"

#define BIT_SHA256 HASH_BIT(HASH_SHA256)
#define BIT_SHA1   HASH_BIT(HASH_SHA1)
#define BIT_MD5	   HASH_BIT(HASH_MD5)
/* "sample" */
#define SHA256_FIRST 0xaf
#define MD5_FIRST    0x5e

static struct fixture fixture;
static struct job job;
static struct hasher *hasher;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	hasher = hasher_new();
	job = (struct job){ .version = version_new(fixture.path, strlen(fixture.path)) };
	job.version->identity.size = 6;
}

static void teardown(void)
{
	version_free(job.version);
	free(job.hashes);
	hasher_free(hasher);
	fixture_done(&fixture);
}

TestSuite(hashing, .init = setup, .fini = teardown);

Test(hashing, only_what_a_detector_that_wants_the_file_compares)
{
	AUTO_FREE char *path = fixture_path(&fixture, "list");
	fixture_write(path, "5e8ff9bf55ba3508199d22e984129be6\n");
	char *pdf[] = { (char *)"application/pdf", NULL };
	struct config_detector rows[] = {
		{ .type = (char *)"noop", .name = (char *)"noop" },
		{ .type = (char *)"hashlist", .name = (char *)"md5", .file = path, .mime = pdf },
	};
	struct config config = { .refs = 1, .detectors = rows, .detector_count = 2 };
	AUTO(engine) struct engine *engine = NULL;
	cr_assert_eq(engine_new(&engine, &config, NULL), 0);
	cr_assert_eq(hashing_wanted(engine, &job), BIT_SHA256);
	(void)strcpy(job.version->entry.mime, "application/pdf");
	cr_assert_eq(hashing_wanted(engine, &job), BIT_SHA256 | BIT_MD5);
}

/* Hashes the sample as a worker does. */
static void hash(unsigned which)
{
	struct hashes hashes = { .have = which };
	cr_assert_eq(hasher_fd(hasher, fixture.fd, 6, &hashes, NULL), 0);
	hashing_keep(&job, &hashes);
	cr_assert(job.hashed && job.version->has_sha256);
}

Test(hashing, what_was_computed_is_what_the_request_gets)
{
	struct scan_request request = { 0 };
	hashing_fill(&job, &request);
	cr_assert(!request.sha256 && !request.sha1 && !request.md5);
	hash(BIT_SHA256);
	hashing_fill(&job, &request);
	cr_assert(request.sha256 && !request.sha1 && !request.md5);
	cr_assert_null(job.hashes, "memory for what is not in use");
	hash(BIT_SHA256 | BIT_MD5);
	hashing_fill(&job, &request);
	cr_assert(request.sha256 && !request.sha1 && request.md5);
	cr_assert_eq(request.sha256[0], SHA256_FIRST);
	cr_assert_eq(request.md5[0], MD5_FIRST);
}

Test(hashing, hashes_of_another_content_count_for_nothing)
{
	struct scan_request request = { 0 };
	hash(BIT_SHA256 | BIT_SHA1 | BIT_MD5);
	job.version->sha256[31] ^= 1; /* the loop took another row's */
	hashing_fill(&job, &request);
	cr_assert(request.sha256 && !request.sha1 && !request.md5);
}

Test(hashing, reads_the_file_for_what_the_history_does_not_keep)
{
	struct scan_request request = { 0 };
	hash(BIT_SHA256);
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_SHA256, -1), 0, "no need to read");
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_MD5, -1), -EBADF);
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_MD5, fixture.fd), 0);
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_MD5, -1), 0, "read twice");
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_SHA1, fixture.fd), 0);
	hashing_fill(&job, &request);
	cr_assert(request.sha1 && request.md5);
	cr_assert_eq(request.md5[0], MD5_FIRST);
}

Test(hashing, tells_when_the_content_is_another_than_the_hash_says)
{
	hash(BIT_SHA256);
	job.version->sha256[0] ^= 1;
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_MD5, fixture.fd), -ESTALE);
	job.version->sha256[0] ^= 1;
	job.version->identity.size = 5;
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_MD5, fixture.fd), -ESTALE);
	cr_assert_null(job.hashes);
}

Test(hashing, without_hashing_there_is_nothing_to_provide)
{
	cr_assert_eq(hashing_provide(hasher, &job, DETECT_NEEDS_MD5, fixture.fd), 0);
	cr_assert_null(job.hashes);
}
