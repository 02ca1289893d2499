/* shed: files that wait for a scan are given up, wherever they wait. The disk that is too full is
 * the one that the test has: it is used by more than 2%. */
#include "daemon_harness.h"
#include "used_disk.h"

#define LIMITS "retention: { disk_high: 2%, disk_low: 1% }\nshed: [ image/* ]\n"

static void put(const struct daemon *d, const char *mime, unsigned count)
{
	static unsigned number;
	for (unsigned i = 0; i < count; i++) {
		char name[80];
		snprintf(name, sizeof name, "HTTP-F%u.%s.x", number++, mime);
		daemon_put(d, name, name);
	}
}

/* The first file stays with the only worker, the rest with the pool, and in the history. */
Test(shed, what_no_worker_has_begun_with_goes_and_nothing_else)
{
	struct daemon d;
	need_used_disk("/tmp");
	daemon_begin(&d, LIMITS
		     "workers: 1\nstop_grace: 0s\ndetectors: [ { type: command, timeout: 600s, "
		     "run: [ tail, -f, /dev/null, '{path}' ] } ]\n");
	put(&d, "text.plain", 1);
	daemon_expect(&d, "SELECT count(*) FROM pending", "1");
	put(&d, "image.png", 1500);
	put(&d, "text.plain", 20);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE reason = 'shed'", "1500");
	daemon_expect(&d,
		      "SELECT count(*) FROM disposal WHERE cause = 'shed' AND state = 'removed'",
		      "1500");
	daemon_expect(&d, "SELECT count(*) || ' ' || count(DISTINCT path) FROM file", "1521 1521");
	daemon_expect(&d,
		      "SELECT count(*) FROM file WHERE state = 'queued' AND mime = 'text/plain'",
		      "21");
	daemon_expect(&d, "SELECT count(*) FROM scan", "0");
	daemon_expect(&d,
		      "SELECT count(*) FROM file WHERE reason = 'shed' AND note ="
		      " 'given up for want of room on its disk'",
		      "1500");
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_done(&d);
}

/* A writer's file is not: it would come again under the same name. */
Test(shed, what_somebody_writes_to_stays)
{
	struct daemon d;
	need_used_disk("/tmp");
	daemon_begin(&d, LIMITS "detectors: [ { type: noop } ]\n");
	char path[512];
	daemon_path(&d, "HTTP-Fheld.image.png.x", path);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0);
	daemon_expect(&d, "SELECT waits_for FROM pending", "writer");
	put(&d, "image.png", 1);
	daemon_expect(&d, "SELECT count(*) FROM disposal WHERE state = 'removed'", "1");
	daemon_expect(&d, "SELECT waits_for FROM pending", "writer");
	close(fd);
	daemon_expect(&d, "SELECT count(*) FROM disposal WHERE state = 'removed'", "2");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	cr_assert_eq(daemon_stop(&d), 0);
	daemon_done(&d);
}
