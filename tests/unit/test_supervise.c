/* supervise: a command's parent comes back when nothing is left, whatever it takes. All of them
 * hold the writing end of a pipe: its end is the proof. */
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/launcher/supervise.h"

TestSuite(supervise, .timeout = 120);

enum command {
	ENDS,	       /* exit status 5, with a child that goes on */
	DIES,	       /* by a signal, with an orphan that goes on */
	STAYS,	       /* with a child that ignores what it can */
	ANOTHER_GROUP, /* with a child in a group of its own, as without seccomp */
	BOMB	       /* with children that go on as their own child */
};

#define SUPERVISED_BY_TERM 77
#define BOMBERS		   200
#define BOMB_S		   100 /* longer than a test may take; nobody else would end it when that fails */

static void stay(void)
{
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	for (;;)
		(void)pause();
}

/* A child that stays; it is up when this returns. */
static void leave_child(bool orphan, bool own_group)
{
	int up[2];
	char byte;
	(void)!pipe2(up, O_CLOEXEC);
	if (fork() == 0) {
		if (orphan && fork() != 0)
			_exit(0);
		if (own_group)
			(void)setpgid(0, 0);
		(void)!write(up[1], "x", 1);
		stay();
	}
	(void)!read(up[0], &byte, 1);
	(void)close(up[0]);
	(void)close(up[1]);
}

/* Goes on as its own child; in one of its lives it says so. */
static _Noreturn void go_on(int up)
{
	const struct mono end = mono_add_ms(mono_now(), BOMB_S * 1000);
	for (unsigned life = 0; !mono_passed(end); life++) {
		if (fork() > 0)
			break;
		if (life == 20 && up >= 0)
			(void)!write(up, "u", 1);
	}
	_exit(0);
}

/* So many that orphans come in faster than they are reaped; all begin at once. */
static void bomb(int up)
{
	int start[2];
	char byte;
	(void)!pipe2(start, O_CLOEXEC);
	for (unsigned i = 0; i < BOMBERS; i++) {
		if (fork() != 0)
			continue;
		(void)close(start[1]);
		(void)!read(start[0], &byte, 1);
		go_on(i == 0 ? up : -1);
	}
	(void)close(start[1]);
	stay();
}

static void act(enum command command, int up)
{
	if (command == BOMB)
		bomb(up);
	leave_child(command == DIES, command == ANOTHER_GROUP);
	(void)!write(up, "u", 1);
	if (command == STAYS)
		stay();
	if (command == DIES)
		(void)kill(getpid(), SIGUSR1);
	_exit(5);
}

/* The supervisor's process: its exit status is the command's, or 100 + its signal. */
static pid_t begin(enum command command, int up)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	struct error err = { 0 };
	int status = 0;
	if (supervise_begin(parent, &err) < 0)
		_exit(99);
	pid_t self = getpid();
	pid_t child = fork();
	if (child == 0) {
		if (supervise_child(self, &err) < 0)
			_exit(98);
		act(command, up);
	}
	if (supervise(child, &status) != 0)
		_exit(SUPERVISED_BY_TERM);
	_exit(WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void expect_end(enum command command, int wanted)
{
	int up[2];
	char byte = 0;
	int status = 0;
	cr_assert_eq(pipe2(up, O_CLOEXEC), 0);
	pid_t pid = begin(command, up[1]);
	(void)close(up[1]);
	cr_assert_eq(read(up[0], &byte, 1), 1);
	if (command == STAYS || command == BOMB)
		cr_assert_eq(kill(pid, SIGTERM), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), wanted);
	/* nobody holds it any more, and that without waiting */
	cr_assert_eq(fcntl(up[0], F_SETFL, O_NONBLOCK), 0);
	cr_expect_eq(read(up[0], &byte, 1), 0, "somebody is left");
	(void)close(up[0]);
}

Test(supervise, the_commands_end_is_told_and_its_children_go_with_it)
{
	expect_end(ENDS, 5);
}

Test(supervise, a_signal_is_told_and_orphans_go_too)
{
	expect_end(DIES, 100 + SIGUSR1);
}

Test(supervise, sigterm_ends_all_of_it)
{
	expect_end(STAYS, SUPERVISED_BY_TERM);
}

Test(supervise, sigterm_is_heard_while_orphans_come_in, .timeout = 60)
{
	expect_end(BOMB, SUPERVISED_BY_TERM);
}

Test(supervise, who_left_the_group_is_killed_one_by_one)
{
	if (access("/proc/self/task", F_OK) < 0)
		cr_skip("no /proc");
	expect_end(ANOTHER_GROUP, 5);
}

Test(supervise, the_death_of_the_parent_is_its_end)
{
	int up[2];
	char byte = 0;
	cr_assert_eq(pipe2(up, O_CLOEXEC), 0);
	pid_t daemon = fork();
	if (daemon == 0) {
		(void)begin(STAYS, up[1]);
		for (;;)
			(void)pause();
	}
	(void)close(up[1]);
	cr_assert_eq(read(up[0], &byte, 1), 1);
	cr_assert_eq(kill(daemon, SIGKILL), 0);
	cr_assert_eq(waitpid(daemon, NULL, 0), daemon);
	/* they are nobody's that we could wait for; the end of the pipe is theirs */
	cr_expect_eq(read(up[0], &byte, 1), 0);
	(void)close(up[0]);
}

Test(supervise, a_parent_that_is_gone_already_is_told)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct error err = { 0 };
		_exit(supervise_begin(getppid() + 1, &err) == -ESRCH ? 0 : 1);
	}
	int status = -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}
