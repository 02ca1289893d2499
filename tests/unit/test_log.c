/* log: one escaped line on stderr. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"

static int saved_stderr = -1;
static int ends[2] = { -1, -1 };

static void capture(void)
{
	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	cr_assert_geq(dup2(ends[1], STDERR_FILENO), 0);
}

/* What was logged since capture(); stderr is itself again. */
static const char *captured(void)
{
	static char text[4096];
	ssize_t got = read(ends[0], text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	dup2(saved_stderr, STDERR_FILENO);
	return text;
}

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
