#include <sys/wait.h>

#include "core/engines/scanner.h"
#include "core/helper/channel.h"
#include "engine_fixture.h"

static struct bench b;
static int ours;
static pid_t pid;

static void setup(void)
{
	int theirs;
	bench_init(&b, "yara");
	bench_write(&b, "a.yar", HELLO);
	cr_assert_eq(bench_load(&b), 0);
	cr_assert_eq(channel_pair(&ours, &theirs), 0);
	pid = fork();
	if (pid == 0) {
		close(ours);
		_exit(scanner_serve(b.class, b.state, theirs));
	}
	close(theirs);
}

static void teardown(void)
{
	bench_done(&b);
}

TestSuite(scanner, .init = setup, .fini = teardown);

static int exit_status(void)
{
	int status = 0;
	close(ours);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(scanner, answers_one_request_after_the_other)
{
	static const char *const contents[] = { "hello", "nothing" };
	for (uint64_t i = 0; i < 2; i++) {
		AUTO_STR packet = STR_INIT;
		struct helper_answer answer = { 0 };
		int fd = memfd_create("sample", MFD_CLOEXEC);
		const struct channel_fds fds = { .fd = { fd, -1 } };
		size_t len = strlen(contents[i]);
		cr_assert_eq(write(fd, contents[i], len), (ssize_t)len);
		helper_put_request(&packet, &(struct helper_request){ .id = i + 7,
								      .timeout_ms = 60000,
								      .size = (int64_t)len });
		cr_assert_eq(channel_send(ours, &packet, &fds), 0);
		close(fd);
		cr_assert_eq(channel_receive(ours, &packet, NULL, true), 1);
		cr_assert(helper_read_answer(&packet, &answer));
		cr_assert_eq(answer.id, i + 7);
		cr_assert_eq(answer.outcome, i ? OUTCOME_CLEAN : OUTCOME_MALICIOUS);
		helper_answer_done(&answer);
	}
	cr_assert_eq(exit_status(), 0);
}

Test(scanner, ends_at_nonsense)
{
	AUTO_STR packet = STR_INIT;
	str_puts(&packet, "nonsense");
	cr_assert_eq(channel_send(ours, &packet, NULL), 0);
	cr_assert_eq(channel_receive(ours, &packet, NULL, true), 0);
	cr_assert_neq(exit_status(), 0);
}

Test(scanner, a_request_without_a_file_is_nonsense)
{
	AUTO_STR packet = STR_INIT;
	helper_put_request(&packet, &(struct helper_request){ .id = 1 });
	cr_assert_eq(channel_send(ours, &packet, NULL), 0);
	cr_assert_eq(channel_receive(ours, &packet, NULL, true), 0);
	cr_assert_neq(exit_status(), 0);
}
