/* site: what lies below a root is found, without following a link; all else is not. */
#include "core/dispose/site.h"
#include "dispose_fixture.h"

static struct yard y;
static struct site site;

static void setup(void)
{
	yard_init(&y);
}

static void teardown(void)
{
	yard_done(&y);
}

TestSuite(site, .init = setup, .fini = teardown);

static int find(const char *path)
{
	static struct version *version;
	version_free(version);
	version = version_new(path, strlen(path));
	return site_open(&site, &y.config, version);
}

Test(site, finds_the_directory_and_the_name)
{
	bool unread = true;
	struct statx st;
	cr_assert(mkdir(yard_path(&y, "d"), 0755) == 0);
	yard_file(&y, "d/f", "abc");
	cr_assert(find(yard_path(&y, "d/f")) == 0);
	cr_expect_str_eq(site.name, "f");
	cr_expect(site_stat(&site, &st) == 0 && st.stx_size == 3);
	int fd = site_open_file(&site, &unread);
	cr_expect(fd >= 0 && !unread);
	close(fd);
	site_done(&site);
	cr_expect(find(yard_path(&y, "g")) == 0);
	cr_expect(site_open_file(&site, &unread) == -ENOENT);
	site_done(&site);
}

Test(site, knows_only_what_lies_below_a_root)
{
	cr_expect(find("/etc/passwd") == -ENOKEY);
	char beside[128];
	snprintf(beside, sizeof beside, "%s-other/f", y.root);
	cr_expect(find(beside) == -ENOKEY);
	cr_expect(find("relative/f") == -ENOKEY);
	cr_expect(site_root(&y.config, y.root, strlen(y.root)) == 1, "the root itself is no file");
	y.root_row.path = (char *)"/";
	cr_expect(find("/etc/passwd") == 0);
	site_done(&site);
}

Test(site, follows_no_link)
{
	bool unread = false;
	cr_assert(mkdir(yard_path(&y, "d"), 0755) == 0);
	yard_file(&y, "d/f", "abc");
	cr_assert(symlink("d", yard_path(&y, "l")) == 0);
	cr_expect(find(yard_path(&y, "l/f")) == -ELOOP);
	cr_expect(find(yard_path(&y, "d/../d/../../x")) < 0, "nor leaves the root");
	cr_assert(symlink("f", yard_path(&y, "d/m")) == 0);
	cr_assert(find(yard_path(&y, "d/m")) == 0);
	cr_expect(site_open_file(&site, &unread) == -ELOOP);
	site_done(&site);
	cr_expect(find(yard_path(&y, "gone/f")) == -ENOENT);
}

Test(site, what_may_not_be_read_is_known_all_the_same)
{
	bool unread = false;
	yard_file(&y, "f", "abc");
	cr_assert(chmod(yard_path(&y, "f"), 0) == 0 && chmod(y.w.dir, 0755) == 0);
	cr_assert(find(yard_path(&y, "f")) == 0);
	cr_assert(seteuid(65534) == 0);
	int fd = site_open_file(&site, &unread);
	cr_assert(seteuid(0) == 0);
	cr_expect(fd >= 0 && unread);
	close(fd);
	site_done(&site);
}

static int synced;

/* Seam: counted. */
int fsync(int fd)
{
	synced++;
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

Test(site, each_directory_is_synced_once_and_the_number_that_waits_is_bounded)
{
	struct site_dirs dirs = { 0 };
	struct error err = { 0 };
	char name[32];
	for (int i = 0; i < 2 * (SITE_DIRS + 3); i++) {
		snprintf(name, sizeof name, "d%d", i / 2);
		cr_assert(mkdir(yard_path(&y, name), 0755) == 0 || errno == EEXIST);
		struct site site = { .dir = open(yard_path(&y, name), O_PATH | O_CLOEXEC) };
		site_removed(&site, &dirs);
		site_done(&site);
	}
	cr_expect(synced == SITE_DIRS && dirs.count == 3);
	cr_expect(site_sync(&dirs, y.vault->fd, &err) == 0 && synced == SITE_DIRS + 4 &&
		  dirs.count == 0);
	close(dirs.fds[0] = open(y.root, O_RDONLY | O_CLOEXEC));
	dirs.count = 1;
	cr_expect(site_sync(&dirs, y.vault->fd, &err) == -EBADF && strstr(err.text, "power cut"));
	cr_expect(site_sync(&dirs, y.vault->fd, &err) == 0);
}
