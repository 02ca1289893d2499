/* limit: which knob is named, and how far it is to be turned. */
#include <sys/resource.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "watcher/limit.h"

Test(limit, what_is_wanted_has_room_to_grow_and_is_round)
{
	const uint64_t cases[][2] = { { 0, 1 },	    { 1, 1 },	  { 4, 8 }, { 100, 128 },
				      { 103, 128 }, { 104, 256 }, { 0, 1 }, { 192536, 262144 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(limit_round(cases[i][0]), cases[i][1], "%zu", i);
}

Test(limit, advice_names_the_sysctl_and_its_value)
{
	char words[LIMIT_WORDS];
	char now[64];
	uint64_t granted = limit_granted(LIMIT_WATCHES);
	cr_assert_gt(granted, 0);
	limit_advise(words, LIMIT_WATCHES, 2 * granted);
	(void)snprintf(now, sizeof now, "(now %llu, ", (unsigned long long)granted);
	cr_assert_not_null(strstr(words, now), "%s", words);
	cr_assert_not_null(strstr(words, "sysctl -w "), "%s", words);
	limit_advise(words, LIMIT_INSTANCES, UINT64_C(1) << 40);
	cr_assert_not_null(strstr(words, "sysctl -w fs.inotify.max_user_instances=1099511627776"));
	limit_advise(words, LIMIT_WATCHES, 1); /* neither that we see is the one that binds */
	cr_assert_not_null(strstr(words, "in the user namespaces above, to 1"), "%s", words);
}

Test(limit, what_is_missing_is_named_by_its_error)
{
	char words[LIMIT_WORDS];
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 100;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	limit_explain(words, -EMFILE);
	cr_assert_str_eq(words, "no descriptor is left, 100 files may be open (RLIMIT_NOFILE): set "
				"LimitNOFILE=1024 in the service, or ulimit -n 1024");
	limit_explain(words, -ENFILE);
	cr_assert_not_null(strstr(words, "fs.file-max (now "));
	limit_explain(words, -ENOMEM);
	cr_assert_not_null(strstr(words, "MemoryMax="));
	limit_explain(words, -EAGAIN);
	cr_assert_not_null(strstr(words, "TasksMax="));
	limit_explain(words, -EIO);
	cr_assert_str_eq(words, "Input/output error");
}

static bool set(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return done;
}

/* The exit status: 77 when there is no user namespace to be had. */
static int look_in_a_namespace(void)
{
	char words[LIMIT_WORDS];
	if (unshare(CLONE_NEWUSER) != 0 || !set("/proc/sys/user/max_inotify_watches", "20") ||
	    !set("/proc/sys/user/max_inotify_instances", "2"))
		return 77;
	if (limit_granted(LIMIT_WATCHES) != 20 || limit_granted(LIMIT_INSTANCES) != 2)
		return 1;
	limit_advise(words, LIMIT_WATCHES, 64);
	if (strcmp(words, "sysctl -w user.max_inotify_watches=64 (now 20, of this user namespace)"))
		return 2;
	limit_advise(words, LIMIT_WATCHES, UINT64_C(1) << 40); /* then the host's bounds it too */
	if (!strstr(words, "fs.inotify.max_user_watches=") ||
	    !strstr(words, "; sysctl -w user.max_inotify_watches="))
		return 3;
	return 0;
}

Test(limit, the_namespaces_own_limit_is_named_where_it_binds)
{
	pid_t child = fork();
	if (child == 0)
		_exit(look_in_a_namespace());
	int status = 0;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		fprintf(stderr, "not run: no user namespace with limits of its own\n");
	else
		cr_assert_eq(WEXITSTATUS(status), 0);
}
