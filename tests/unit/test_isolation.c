/* isolation: what a killed daemon left goes at the next start, and the log says what the kernel
 * has. */
#include "core/app/isolation.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/scratch_dir.h"
#include "tests/unit/daemon_harness.h"
#include "tests/unit/stderr_capture.h"

TestSuite(isolation, .timeout = 120);

Test(isolation, leftovers_go_and_the_kernel_is_told)
{
	struct daemon d;
	daemon_init(&d, "");
	const struct config config = { .history = d.history };
	AUTO_FREE char *place = scratch_dir_place(d.history);
	AUTO_FREE char *left = NULL;
	cr_assert_eq(scratch_dir_make(place, &left, NULL), 0);
	capture();
	isolation_begin(&config);
	const char *words = captured();
	cr_expect(strstr(words, "isolation: "), "%s", words);
	cr_expect(strstr(words, "Landlock"), "%s", words);
	cr_expect_lt(access(place, F_OK), 0);
	AUTO_FREE char *again = NULL;
	cr_assert_eq(scratch_dir_make(place, &again, NULL), 0);
	capture();
	isolation_end(&config);
	cr_expect_str_eq(captured(), "");
	cr_expect_lt(access(place, F_OK), 0);
	daemon_done(&d);
}

Test(isolation, a_place_that_cannot_be_removed_is_told)
{
	struct daemon d;
	daemon_init(&d, "");
	const struct config config = { .history = d.history };
	AUTO_FREE char *place = scratch_dir_place(d.history);
	cr_assert_eq(symlink("/tmp", place), 0);
	capture();
	isolation_end(&config);
	const char *words = captured();
	cr_expect(strstr(words, place), "%s", words);
	cr_expect_eq(access("/tmp", F_OK), 0);
	daemon_done(&d);
}
