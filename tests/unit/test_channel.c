#include <sys/socket.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/helper/channel.h"

static int ours, theirs;

static void setup(void)
{
	cr_assert_eq(channel_pair(&ours, &theirs), 0);
}

static void teardown(void)
{
	close(ours);
	close(theirs);
}

TestSuite(channel, .init = setup, .fini = teardown);

static size_t count_descriptors(void)
{
	size_t count = 0;
	DIR *directory = opendir("/proc/self/fd");
	cr_assert(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

Test(channel, carries_packets_and_descriptors)
{
	AUTO_STR out = STR_INIT;
	AUTO_STR in = STR_INIT;
	struct channel_fds fds = { .fd = { STDIN_FILENO, STDERR_FILENO } };
	struct channel_fds got;
	str_puts(&out, "words");
	cr_assert_eq(channel_send(ours, &out, &fds), 0);
	cr_assert_eq(channel_receive(theirs, &in, &got, true), 1);
	cr_assert_str_eq(str_text(&in), "words");
	struct stat a, b;
	cr_assert(fstat(got.fd[1], &a) == 0 && fstat(STDERR_FILENO, &b) == 0);
	cr_assert(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	cr_assert(fcntl(got.fd[0], F_GETFD) & FD_CLOEXEC);
	channel_fds_close(&got);
	cr_assert_eq(got.fd[0], -1);
	cr_assert_eq(channel_receive(theirs, &in, &got, false), -EAGAIN);
}

Test(channel, descriptors_that_are_not_wanted_are_not_taken)
{
	AUTO_STR out = STR_INIT;
	AUTO_STR in = STR_INIT;
	struct channel_fds fds = { .fd = { STDIN_FILENO, STDIN_FILENO } };
	size_t before = count_descriptors();
	str_puts(&out, "words");
	cr_assert_eq(channel_send(theirs, &out, &fds), 0);
	cr_assert_eq(channel_receive(ours, &in, NULL, false), 1);
	cr_assert_str_eq(str_text(&in), "words");
	cr_assert_eq(count_descriptors(), before);
}

Test(channel, the_end_tells_whether_all_was_read)
{
	AUTO_STR out = STR_INIT;
	AUTO_STR in = STR_INIT;
	str_puts(&out, "words");
	cr_assert_eq(channel_send(ours, &out, NULL), 0);
	cr_assert_eq(channel_receive(theirs, &in, NULL, true), 1);
	close(theirs);
	cr_assert_eq(channel_receive(ours, &in, NULL, false), 0);
	cr_assert_eq(channel_send(ours, &out, NULL), -EPIPE);
	close(ours);
	setup();
	cr_assert_eq(channel_send(ours, &out, NULL), 0);
	close(theirs);
	cr_assert_eq(channel_receive(ours, &in, NULL, false), -ECONNRESET);
	theirs = -1;
}

Test(channel, a_packet_that_is_too_long_is_refused)
{
	AUTO_FREE char *bytes = xcalloc(1, CHANNEL_PACKET_MAX + 1);
	AUTO_STR in = STR_INIT;
	struct channel_fds got;
	cr_assert_eq(send(theirs, bytes, CHANNEL_PACKET_MAX + 1, 0),
		     (ssize_t)CHANNEL_PACKET_MAX + 1);
	cr_assert_eq(channel_receive(ours, &in, &got, false), -EMSGSIZE);
	cr_assert_eq(send(theirs, bytes, CHANNEL_PACKET_MAX, 0), (ssize_t)CHANNEL_PACKET_MAX);
	cr_assert_eq(channel_receive(ours, &in, &got, false), 1);
	cr_assert_eq(in.len, CHANNEL_PACKET_MAX);
}
