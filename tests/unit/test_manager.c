/* What the service manager is told of a daemon's life, in its order. */
#include "daemon_harness.h"

static void expect_next(const struct daemon *d, const char *wanted)
{
	char text[512];
	struct pollfd ready = { .fd = d->notify_fd, .events = POLLIN };
	cr_assert(poll(&ready, 1, DAEMON_PATIENCE_MS) == 1, "%s never came", wanted);
	ssize_t got = recv(d->notify_fd, text, sizeof text - 1, 0);
	cr_assert(got > 0);
	text[got] = '\0';
	cr_assert(strncmp(text, wanted, strlen(wanted)) == 0, "%s instead of %s", text, wanted);
}

Test(manager, from_the_start_over_a_reload_to_the_end)
{
	struct daemon d;
	daemon_init(&d, "stop_grace: 2s\ndetectors: [ { type: noop } ]\n");
	daemon_start(&d);
	expect_next(&d, "STATUS=loading detectors");
	expect_next(&d, "EXTEND_TIMEOUT_USEC=60000000\nSTATUS=watching, the first walk has met ");
	expect_next(&d, "READY=1\nSTATUS=watching");
	cr_assert_eq(kill(d.pid, SIGHUP), 0);
	expect_next(&d, "RELOADING=1\nMONOTONIC_USEC=");
	expect_next(&d, "READY=1\nSTATUS=watching");
	cr_assert_eq(kill(d.pid, SIGTERM), 0);
	expect_next(&d, "STOPPING=1\nEXTEND_TIMEOUT_USEC=62000000\nSTATUS=stopping");
	expect_next(&d, "EXTEND_TIMEOUT_USEC=302000000\nSTATUS=closing the history");
	daemon_finish(&d);
}
