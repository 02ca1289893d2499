/* writers: what is known of a root, and that it is told once. */
#include <assert.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/job.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/app/writers.h"
#include "core/base/error.h"
#include "core/config/config.h"

/* What the log said, in a file, as long as it is written there. */
static char log_path[] = "/tmp/carved-writers-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(log_path);
	assert(fd >= 0);
	assert(dup2(fd, 2) == 2);
	(void)close(fd);
}

static void teardown(void)
{
	(void)unlink(log_path);
}

TestSuite(writers, .init = setup, .fini = teardown);

static size_t lines_logged(void)
{
	FILE *file = fopen(log_path, "r");
	size_t count = 0;
	for (int c; file && (c = getc(file)) != EOF;)
		count += c == '\n';
	if (file)
		(void)fclose(file);
	return count;
}

static void hear(struct app *app, uint32_t root, enum lease_sight sight)
{
	char path[] = "/a/f";
	struct version version = { .path = path, .path_len = 4, .dir_len = 2 };
	const struct job job = {
		.version = &version, .root = root, .lease = sight, .lease_error = EACCES
	};
	writers_heard(app, &job);
}

Test(writers, a_root_is_told_of_once_and_what_is_not_seen_there_counts)
{
	static char a[] = "/a", b[] = "/b";
	struct config_root rows[] = { { .path = a }, { .path = b } };
	struct config config = { .refs = 1, .roots = rows, .root_count = 2 };
	struct app app = { .config = &config };
	struct error err = { 0 };
	cr_assert_eq(roots_new(&app.roots, &config, &err), 0, "%s", err.text);
	hear(&app, 0, LEASE_UNTRIED); /* it was never opened */
	cr_expect_str_eq(writers_name(&app, 0), "untried");
	hear(&app, 0, LEASE_SEES);
	cr_expect_str_eq(writers_name(&app, 0), "lease");
	cr_expect_eq(lines_logged(), 0);
	hear(&app, 0, LEASE_BLIND); /* another's file */
	hear(&app, 0, LEASE_BLIND);
	hear(&app, 0, LEASE_SEES);
	cr_expect_str_eq(writers_name(&app, 0), "settle");
	cr_expect_eq(lines_logged(), 1);
	cr_expect_str_eq(writers_name(&app, 1), "untried");
	hear(&app, 2, LEASE_BLIND); /* below no root that is watched */
	cr_expect_eq(lines_logged(), 1);
	roots_free(app.roots);
}
