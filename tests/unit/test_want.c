/* want: how many descriptors are needed, the limit that is raised, and what is said when it is low.
 */
#include <sys/resource.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/app/state.h"
#include "core/app/want.h"
#include "core/base/error.h"
#include "core/config/config.h"
#include "tests/unit/stderr_capture.h"

static const struct config small = { .workers = 1, .root_count = 1, .detector_count = 1 };
static const struct config large = { .workers = 64, .root_count = 9, .detector_count = 8 };

Test(want, more_workers_and_detectors_need_more)
{
	cr_assert_gt(want_files(&small), 64);
	cr_assert_lt(want_files(&small), 128);
	cr_assert_gt(want_files(&large), 64 * (14 + 2 * 8));
}

Test(want, open_descriptors_are_counted)
{
	unsigned long long before = want_files_open();
	cr_assert_gt(before, 2);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(want_files_open(), before + 1);
	close(fd);
	cr_assert_eq(want_files_open(), before);
}

static void limit_to(rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static rlim_t soft_limit(void)
{
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur;
}

static struct error err;

Test(want, soft_limit_is_raised_to_the_hard_one)
{
	limit_to(100, 1000);
	capture();
	int prepared = want_prepare(&small, &err);
	const char *words = captured();
	cr_assert_eq(prepared, 0);
	cr_assert_eq(soft_limit(), 1000);
	cr_assert_str_empty(words);
}

Test(want, low_limit_is_told_with_the_value_to_set)
{
	limit_to(1000, 1000);
	capture();
	int prepared = want_prepare(&large, &err);
	const char *words = captured();
	cr_assert_eq(prepared, 0);
	cr_assert_not_null(strstr(words, "only 1000 files may be open (RLIMIT_NOFILE)"), "%s",
			   words);
	cr_assert_not_null(strstr(words, "LimitNOFILE=4096 "), "%s", words);
}

Test(want, limit_below_what_a_start_needs_is_refused)
{
	limit_to(100, 100);
	cr_assert_eq(want_prepare(&large, &err), -EMFILE);
	cr_assert_not_null(strstr(err.text, "only 100 files may be open"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "LimitNOFILE=4096 "), "%s", err.text);
}

Test(want, what_is_true_of_thousands_of_files_is_said_once)
{
	struct app app = { 0 };
	seldom_init(&app.want);
	capture();
	for (unsigned i = 0; i < 1000; i++)
		want_tell(&app, "in/a file", EMFILE);
	const char *words = captured();
	const char *line =
		strstr(words, "a file could not be looked at, trying again path=in/a file");
	cr_assert_not_null(line, "%s", words);
	cr_assert_not_null(strstr(line, "RLIMIT_NOFILE"));
	cr_assert_null(strstr(line + 1, "a file could not"));
	cr_assert_eq(app.want.untold, 999);
	seldom_done(&app.want);
}
