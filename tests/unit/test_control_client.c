#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/control_client.h"
#include "core/base/error.h"
#include "core/base/str.h"

static void expect_reachable(const char *history)
{
	struct sockaddr_un address;
	struct error err = { 0 };
	int dir = -1;
	cr_assert_eq(control_address(history, &address, &dir, &err), 0, "%s", err.text);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s.sock", history);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	unlink(path);
	close(fd);
	if (dir >= 0)
		close(dir);
}

Test(control_client, the_socket_lies_beside_the_history_however_long_its_path)
{
	char dir[] = "/tmp/carved-client-XXXXXX";
	cr_assert(mkdtemp(dir));
	char path[1024];
	snprintf(path, sizeof path, "%s/history.db", dir);
	expect_reachable(path);
	char deep[1024];
	snprintf(deep, sizeof deep, "%s/%0120d", dir, 1);
	cr_assert_eq(mkdir(deep, 0755), 0);
	snprintf(path, sizeof path, "%.900s/history.db", deep);
	expect_reachable(path);
	rmdir(deep);
	rmdir(dir);
}

Test(control_client, without_a_daemon_it_says_so)
{
	AUTO_STR answer = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request("/nonexistent/history.db", "status", &answer, &err), -ENOENT);
	cr_assert(strstr(err.text, "no carved runs"), "%s", err.text);
	char name[300];
	memset(name, 'n', sizeof name - 1);
	name[0] = '/';
	name[sizeof name - 1] = '\0';
	cr_assert_eq(control_request(name, "status", &answer, &err), -ENAMETOOLONG);
}
