/* log: one escaped line on stderr. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "tests/unit/stderr_capture.h"

Test(log, a_line_has_the_journals_priority_when_stderr_is_no_terminal)
{
	capture();
	log_warning("watch limit reached path=%s", "/data");
	cr_assert_str_eq(captured(), "<4>carved: watch limit reached path=/data\n");
}

Test(log, levels_above_the_threshold_are_dropped)
{
	capture();
	log_debug("unseen");
	log_info("seen");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("unseen");
	log_error("bad");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("details");
	cr_assert_str_eq(captured(), "<6>carved: seen\n<3>carved: bad\n<7>carved: details\n");
}

Test(log, no_name_can_forge_a_line_or_drive_a_terminal)
{
	capture();
	log_info("done path=%s", "a\n<3>carved: forged\x1b[2J\xff");
	cr_assert_str_eq(captured(), "<6>carved: done path=a\\x0A<3>carved: forged\\x1B[2J\\xFF\n");
}

Test(log, long_lines_are_whole)
{
	char name[2001];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	capture();
	log_info("%s", name);
	const char *text = captured();
	cr_assert_eq(strlen(text), strlen("<6>carved: \n") + 2000);
}

Test(log, errno_is_kept)
{
	capture();
	errno = ENOSPC;
	log_error("x");
	int after = errno;
	(void)captured();
	cr_assert_eq(after, ENOSPC);
}

static int unread(void)
{
	int count = 0;
	char text[65536];
	text[sizeof text - 1] = '\0';
	ssize_t got;
	while ((got = read(ends[0], text, sizeof text)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			count += text[i] == '\n';
	}
	return count;
}

/* The pipe's writing end blocks, as that of a supervisor does. */
static void capture_blocking(int size)
{
	capture();
	cr_assert_eq(fcntl(ends[1], F_SETFL, 0), 0);
	cr_assert_geq(fcntl(ends[1], F_SETPIPE_SZ, size), size);
	log_set_patience(1);
}

Test(log, a_reader_that_stands_still_holds_nobody_up, .timeout = 60)
{
	capture_blocking(65536);
	for (int i = 0; i < 10000; i++)
		log_info("line %d", i);
	int taken = unread();
	cr_assert(taken > 1000 && taken < 10000, "%d", taken);
	log_info("after");
	char expected[200];
	(void)snprintf(expected, sizeof expected,
		       "<4>carved: %d lines of the log were lost here: nobody read them\n"
		       "<6>carved: after\n",
		       10000 - taken);
	cr_assert_str_eq(captured(), expected);
}

Test(log, a_line_that_was_cut_does_not_run_into_the_next, .timeout = 60)
{
	static char name[20001];
	memset(name, 'n', sizeof name - 1);
	capture_blocking(4096);
	log_info("%s", name);
	cr_assert_eq(unread(), 0);
	log_info("after");
	cr_assert_str_eq(captured(),
			 "\n<4>carved: 1 lines of the log were lost here: nobody read them\n"
			 "<6>carved: after\n");
}
