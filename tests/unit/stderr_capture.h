/*
 * What is said on stderr, for tests: capture(), then captured().
 *
 * It goes to a pipe, which a test may fill; nothing that is said there is waited for.
 */
#ifndef CARVED_TESTS_STDERR_CAPTURE_H
#define CARVED_TESTS_STDERR_CAPTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

static int saved_stderr = -1;
static int ends[2] = { -1, -1 };

static void capture(void)
{
	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	cr_assert_geq(dup2(ends[1], STDERR_FILENO), 0);
}

/* What was said since capture(), until the next one; stderr is itself again. */
static const char *captured(void)
{
	static char text[4096];
	ssize_t got = read(ends[0], text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(ends[0]);
	close(ends[1]);
	return text;
}

#endif
