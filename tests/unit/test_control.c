/* The control socket of a running daemon: status, poke, and clients that misbehave. */
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "core/app/control_client.h"
#include "core/base/str.h"
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"

static int raw_client(const struct daemon *d)
{
	struct sockaddr_un address;
	int dir;
	struct error err;
	cr_assert_eq(control_address(d->history, &address, &dir, &err), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

Test(control, status_and_poke_are_answered)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d.history, "status", &text, &err), 0, "%s", err.text);
	cr_assert(strstr(str_text(&text), "\"state\":\"running\""), "%s", str_text(&text));
	cr_assert(strstr(str_text(&text), d.root));
	str_reset(&text);
	cr_assert_eq(control_request(d.history, "poke", &text, &err), 0);
	cr_assert_str_eq(str_text(&text), "ok");
	str_reset(&text);
	cr_assert_eq(control_request(d.history, "nonsense", &text, &err), 0);
	cr_assert(strstr(str_text(&text), "unknown request"));
	cr_assert_eq(daemon_stop(&d), 0);
	str_reset(&text);
	cr_assert_eq(control_request(d.history, "status", &text, &err), -ENOENT);
	daemon_done(&d);
}

static long walks(const struct daemon *d)
{
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d->history, "status", &text, &err), 0, "%s", err.text);
	const char *at = strstr(str_text(&text), "\"walks\":");
	cr_assert(at);
	return strtol(at + strlen("\"walks\":"), NULL, 10);
}

Test(control, a_walk_is_made_when_it_is_asked_for)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	long before = walks(&d);
	cr_assert_eq(control_request(d.history, "walk", &text, &err), 0, "%s", err.text);
	cr_assert_str_eq(str_text(&text), "ok");
	struct mono end = mono_add_ms(mono_now(), 240000);
	while (walks(&d) == before)
		cr_assert(!mono_passed(end));
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_done(&d);
}

Test(control, a_client_that_waits_for_a_reload_is_the_last_to_lose_its_place)
{
	struct daemon d;
	daemon_init(&d, "");
	/* the reload waits for somebody to write the configuration */
	char yaml[512];
	snprintf(yaml, sizeof yaml, "roots: [ { path: %s } ]\nhistory: %s\n" NOOP, d.root,
		 d.history);
	daemon_configure(&d, yaml);
	daemon_start(&d);
	daemon_wait_ready(&d);
	cr_assert_eq(unlink(d.config), 0);
	cr_assert_eq(mkfifo(d.config, 0600), 0);
	int writer = open(d.config, O_RDWR | O_CLOEXEC);
	int waiting = raw_client(&d);
	cr_assert_eq(send(waiting, "reload\n", 7, MSG_NOSIGNAL), 7);
	char text[256] = { 0 };
	cr_assert_eq(recv(waiting, text, sizeof text - 1, 0), 5);
	cr_assert_str_eq(text, "wait\n");
	int silent[40];
	for (size_t i = 0; i < 40; i++)
		silent[i] = raw_client(&d);
	AUTO_STR answer = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d.history, "poke", &answer, &err), 0, "%s", err.text);
	cr_assert_eq(write(writer, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	/* what a pipe holds goes with the last who has it open */
	for (int unread = 1; unread > 0; poll(NULL, 0, 1))
		cr_assert_eq(ioctl(writer, FIONREAD, &unread), 0);
	close(writer);
	ssize_t got = recv(waiting, text, sizeof text - 1, MSG_WAITALL);
	cr_assert_gt(got, 3);
	text[got] = '\0';
	cr_assert(strncmp(text, "ok\n", 3) == 0, "%s", text);
	for (size_t i = 0; i < 40; i++)
		close(silent[i]);
	close(waiting);
	daemon_finish(&d);
}

Test(control, silent_and_endless_clients_do_not_keep_others_out)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	int silent[40];
	for (size_t i = 0; i < 40; i++)
		silent[i] = raw_client(&d);
	char flood[1024];
	memset(flood, 'x', sizeof flood);
	int fd = raw_client(&d);
	(void)send(fd, flood, sizeof flood, MSG_NOSIGNAL);
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d.history, "status", &text, &err), 0, "%s", err.text);
	cr_assert(strstr(str_text(&text), "\"state\":\"running\""));
	close(fd);
	for (size_t i = 0; i < 40; i++)
		close(silent[i]);
	daemon_finish(&d);
}

Test(control, without_descriptors_a_client_is_still_answered)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	struct rlimit limit;
	char name[64];
	/* the lowest number that is free is the first that it may not have */
	unsigned free_number = 0;
	do {
		free_number++;
		snprintf(name, sizeof name, "/proc/%d/fd/%u", (int)d.pid, free_number);
	} while (faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	cr_assert_eq(prlimit(d.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = free_number;
	cr_assert_eq(prlimit(d.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	for (unsigned i = 0; i < 3; i++) {
		str_reset(&text);
		cr_assert_eq(control_request(d.history, "poke", &text, &err), 0, "%s", err.text);
		cr_assert_str_eq(str_text(&text), "ok");
	}
	limit.rlim_cur = before;
	cr_assert_eq(prlimit(d.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	daemon_finish(&d);
}
