#include <sys/stat.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/app/roots.h"
#include "core/base/error.h"
#include "core/config/config.h"
#include "core/entry/scheme.h"
#include "watcher/watcher.h"

struct fixture {
	char dir[64];
	char a[96];
	char ab[96];
	struct config_root rows[2];
	struct config config;
	struct roots *roots;
};

static void set_up(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	strcpy(f->dir, "/tmp/carved-roots-XXXXXX");
	cr_assert(mkdtemp(f->dir));
	snprintf(f->a, sizeof f->a, "%s/a", f->dir);
	snprintf(f->ab, sizeof f->ab, "%s/ab", f->dir);
	mkdir(f->a, 0755);
	mkdir(f->ab, 0755);
	char *paths[] = { f->a, f->ab };
	static char producer[] = "auto";
	for (size_t i = 0; i < 2; i++)
		f->rows[i] = (struct config_root){ .path = paths[i],
						   .producer = producer,
						   .settle_ms = 5 };
	f->config = (struct config){ .roots = f->rows, .root_count = 2 };
	struct error err = { 0 };
	cr_assert_eq(roots_new(&f->roots, &f->config, &err), 0, "%s", err.text);
}

static void tear_down(struct fixture *f)
{
	roots_free(f->roots);
	rmdir(f->a);
	rmdir(f->ab);
	rmdir(f->dir);
}

static uint32_t of(const struct fixture *f, const char *suffix)
{
	char path[160];
	snprintf(path, sizeof path, "%s%s", f->dir, suffix);
	return roots_of_path(f->roots, path, strlen(path));
}

Test(roots, a_path_belongs_to_the_root_above_it_and_prefixes_do_not_confuse)
{
	struct fixture f;
	set_up(&f);
	cr_assert_eq(roots_count(f.roots), 2);
	cr_assert_eq(of(&f, "/a/x"), 0);
	cr_assert_eq(of(&f, "/ab/x"), 1);
	cr_assert_eq(of(&f, "/abc/x"), WATCHER_ROOTS_MOST);
	cr_assert_eq(of(&f, "/a"), WATCHER_ROOTS_MOST);
	cr_assert_eq(roots_of_path(f.roots, "relative/x", 10), WATCHER_ROOTS_MOST + 1);
	tear_down(&f);
}

Test(roots, one_that_is_gone_has_no_paths_and_leads_there_still)
{
	struct fixture f;
	set_up(&f);
	char path[160];
	struct statx st;
	cr_assert_eq(roots_state(f.roots, 0), ROOT_COMING);
	roots_set_state(f.roots, 0, ROOT_LEAVING);
	cr_assert_eq(of(&f, "/a/x"), 0);
	roots_set_state(f.roots, 0, ROOT_GONE);
	cr_assert_eq(of(&f, "/a/x"), WATCHER_ROOTS_MOST);
	snprintf(path, sizeof path, "%s/x", f.a);
	cr_assert_eq(mkdir(path, 0755), 0);
	int fd = roots_open(f.roots, 0, path, O_RDONLY);
	cr_assert_geq(fd, 0, "jobs that name it go on");
	close(fd);
	cr_assert_eq(roots_stat(f.roots, WATCHER_ROOTS_MOST, path, &st), 0);
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(roots_find(f.roots, f.a), 0);
	roots_set_state(f.roots, 0, ROOT_COMING);
	cr_assert_eq(of(&f, "/a/x"), 0);
	tear_down(&f);
}

Test(roots, more_of_them_and_what_is_configured_anew)
{
	struct fixture f;
	struct error err = { 0 };
	struct scheme_set *schemes = NULL;
	set_up(&f);
	char path[160];
	snprintf(path, sizeof path, "%s/c", f.dir);
	cr_assert_eq(roots_find(f.roots, path), 2);
	cr_assert_eq(scheme_set_new(&schemes, "auto", &err), 0);
	cr_assert_eq(roots_add(f.roots, path, schemes), 2);
	cr_assert_eq(of(&f, "/c/x"), 2);
	cr_assert_eq(roots_count(f.roots), 3);
	static char zeek[] = "zeek";
	const struct config_root row = {
		.path = path, .producer = zeek, .mode = CONFIG_MODE_POLL, .settle_ms = 7
	};
	struct scheme_set *others = NULL;
	cr_assert_eq(scheme_set_new(&others, zeek, &err), 0);
	roots_configure(f.roots, 2, &row, others);
	cr_assert_eq(roots_schemes(f.roots, 2), others);
	roots_configure(f.roots, 2, &row, NULL);
	cr_assert_eq(roots_schemes(f.roots, 2), others);
	cr_assert_str_eq(roots_producer(f.roots, 2), "zeek");
	cr_assert_eq(roots_mode(f.roots, 2), CONFIG_MODE_POLL);
	cr_assert_eq(roots_settle_ms(f.roots, 2), 7);
	tear_down(&f);
}

Test(roots, what_is_opened_lies_below_the_root_of_now_and_no_descriptor_stays)
{
	struct fixture f;
	set_up(&f);
	char path[160];
	int before = open("/", O_PATH | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/x", f.a);
	cr_assert_eq(roots_open(f.roots, 0, path, O_RDONLY), -ENOENT);
	cr_assert_eq(mkdir(path, 0755), 0);
	int fd = roots_open(f.roots, 0, path, O_RDONLY);
	cr_assert_eq(fd, before + 2);
	cr_assert_eq(fcntl(before + 1, F_GETFD), -1, "the root's descriptor is closed");
	close(fd);
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(symlink("/etc", path), 0);
	cr_assert_eq(roots_open(f.roots, 0, path, O_RDONLY), -ELOOP);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rmdir(f.a), 0);
	cr_assert_eq(roots_open(f.roots, 0, path, O_RDONLY), -ENOENT);
	close(open(f.a, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	cr_assert_eq(roots_open(f.roots, 0, path, O_RDONLY), -ENOENT, "a root is a directory");
	cr_assert_eq(unlink(f.a), 0);
	close(before);
	tear_down(&f);
}

Test(roots, absolute_path_is_resolved_anew_when_the_root_may_be_another)
{
	struct fixture f;
	set_up(&f);
	char *real = realpath(f.ab, NULL);
	cr_assert_str_eq(roots_absolute(f.roots, 1), real);
	cr_assert_eq(rmdir(f.ab), 0);
	cr_assert_eq(symlink("a", f.ab), 0);
	cr_assert_str_eq(roots_absolute(f.roots, 1), real, "as it was");
	roots_invalidate(f.roots, 1);
	free(real);
	real = realpath(f.a, NULL);
	cr_assert_str_eq(roots_absolute(f.roots, 1), real);
	free(real);
	cr_assert_eq(unlink(f.ab), 0);
	roots_invalidate(f.roots, 1);
	cr_assert_str_eq(roots_absolute(f.roots, 1), f.ab, "as written, when it cannot be told");
	tear_down(&f);
}

Test(roots, stat_follows_no_last_link_and_reaches_beyond_path_max)
{
	struct fixture f;
	set_up(&f);
	char path[160];
	struct statx st;
	snprintf(path, sizeof path, "%s/link", f.a);
	cr_assert_eq(symlink("/etc", path), 0);
	cr_assert_eq(roots_stat(f.roots, 0, path, &st), 0);
	cr_assert(S_ISLNK(st.stx_mode));
	unlink(path);
	cr_assert_eq(roots_stat(f.roots, 0, path, &st), -ENOENT);
	uint64_t near = 0;
	cr_assert_eq(roots_fsid(f.roots, 0, path, strlen(f.a), &near), 0);
	cr_assert_neq(near, 0);

	char *deep = calloc(1, 8192);
	strcpy(deep, f.a);
	int at = open(f.a, O_PATH | O_DIRECTORY);
	static const char name[] =
		"ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
	for (unsigned i = 0; i < 80; i++) {
		cr_assert_eq(mkdirat(at, name, 0755), 0);
		int next = openat(at, name, O_PATH | O_DIRECTORY);
		close(at);
		at = next;
		strcat(deep, "/");
		strcat(deep, name);
	}
	close(at);
	cr_assert_gt(strlen(deep), 4096);
	cr_assert_eq(roots_stat(f.roots, 0, deep, &st), 0);
	uint64_t far = 0;
	cr_assert_eq(roots_fsid(f.roots, 0, deep, strlen(deep), &far), 0);
	cr_assert_eq(roots_fsid(f.roots, 0, path, strlen(f.a), &near), 0);
	cr_assert_eq(far, near);
	cr_assert(S_ISDIR(st.stx_mode));
	free(deep);
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s/*", f.a);
	cr_assert_eq(system(command), 0);
	tear_down(&f);
}
