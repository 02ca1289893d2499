/* Roots that change by reloads of the real daemon; scenario 55 does it under load. */
#include "core/app/reroot.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "daemon_harness.h"
#include "watcher/watcher.h"

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

static void expect_refused(const struct app *app, struct config_root *rows, size_t count, int code,
			   const char *words)
{
	const struct config wanted = { .roots = rows, .root_count = count };
	struct reroot *plan = NULL;
	struct error err = { 0 };
	cr_expect_eq(reroot_prepare(app, &wanted, &plan, &err), code, "%s", err.text);
	cr_expect(strstr(err.text, words), "%s", err.text);
	cr_expect_null(plan);
}

Test(reroot, what_no_root_can_be_made_of_is_refused)
{
	static char producer[] = "auto", wrong[] = "(", one[] = "/one", two[] = "/two";
	struct config_root rows[] = { { .path = one, .producer = producer },
				      { .path = two, .producer = producer } };
	struct config none = { 0 };
	struct app app = { .config = &none };
	struct error err = { 0 };
	cr_assert_eq(roots_new(&app.roots, &none, &err), 0, "%s", err.text);
	while (roots_count(app.roots) < WATCHER_ROOTS_MOST - 1) {
		char path[32];
		snprintf(path, sizeof path, "/gone/%zu", roots_count(app.roots));
		(void)roots_add(app.roots, path, NULL);
	}
	expect_refused(&app, rows, 2, -E2BIG, "start it anew");
	rows[1].producer = wrong;
	expect_refused(&app, rows, 2, -EINVAL, "missing closing parenthesis");
	roots_free(app.roots);
}
