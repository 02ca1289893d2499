/* Roots that change by reloads of the real daemon; scenario 55 does it under load. */
#include "daemon_harness.h"

static void reroot(const struct daemon *d, const char *roots)
{
	char yaml[768];
	snprintf(yaml, sizeof yaml,
		 "roots: [ %s ]\nhistory: %s\nrescan_interval: 1h\ndetectors: [ { type: noop } ]\n",
		 roots, d->history);
	daemon_configure(d, yaml);
	cr_assert_eq(kill(d->pid, SIGHUP), 0);
}

static void put(const char *dir, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, name, strlen(name)), (ssize_t)strlen(name));
	close(fd);
}

Test(reroot, a_root_comes_and_the_other_one_goes)
{
	struct daemon d;
	char other[96], roots[512];
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	snprintf(other, sizeof other, "%s/other", d.dir);
	cr_assert_eq(mkdir(other, 0755), 0);
	put(other, "HTTP-Fone.text.plain.txt");
	daemon_start(&d);
	daemon_wait_ready(&d);
	snprintf(roots, sizeof roots, "{ path: %s }, { path: %s }", d.root, other);
	reroot(&d, roots);
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "1");
	put(d.root, "HTTP-Ftwo.text.plain.txt");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "2");
	snprintf(roots, sizeof roots, "{ path: %s }", other);
	reroot(&d, roots);
	daemon_wait_ready(&d); /* of the first reload or of this one */
	put(other, "HTTP-Fthree.text.plain.txt");
	daemon_expect(&d, "SELECT count(*) FROM file WHERE state = 'done'", "3");
	daemon_expect(&d, "SELECT count(*) FROM gap WHERE cause = 'root' AND closed_ns > 0", "1");
	daemon_finish(&d);
}
