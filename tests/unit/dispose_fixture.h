/*
 * dispose_fixture: a root with files in it, a quarantine, and what was said of them, in a directory
 * of the test's own.
 */
#ifndef CARVED_TESTS_UNIT_DISPOSE_FIXTURE_H
#define CARVED_TESTS_UNIT_DISPOSE_FIXTURE_H

#include <sys/mount.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>

#include "core/base/clock.h"
#include "core/base/identity.h"
#include "core/config/config.h"
#include "core/detect/hasher.h"
#include "core/dispose/remove.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"
#include "store_fixture.h"

struct yard {
	struct world w;
	char root[96];
	char quarantine[96];
	struct config_root root_row;
	struct config config;
	struct vault *vault;
	struct hasher *hasher;
	struct ground ground;
};

/* Whether everything has a writer; and what is done when that is asked for the nth time. */
static bool yard_written;
static int yard_asked;
static void (*yard_deed)(int nth);

static inline bool yard_has_writer(int fd)
{
	(void)fd;
	yard_asked++;
	if (yard_deed)
		yard_deed(yard_asked);
	return yard_written;
}

static inline void yard_init(struct yard *y)
{
	struct error err = { 0 };
	*y = (struct yard){ 0 };
	world_dir(&y->w);
	snprintf(y->root, sizeof y->root, "%s/root", y->w.dir);
	snprintf(y->quarantine, sizeof y->quarantine, "%s/quarantine", y->w.dir);
	cr_assert(mkdir(y->root, 0755) == 0);
	y->root_row = (struct config_root){ .path = y->root };
	y->config = (struct config){ .refs = 1000, /* never freed */
				     .roots = &y->root_row,
				     .root_count = 1,
				     .history = y->w.db,
				     .quarantine = y->quarantine };
	cr_assert(vault_open(&y->vault, y->quarantine, &err) == 0, "%s", err.text);
	y->hasher = hasher_new();
	y->ground = (struct ground){ .config = &y->config,
				     .vault = y->vault,
				     .hasher = y->hasher,
				     .has_writer = yard_has_writer };
	yard_written = false;
	yard_asked = 0;
	yard_deed = NULL;
}

static inline void yard_done(struct yard *y)
{
	(void)umount2(y->quarantine, MNT_DETACH);
	(void)umount2(y->root, MNT_DETACH);
	vault_free(y->vault);
	hasher_free(y->hasher);
	world_done(&y->w);
}

/* Mounts that nobody else sees, and that go with the test; skips it where there are none. */
static inline void yard_own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip_test("no mounts here");
}

/* Another file system for the quarantine. */
static inline void yard_move_quarantine(struct yard *y)
{
	struct error err = { 0 };
	yard_own_mounts();
	cr_assert(mount("carved", y->quarantine, "tmpfs", 0, "size=1m,mode=0700") == 0);
	vault_free(y->vault);
	cr_assert(vault_open(&y->vault, y->quarantine, &err) == 0, "%s", err.text);
	y->ground.vault = y->vault;
}

/* The path of a name below the root; two of them may be held at a time. */
static inline const char *yard_path(const struct yard *y, const char *name)
{
	static char paths[2][256];
	static int which;
	which = !which;
	snprintf(paths[which], sizeof paths[which], "%s/%s", y->root, name);
	return paths[which];
}

static inline void yard_file(const struct yard *y, const char *name, const char *text)
{
	world_write_file(yard_path(y, name), text, strlen(text));
}

static inline bool yard_there(const struct yard *y, const char *name)
{
	struct stat st;
	return lstat(yard_path(y, name), &st) == 0;
}

/* What a file holds, "-" for none that can be read; borrowed until the next call. */
static inline const char *yard_text(const char *path)
{
	static char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return "-";
	text[got] = '\0';
	return text;
}

/* A version of the file as it stands now, judged just now. Owned by the caller. */
static inline struct version *yard_version(const struct yard *y, const char *name,
					   enum outcome verdict)
{
	const char *path = yard_path(y, name);
	struct version *version = version_new(path, strlen(path));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct statx st;
	uint64_t fsid = 0;
	cr_assert(fd >= 0 && identity_fsid(fd, &fsid) == 0);
	cr_assert(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) == 0);
	version->identity = identity_of(&st, fsid);
	struct hashes hashes = { .have = HASH_BIT(HASH_SHA256) };
	cr_assert(hasher_fd(y->hasher, fd, LLONG_MAX, &hashes, NULL) == 0);
	memcpy(version->sha256, hashes.sum[HASH_SHA256], sizeof version->sha256);
	version->has_sha256 = true;
	close(fd);
	world_finish(version, verdict);
	version->first_seen_ns = version->checked_ns = clock_wall_ns();
	return version;
}

/* Waits until a change at that time is no fresh one any more. */
static inline void yard_rest(int64_t ctime_ns)
{
	while (clock_wall_ns() <= ctime_ns + 4 * clock_tick_ns())
		;
}

/* To be done to a file as it stands now, number 1. Ended by removal_done() and version_free(). */
static inline struct removal_task yard_task(const struct yard *y, const char *name,
					    enum removal_action action)
{
	struct version *version = yard_version(y, name, OUTCOME_MALICIOUS);
	/* what has changed just now is not removed by its name */
	yard_rest(version->identity.ctime_ns);
	return (struct removal_task){
		.removal = { .id = 1, .version_id = 1, .action = action, .cause = CAUSE_RULE },
		.version = version,
	};
}

static inline void yard_task_done(struct removal_task *task)
{
	removal_done(&task->removal);
	version_free(task->version);
}

/* How many names a directory has. */
static inline int yard_count(const char *path)
{
	int names = 0;
	DIR *dir = opendir(path);
	cr_assert(dir);
	while (readdir(dir))
		names++;
	closedir(dir);
	return names - 2;
}

#endif
