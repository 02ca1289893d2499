/* What the environment asks for, and that the real daemon feeds; scenario 54 freezes its threads.
 */
#include "daemon_harness.h"

static void expect_line(const struct daemon *d, const char *line)
{
	char text[512];
	struct pollfd ready = { .fd = d->notify_fd, .events = POLLIN };
	do {
		cr_assert(poll(&ready, 1, DAEMON_PATIENCE_MS) == 1, "%s never came", line);
		ssize_t got = recv(d->notify_fd, text, sizeof text - 1, 0);
		cr_assert(got > 0);
		text[got] = '\0';
	} while (!strstr(text, line));
}

Test(watchdog, it_is_fed_before_and_after_files)
{
	struct daemon d;
	setenv("WATCHDOG_USEC", "100000", 1);
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	for (int i = 0; i < 3; i++)
		expect_line(&d, "WATCHDOG=1");
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	for (int i = 0; i < 3; i++)
		expect_line(&d, "WATCHDOG=1");
	daemon_finish(&d);
}
