#include <sys/wait.h>

#include "core/engines/serve.h"
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
	cr_assert_eq(channel_pair(&ours, &theirs), 0);
	pid = fork();
	if (pid == 0) {
		close(ours);
		_exit(serve("yara", theirs));
	}
	close(theirs);
}

static void teardown(void)
{
	bench_done(&b);
}

TestSuite(serve, .init = setup, .fini = teardown);

static void talk(struct str *packet, const struct channel_fds *fds)
{
	cr_assert_eq(channel_send(ours, packet, fds), 0);
	cr_assert_eq(channel_receive(ours, packet, NULL, true), 1);
}

static void load(void)
{
	AUTO_STR packet = STR_INIT;
	static struct helper_hello hello;
	helper_put_load(&packet, &b.load);
	talk(&packet, NULL);
	cr_assert(helper_read_hello(&packet, &hello));
	cr_assert(hello.ok, "%s", hello.problem_count ? hello.problems[0] : "");
	cr_assert_eq(hello.rules, 1);
	helper_hello_done(&hello);
}

static int64_t number(struct str *packet, enum helper_packet kind)
{
	int64_t got = 0;
	cr_assert(helper_read_number(packet, kind, &got));
	return got;
}

static void expect_end(int code)
{
	int status = 0;
	close(ours);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == code, "status %x", (unsigned)status);
}

Test(serve, forks_scanners_and_tells_how_they_ended)
{
	AUTO_STR packet = STR_INIT;
	int scanner, theirs;
	load();
	cr_assert_eq(channel_pair(&scanner, &theirs), 0);
	helper_put_number(&packet, HELPER_FORK, 0);
	const struct channel_fds fds = { .fd = { theirs, -1 } };
	talk(&packet, &fds);
	close(theirs);
	int64_t forked = number(&packet, HELPER_FORKED);
	cr_assert_gt(forked, 0);
	helper_put_number(&packet, HELPER_REAP, forked);
	talk(&packet, NULL);
	cr_assert_eq(number(&packet, HELPER_REAPED), HELPER_STILL_THERE);
	cr_assert_eq(kill((pid_t)forked, SIGKILL), 0);
	AUTO_STR nothing = STR_INIT;
	cr_assert_eq(channel_receive(scanner, &nothing, NULL, true), 0, "nobody else holds it");
	int64_t status = HELPER_STILL_THERE;
	while (status == HELPER_STILL_THERE) {
		helper_put_number(&packet, HELPER_REAP, forked);
		talk(&packet, NULL);
		status = number(&packet, HELPER_REAPED);
	}
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(scanner);
	expect_end(0);
}

Test(serve, what_cannot_be_loaded_is_told_in_words)
{
	AUTO_STR packet = STR_INIT;
	static struct helper_hello hello;
	bench_write(&b, "a.yar", BROKEN);
	helper_put_load(&packet, &b.load);
	talk(&packet, NULL);
	cr_assert(helper_read_hello(&packet, &hello));
	cr_assert_not(hello.ok);
	cr_assert_not_null(strstr(hello.problems[0], "a.yar:2: "), "%s", hello.problems[0]);
	helper_hello_done(&hello);
	expect_end(0);
}

Test(serve, ends_at_nonsense)
{
	AUTO_STR packet = STR_INIT;
	load();
	str_puts(&packet, "nonsense");
	cr_assert_eq(channel_send(ours, &packet, NULL), 0);
	cr_assert_eq(channel_receive(ours, &packet, NULL, true), 0);
	expect_end(3);
}

Test(serve, there_is_no_other_engine)
{
	expect_end(0);
	cr_assert_eq(serve("nonsense", -1), 2);
}
