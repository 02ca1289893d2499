#include <sys/socket.h>
#include <sys/un.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/app/notify.h"

static int listen_at(const char *name, socklen_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path, name, len);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t) + len), 0);
	return fd;
}

static void expect(int fd, const char *wanted)
{
	char text[64] = "";
	cr_assert_eq(recv(fd, text, sizeof text - 1, 0), (ssize_t)strlen(wanted));
	cr_assert_str_eq(text, wanted);
}

Test(notify, without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	cr_assert_eq(notify_send("READY=1"), 0);
}

Test(notify, a_datagram_goes_to_the_named_socket)
{
	char dir[] = "/tmp/carved-notify-XXXXXX";
	cr_assert(mkdtemp(dir));
	char path[64];
	snprintf(path, sizeof path, "%s/s", dir);
	int fd = listen_at(path, (socklen_t)strlen(path) + 1);
	setenv("NOTIFY_SOCKET", path, 1);
	cr_assert_eq(notify_send("READY=1"), 0);
	expect(fd, "READY=1");
	for (int result = 0; result != -EAGAIN;
	     result = notify_send("STATUS=")) /* and nobody reads */
		cr_assert_eq(result, 0);
	close(fd);
	unlink(path);
	cr_assert_eq(notify_send("READY=1"), -ENOENT);
	rmdir(dir);
}

Test(notify, an_abstract_socket_is_meant_by_an_at_sign)
{
	char name[64];
	int len = snprintf(name, sizeof name, "@carved-test-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	int fd = listen_at(name, (socklen_t)len);
	cr_assert_eq(notify_send("STOPPING=1"), 0);
	expect(fd, "STOPPING=1");
	close(fd);
}
