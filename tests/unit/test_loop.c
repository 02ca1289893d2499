/* The loop: SIGUSR2 walks the roots. On the real daemon. */
#include "daemon_harness.h"

#define A "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"

Test(loop, usr2_finds_what_no_event_told)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop } ]\n");
	daemon_put(&d, A, "four");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	char path[512];
	snprintf(path, sizeof path, "%s/%s", d.root, A);
	cr_assert_eq(truncate(path, 2), 0); /* by path: only IN_MODIFY, which is not listened to */
	kill(d.pid, SIGUSR2);
	daemon_expect(&d, "SELECT group_concat(size) FROM file WHERE state = 'done'", "4,2");
	daemon_finish(&d);
}
