/* capture: what is kept of a pipe, and that a writer never waits for us to keep it. */
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/detect/capture.h"

static void fill(int fd, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

Test(capture, keeps_the_first_and_the_last_bytes)
{
	struct head head = { .limit = 10 };
	struct tail tail = { 0 };
	struct capture capture = { .fd = -1, .head = &head, .tail = &tail };
	int writing = -1;
	cr_assert_eq(capture_open(&capture, &writing), 0);
	fill(writing, "0123456", 2000);
	capture_drain(&capture, 5);
	cr_assert_str_eq(str_text(&head.kept), "01234");
	capture_drain(&capture, 1 << 20);
	cr_assert_str_eq(str_text(&head.kept), "0123456012");
	cr_assert_eq(head.dropped, 14000 - 10);
	cr_assert_geq(capture.fd, 0); /* its end has not come */
	(void)close(writing);
	capture_drain(&capture, 1 << 20);
	cr_assert_eq(capture.fd, -1);
	AUTO_STR last = STR_INIT;
	tail_append(&tail, &last);
	cr_assert_eq(last.len, CAPTURE_TAIL);
	cr_assert_str_eq(str_text(&last) + CAPTURE_TAIL - 7, "0123456");
	str_done(&head.kept);
}

Test(capture, a_short_text_is_its_own_tail)
{
	struct head first = { .limit = 100 };
	struct tail tail = { 0 };
	struct capture capture = { .fd = -1, .head = &first, .tail = &tail };
	int writing = -1;
	cr_assert_eq(capture_open(&capture, &writing), 0);
	fill(writing, "abc", 1);
	capture_drain(&capture, 1 << 20);
	AUTO_STR last = STR_INIT;
	tail_append(&tail, &last);
	cr_assert_str_eq(str_text(&last), "abc");
	cr_assert_eq(first.dropped, 0);
	(void)close(writing);
	capture_close(&capture);
	capture_close(&capture);
	str_done(&first.kept);
}

/* In a process of its own: Criterion's descriptors are among those that are closed. */
static bool ends_are_as_promised(void)
{
	for (int fd = 3; fd < 10; fd++)
		(void)close(fd); /* where pipe(2) puts its ends now */
	(void)close(STDIN_FILENO);
	struct head head = { .limit = 1 };
	struct capture capture = { .fd = -1, .head = &head };
	int writing = -1;
	return capture_open(&capture, &writing) == 0 && writing > 4 &&
	       fcntl(writing, F_GETFD) & FD_CLOEXEC && fcntl(capture.fd, F_GETFD) & FD_CLOEXEC &&
	       !(fcntl(writing, F_GETFL) & O_NONBLOCK) && fcntl(capture.fd, F_GETFL) & O_NONBLOCK;
}

Test(capture, ends_are_private_and_above_what_a_child_is_given)
{
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(ends_are_as_promised() ? 0 : 1);
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}
