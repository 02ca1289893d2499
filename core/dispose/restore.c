/* restore: see restore.h. */
#include "core/dispose/restore.h"

#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/dispose/copy.h"
#include "core/dispose/origin.h"
#include "core/dispose/site.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"
#include "core/store/restoring.h"
#include "core/store/version.h"

/* What is held open, and where it goes. */
struct restoring {
	const char *history;
	const struct removal_task *task;
	struct vault *vault;
	struct site site;
	const char *name; /* in the vault; borrowed from the removal */
	struct origin origin;
	bool owner;
	struct error *err;
};

static int fail(const struct restoring *restoring, int code, const char *words)
{
	/* the path is cut short rather than the words */
	return error_set(restoring->err, code, "%s: %s: %s", words, error_text(code),
			 restoring->task->version->path);
}

static struct timespec time_of(int64_t ns)
{
	struct timespec time = { .tv_sec = ns / CLOCK_NS_PER_S, .tv_nsec = ns % CLOCK_NS_PER_S };
	if (time.tv_nsec < 0) {
		time.tv_sec--;
		time.tv_nsec += CLOCK_NS_PER_S;
	}
	return time;
}

/* Owner first: a change of it takes bits off the mode. The times last. */
static int dress(struct restoring *restoring, int fd)
{
	const struct origin *origin = &restoring->origin;
	const struct timespec times[2] = { time_of(origin->atime_ns), time_of(origin->mtime_ns) };
	restoring->owner = fchown(fd, origin->uid, origin->gid) == 0;
	/* whoever else it belongs to now gets no rights that its owner had given; nor does root
	 * hand them out by the word of another user, whose quarantine it is */
	bool trusted = restoring->owner && vault_is_ours(restoring->vault);
	mode_t mode = trusted ? origin->mode : origin->mode & 0777;
	return fchmod(fd, mode) < 0 || futimens(fd, times) < 0 ? -errno : 0;
}

/* A half copy goes, but not what somebody put in its place. */
static void drop_copy(const struct restoring *restoring, int fd)
{
	struct stat copy;
	struct statx there;
	if (fstat(fd, &copy) == 0 && site_stat(&restoring->site, &there) == 0 &&
	    there.stx_ino == copy.st_ino &&
	    makedev(there.stx_dev_major, there.stx_dev_minor) == copy.st_dev)
		(void)unlinkat(restoring->site.dir, restoring->site.name, 0);
}

/* Across file systems. Nobody is told that it is written until it is closed; and what is in the
 * quarantine goes only when the other is on the disk, with its name. */
static int put_copy(struct restoring *restoring, int from)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO_CLOSE int to = openat(restoring->site.dir, restoring->site.name, flags, 0600);
	if (to < 0)
		return -errno;
	int result = copy_bytes(from, to);
	if (result == 0)
		result = dress(restoring, to);
	if (result == 0 && fsync(to) < 0)
		result = -errno;
	if (result == 0)
		result = site_keep(&restoring->site, to);
	if (result < 0)
		drop_copy(restoring, to);
	else
		(void)unlinkat(restoring->vault->fd, restoring->name, 0);
	return result;
}

static int put_inode(struct restoring *restoring, int fd)
{
	int result = dress(restoring, fd);
	if (result == 0 && syscall(SYS_renameat2, restoring->vault->fd, restoring->name,
				   restoring->site.dir, restoring->site.name, RENAME_NOREPLACE) < 0)
		result = -errno;
	if (result < 0)
		(void)fchmod(fd, 0);
	return result;
}

static void drop_json(const struct restoring *restoring)
{
	char json[ORIGIN_NAME];
	origin_name(json, restoring->name);
	(void)unlinkat(restoring->vault->fd, json, 0);
	(void)fsync(restoring->vault->fd);
}

static int put(struct restoring *restoring)
{
	assert(restoring->vault && restoring->name);
	AUTO_CLOSE int fd = vault_read(restoring->vault, restoring->name, restoring->err);
	if (fd < 0)
		return fd;
	int result = put_inode(restoring, fd);
	if (result == -EXDEV || result == -EINVAL) /* NFS and others have no such rename */
		result = put_copy(restoring, fd);
	if (result < 0)
		return fail(restoring, -result, "it cannot be put back");
	drop_json(restoring);
	return 0;
}

/* An earlier call may have been cut short just behind its end; the file may be anywhere by now. */
static int find_kept(struct restoring *restoring)
{
	struct stat st;
	const struct removal *removal = &restoring->task->removal;
	(void)flock(restoring->vault->fd, LOCK_EX); /* another call may be at it just now */
	if (fstatat(restoring->vault->fd, restoring->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return fail(restoring, errno, "it cannot be found in the quarantine");
	bool restored = removal->state == REMOVAL_RESTORED;
	if (restored)
		drop_json(restoring);
	return error_set(restoring->err, ENOENT, "%lld %s: %s", (long long)removal->id,
			 restored ? "was restored already"
				  : "is not in the quarantine any more, somebody took it away",
			 removal->place);
}

/* Looks whether it can be done, before anything is said. */
static int prepare(struct restoring *restoring, const struct config *config)
{
	const struct removal *removal = &restoring->task->removal;
	const char *slash = removal->place ? strrchr(removal->place, '/') : NULL;
	if (!slash)
		return error_set(restoring->err, EBADMSG,
				 "%lld: the history names no place in a quarantine",
				 (long long)removal->id);
	AUTO_FREE char *directory = xmemdup(removal->place, (size_t)(slash - removal->place));
	restoring->name = slash + 1;
	int result = vault_visit(&restoring->vault, directory, restoring->err);
	if (result == 0)
		result = find_kept(restoring);
	if (result == 0)
		result = origin_read(restoring->vault, restoring->name, &restoring->origin,
				     restoring->err);
	if (result < 0)
		return result;
	result = site_open(&restoring->site, config, restoring->task->version);
	if (result == -ENOKEY)
		return error_set(
			restoring->err, ENOKEY,
			"it lies below no configured root: name its configuration (-c FILE), or "
			"export it instead: %s",
			restoring->task->version->path);
	if (result < 0)
		return fail(restoring, -result,
			    "its directory cannot be opened: make it, or export the file");
	struct statx st;
	result = site_stat(&restoring->site, &st);
	if (result == 0)
		return fail(restoring, EEXIST, "it is not put back over another");
	return result == -ENOENT ? 0 : fail(restoring, -result, "its place cannot be looked at");
}

static int restore(struct restoring *restoring, const struct config *config)
{
	int64_t id = restoring->task->removal.id;
	int result = prepare(restoring, config);
	bool said = restoring->task->removal.state == REMOVAL_RESTORED;
	if (result == 0 && !said)
		result = store_restore(restoring->history, id, restoring->err);
	if (result < 0)
		return result;
	result = put(restoring);
	struct error why = { 0 };
	if (result < 0 && store_restore_undo(restoring->history, id, &why) < 0)
		(void)error_prefix(restoring->err,
				   "the history says restored until that is done again (%s)",
				   why.text);
	return result;
}

int restore_file(const struct config *config, const struct removal_task *task, bool *owner,
		 struct error *err)
{
	if (!task->version)
		return error_set(err, ENOENT,
				 "%lld: the history does not know the file any more: export it",
				 (long long)task->removal.id);
	struct restoring restoring = {
		.history = config->history, .task = task, .site.dir = -1, .err = err
	};
	int result = restore(&restoring, config);
	*owner = restoring.owner;
	vault_free(restoring.vault);
	site_done(&restoring.site);
	return result;
}
