/* vault: it is ours alone, or refused. */
#include "core/dispose/vault.h"
#include "core/store/version.h"
#include "dispose_fixture.h"

static struct world w;
static char path[128];
static struct error err;

static void setup(void)
{
	world_dir(&w);
	snprintf(path, sizeof path, "%s/q", w.dir);
}

static void teardown(void)
{
	world_done(&w);
}

TestSuite(vault, .init = setup, .fini = teardown);

Test(vault, is_made_for_nobody_else)
{
	AUTO(vault) struct vault *vault = NULL;
	struct stat st;
	umask(0);
	cr_assert(vault_open(&vault, path, &err) == 0, "%s", err.text);
	cr_expect(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700);
	cr_expect_str_eq(vault->path, path);
}

Test(vault, is_refused_where_others_may_look)
{
	struct vault *vault = NULL;
	cr_assert(mkdir(path, 0700) == 0 && chmod(path, 0750) == 0);
	cr_expect(vault_open(&vault, path, &err) == -EPERM);
	cr_expect(strstr(err.text, "0700"), "%s", err.text);
	cr_assert(chmod(path, 0700) == 0 && chown(path, 1, 1) == 0); /* as root, as tests run */
	cr_expect(vault_open(&vault, path, &err) == -EPERM);
	cr_expect(strstr(err.text, "another user"), "%s", err.text);
	AUTO(vault) struct vault *visited = NULL;
	cr_expect(vault_visit(&visited, path, &err) == 0, "root may look: %s", err.text);
}

Test(vault, is_no_link_and_has_a_parent)
{
	struct vault *vault = NULL;
	cr_assert(symlink(w.dir, path) == 0);
	cr_expect(vault_open(&vault, path, &err) < 0);
	cr_expect(strstr(err.text, "name the directory itself"), "%s", err.text);
	snprintf(path, sizeof path, "%s/none/q", w.dir);
	cr_expect(vault_open(&vault, path, &err) == -ENOENT);
	cr_expect(strstr(err.text, path), "%s", err.text);
	cr_expect(vault_visit(&vault, path, &err) == -ENOENT, "a command makes none");
}

Test(vault, names_are_numbers_and_hashes)
{
	char name[VAULT_NAME];
	AUTO(version) struct version *version = version_new("/r/../x", 7);
	struct removal removal = { .id = INT64_MAX, .intended_ns = INT64_MAX };
	vault_taken(name, &removal);
	cr_expect_str_eq(name, "9223372036854775807-9223372036854775807.taken");
	removal = (struct removal){ .id = 5, .intended_ns = 7 };
	vault_copy(name, &removal);
	cr_expect_str_eq(name, "5-7.copy");
	vault_json(name, &removal);
	cr_expect_str_eq(name, "5-7.json");
	vault_kept(name, &removal, version);
	cr_expect_str_eq(name, "5-7-unhashed");
	version->has_sha256 = true;
	memset(version->sha256, 0xab, sizeof version->sha256);
	removal = (struct removal){ .id = INT64_MAX, .intended_ns = INT64_MAX };
	vault_kept(name, &removal, version);
	cr_expect(strlen(name) == 19 + 1 + 19 + 1 + 64 &&
		  strstr(name, "-9223372036854775807-abab"));
}

Test(vault, what_nobody_may_read_is_read_and_stays_so)
{
	AUTO(vault) struct vault *vault = NULL;
	struct stat st;
	cr_assert(vault_open(&vault, path, &err) == 0);
	int fd = openat(vault->fd, "1-x", O_CREAT | O_WRONLY, 0);
	cr_assert(fd >= 0 && write(fd, "abc", 3) == 3 && close(fd) == 0);
	cr_assert(fchownat(vault->fd, "1-x", 65534, 65534, 0) == 0 &&
		  chown(path, 65534, 65534) == 0);
	cr_assert(chmod(w.dir, 0755) == 0 && setegid(65534) == 0 && seteuid(65534) == 0);
	fd = vault_read(vault, "1-x", &err); /* as whose it is, without root's capabilities */
	cr_assert(fd >= 0, "%s", strerror(-fd));
	close(fd);
	cr_expect(fstatat(vault->fd, "1-x", &st, 0) == 0 && (st.st_mode & 0777) == 0);
	cr_expect(vault_read(vault, "2-x", &err) == -ENOENT);
	cr_assert(seteuid(0) == 0);
}
