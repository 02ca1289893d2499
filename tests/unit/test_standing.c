/* standing: what is gone for good, and what may come back. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/standing.h"
#include "core/base/identity.h"
#include "core/config/config.h"
#include "core/store/old_reader.h"

static char root[64];
static char path[96];
static struct config_root one = { .path = root };
static struct config config = { .roots = &one, .root_count = 1 };
static struct standing *standing;
static struct old_version version;

static uint64_t fsid_of(const char *at)
{
	uint64_t fsid = 0;
	int fd = open(at, O_PATH | O_CLOEXEC);
	cr_assert(fd >= 0 && identity_fsid(fd, &fsid) == 0);
	close(fd);
	return fsid;
}

static void put(const char *at)
{
	int fd = open(at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(fd >= 0);
	close(fd);
}

/* A file in a directory below the root, as the history has it. */
static void setup(void)
{
	/* not on a tmpfs, which does not come back */
	snprintf(root, sizeof root, "%s/carved-standing-XXXXXX",
		 access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp");
	cr_assert(mkdtemp(root));
	snprintf(path, sizeof path, "%s/sub", root);
	cr_assert(mkdir(path, 0700) == 0);
	strcat(path, "/file");
	put(path);
	struct statx st;
	cr_assert(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &st) == 0);
	struct identity identity = identity_of(&st, fsid_of(root));
	version = (struct old_version){
		.id = 1,
		.path = path,
		.dir_len = strlen(path) - strlen("/file"),
		.fsid = identity.fsid,
		.inode = identity.inode,
		.btime_ns = identity.btime_ns,
	};
	standing = standing_new(&config);
}

static void teardown(void)
{
	char command[192];
	standing_free(standing);
	snprintf(command, sizeof command, "rm -rf %s %s.away", root, root);
	cr_assert(system(command) == 0);
}

TestSuite(standing, .init = setup, .fini = teardown);

static bool is(enum standing_is wanted)
{
	return standing_look(standing, &version) == wanted;
}

Test(standing, a_file_that_is_there)
{
	cr_expect(is(STANDING_THERE));
	cr_expect(standing_silent(standing).count == 0);
}

Test(standing, a_file_that_was_removed_or_its_directories_too)
{
	cr_assert(unlink(path) == 0);
	cr_expect(is(STANDING_GONE));
	char *slash = strrchr(path, '/');
	*slash = '\0';
	cr_assert(rmdir(path) == 0);
	*slash = '/';
	cr_expect(is(STANDING_GONE), "the root is empty, but there");
}

Test(standing, another_file_at_its_path)
{
	version.inode++;
	cr_expect(is(STANDING_GONE));
	version.inode--;
	version.btime_ns++;
	cr_expect(is(STANDING_GONE), "inodes' numbers are used again");
	version.inode = 0;
	cr_expect(is(STANDING_THERE), "a row of no file counts for what is at its path");
}

Test(standing, a_directory_on_another_file_system)
{
	cr_assert(unlink(path) == 0);
	version.fsid ^= 1;
	cr_expect(is(STANDING_UNKNOWN));
	struct standing_silent silent = standing_silent(standing);
	cr_expect(silent.count == 1 && !silent.root);
	cr_expect(strncmp(silent.place, path, version.dir_len) == 0);
	config.root_count = 0;
	cr_expect(is(STANDING_UNKNOWN), "who knows no root cannot tell that it lies below none");
	config.root_count = 1;
}

Test(standing, below_no_root_the_path_alone_counts)
{
	static char elsewhere[] = "/nowhere";
	version.fsid ^= 1;
	one.path = elsewhere;
	cr_expect(is(STANDING_THERE));
	cr_assert(unlink(path) == 0);
	cr_expect(is(STANDING_GONE), "nobody walks there");
	one.path = root;
}

Test(standing, a_root_that_is_missing)
{
	char away[96];
	snprintf(away, sizeof away, "%s.away", root);
	cr_assert(rename(root, away) == 0); /* at any time, also while it looks */
	cr_expect(is(STANDING_UNKNOWN));
	cr_expect_str_eq(standing_silent(standing).root, root);
}

Test(standing, what_cannot_be_searched_is_there)
{
	/* a name that is too long is no answer either */
	static char longer[5000];
	memset(longer, 'a', sizeof longer - 1);
	longer[0] = '/';
	version.path = longer;
	version.dir_len = 0;
	cr_expect(is(STANDING_THERE));
}
