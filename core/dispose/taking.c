/*
 * taking: see taking.h.
 *
 * The content is judged by the history's row: size and modification time, and the change time,
 * which nobody can set. Where that is not plainly before the look (a file that is fresh, or was
 * renamed, linked, or chmoded since) the content is hashed again. Versions that were never looked
 * at (oversize, unmatched, shed) are known by size and time alone.
 */
#include "core/dispose/taking.h"

#include <linux/fs.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/detect/hasher.h"
#include "core/dispose/quarantine.h"
#include "core/dispose/remove.h"
#include "core/store/version.h"

/* A root that is out of the configuration, and a file system that is not mounted, are waited for:
 * some hours, with the pauses between tries. */
#define ABSENT_TRIES 20

void taking_done(struct taking *taking)
{
	if (taking->fd >= 0)
		fd_close(taking->fd);
	taking->fd = -1;
	site_done(&taking->site);
}

enum taking_step taking_end(struct taking *taking, enum removal_state state, const char *note)
{
	struct removal *removal = &taking->task->removal;
	removal->state = state;
	removal->ended_ns = clock_wall_ns();
	removal->due_ns = 0;
	free(removal->note);
	removal->note = xstrdup(note);
	return TAKING_ENDED;
}

static const char *advice(int code)
{
	switch (code) {
	case EACCES:
	case EPERM:
		return ": carved's user must be able to write to the directory (owner, mode, "
		       "sticky bit, chattr; ReadWritePaths= of the service)";
	case EROFS:
		return ": mount it read-write (for the service: ReadWritePaths=)";
	case ENOSPC:
	case EDQUOT:
		return ": make room in the quarantine";
	default:
		return "";
	}
}

enum taking_step taking_later(struct taking *taking, int code, const char *doing)
{
	/* the path is cut short rather than the words */
	(void)error_set(taking->err, code, "%s: %s%s: %s", doing, error_text(code), advice(code),
			taking->task->version->path);
	return TAKING_LATER;
}

enum taking_step taking_wait(struct taking *taking, const char *words)
{
	(void)error_set(taking->err, 0, "%s", words);
	return TAKING_LATER;
}

static bool is_of_version(const struct taking *taking)
{
	return identity_same_file(&taking->identity, &taking->task->version->identity);
}

/* Who took it away is not known where we were cut short between doing so and saying so. */
static enum taking_step gone(struct taking *taking)
{
	bool earlier = taking->task->removal.intended_ns < taking->ground->started_ns;
	return taking_end(taking, REMOVAL_GONE,
			  earlier ? "it was intended before the last start, and may be done since"
				  : NULL);
}

/* Nothing stands there. A file system that is not mounted, or a root that is missing, looks the
 * same. */
static enum taking_step absent(struct taking *taking)
{
	if (taking->site.fsid == taking->task->version->identity.fsid ||
	    taking->task->removal.tries >= ABSENT_TRIES)
		return gone(taking);
	return taking_later(taking, ENOENT, "its file system is not mounted there");
}

/* A reload that brings its root back has it tried at once. */
static enum taking_step rootless(struct taking *taking)
{
	static const char words[] = "it lies below no configured root";
	return taking->task->removal.tries < ABSENT_TRIES ? taking_wait(taking, words)
							  : taking_end(taking, REMOVAL_LEFT, words);
}

static enum taking_step not_found(struct taking *taking, int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return absent(taking);
	case ENOKEY:
		return rootless(taking);
	case ELOOP:
	case EXDEV:
		return taking_end(taking, REMOVAL_REPLACED, "a link stands there, or on the way");
	case ENXIO:
		return taking_end(taking, REMOVAL_REPLACED, "it is no regular file");
	case EAGAIN:
		return taking_wait(taking, TAKING_WRITTEN_TO);
	default:
		return taking_later(taking, code, "it cannot be opened to be removed");
	}
}

/* Looks at the open file. */
static int look(struct taking *taking, struct statx *st, struct identity *identity)
{
	uint64_t fsid = 0;
	const unsigned want = STATX_BASIC_STATS | STATX_BTIME;
	int result = identity_fsid(taking->fd, &fsid);
	if (result == 0 && statx(taking->fd, "", AT_EMPTY_PATH, want, st) < 0)
		result = -errno;
	if (result == 0)
		*identity = identity_of(st, fsid);
	return result;
}

/* What an earlier try took and could not deal with any more. 0, with fd -1 where it is no file that
 * can be opened; -ENOENT: there is none; else -errno: nobody knows, or it lies there. */
static int find_taken(struct taking *taking)
{
	int vault = taking->ground->vault->fd;
	taking->fd = openat(vault, taking->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	taking->unread = taking->fd < 0 && errno == EACCES;
	if (taking->unread)
		taking->fd = openat(vault, taking->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int result = taking->fd < 0 ? -errno : 0;
	if (result == -ELOOP || result == -ENXIO)
		result = 0; /* a link, a socket */
	taking->taken = result == 0;
	taking->resumed = taking->taken;
	return result;
}

enum taking_step taking_find(struct taking *taking)
{
	vault_taken(taking->name, &taking->task->removal);
	int result = site_open(&taking->site, taking->ground->config, taking->task->version);
	int taken = find_taken(taking);
	if (taken < 0 && taken != -ENOENT)
		return taking_later(taking, -taken, "what was taken from there cannot be opened");
	if (taken == -ENOENT) {
		if (result < 0)
			return not_found(taking, -result);
		taking->fd = site_open_file(&taking->site, &taking->unread);
		if (taking->fd < 0)
			return not_found(taking, -taking->fd);
	}
	if (taking->fd < 0) {
		(void)taking_end(taking, REMOVAL_REPLACED, "it was no regular file");
		return taking_put_back(taking, TAKING_ENDED);
	}
	result = look(taking, &taking->st, &taking->identity);
	if (result < 0)
		return taking_later(taking, -result, "it cannot be looked at");
	if (S_ISREG(taking->st.stx_mode) && is_of_version(taking))
		return TAKING_ON;
	(void)taking_end(taking, REMOVAL_REPLACED, "another file stands there");
	return taking_put_back(taking, TAKING_ENDED);
}

static int rename_over_nothing(int from, const char *name, int to, const char *new_name)
{
	long result = syscall(SYS_renameat2, from, name, to, new_name, RENAME_NOREPLACE);
	return result < 0 ? -errno : 0;
}

/* Another file has got the name meanwhile: what was taken gets one behind it, rather than none. */
static int put_beside(struct taking *taking)
{
	char name[NAME_MAX + 1];
	char end[48];
	int len = snprintf(end, sizeof end, ".put-back-%lld", (long long)taking->task->removal.id);
	(void)snprintf(name, sizeof name, "%.*s%s", NAME_MAX - len, taking->site.name, end);
	return rename_over_nothing(taking->ground->vault->fd, taking->name, taking->site.dir, name);
}

enum taking_step taking_put_back(struct taking *taking, enum taking_step step)
{
	if (!taking->taken)
		return step;
	int result = taking->resumed ? quarantine_unseal(taking) : 0;
	if (result == 0 && taking->site.dir < 0)
		result = -ENOENT;
	if (result == 0)
		result = rename_over_nothing(taking->ground->vault->fd, taking->name,
					     taking->site.dir, taking->site.name);
	if (result == -EEXIST)
		result = put_beside(taking);
	if (result == 0) {
		taking->taken = false;
		return step;
	}
	taking->task->removal.state = REMOVAL_INTENDED;
	taking->task->removal.ended_ns = 0;
	return taking_later(taking, -result, "what was taken from there cannot be put back");
}

/* Is it the file that was opened that lies in the vault now? */
static bool took_it(const struct taking *taking)
{
	struct statx st;
	const unsigned want = STATX_BASIC_STATS | STATX_BTIME;
	if (statx(taking->ground->vault->fd, taking->name, AT_SYMLINK_NOFOLLOW, want, &st) < 0)
		return false;
	struct identity now = identity_of(&st, taking->identity.fsid);
	return identity_same_file(&now, &taking->identity) && S_ISREG(st.stx_mode);
}

/* The file, or the directory that it was to be taken to. */
static enum taking_step vanished(struct taking *taking)
{
	struct statx st;
	if (site_stat(&taking->site, &st) == 0)
		return taking_later(taking, ENOENT, "the quarantine was removed meanwhile");
	return absent(taking);
}

enum taking_step taking_take(struct taking *taking)
{
	if (taking->taken)
		return TAKING_ON;
	int result = rename_over_nothing(taking->site.dir, taking->site.name,
					 taking->ground->vault->fd, taking->name);
	if (result == -EXDEV || result == -EINVAL) /* NFS and others have no such rename */
		return TAKING_ON;
	if (result == -ENOENT)
		return vanished(taking);
	if (result < 0)
		return taking_later(taking, -result, "it cannot be taken away");
	taking->taken = true;
	if (took_it(taking))
		return TAKING_ON;
	(void)taking_end(taking, REMOVAL_REPLACED, "another file stood there");
	return taking_put_back(taking, TAKING_ENDED);
}

/* Was it looked at, so that there is a content that was judged? */
static bool was_judged(const struct taking *taking)
{
	return taking->task->version->state == VERSION_DONE &&
	       taking->task->removal.cause != CAUSE_SHED;
}

/* Two changes within a tick of the clock look like one; seconds are ticks where times have no
 * fractions. */
static int64_t slack_of(int64_t ctime_ns)
{
	return ctime_ns % CLOCK_NS_PER_S == 0 ? 2 * CLOCK_NS_PER_S : 2 * clock_tick_ns();
}

/* Without a hash that would be all that is known of a fresh file: then the look for writers has to
 * do. */
static bool is_in_doubt(const struct taking *taking, int64_t ctime_ns)
{
	const struct version *version = taking->task->version;
	if (!version->has_sha256 && taking->resumed)
		return false; /* it was not, before it was taken, which set the change time */
	int64_t slack_ns = version->has_sha256 ? slack_of(ctime_ns) : 0;
	return version->checked_ns > clock_wall_ns() || ctime_ns + slack_ns > version->checked_ns;
}

/* Taking it set its change time. The one before it counts when nobody has written to it since; and
 * where nobody could tell, when there is nothing else to go by. */
static int64_t change_time(const struct taking *taking, const struct identity *now)
{
	bool before = taking->steady || !taking->task->version->has_sha256;
	return before && taking->taken ? taking->identity.ctime_ns : now->ctime_ns;
}

/* 0: it has; 1: another; -errno. */
static int compare_hash(const struct taking *taking)
{
	struct hashes hashes = { .have = HASH_BIT(HASH_SHA256) };
	const struct version *version = taking->task->version;
	int result = hasher_fd(taking->ground->hasher, taking->fd, version->identity.size, &hashes,
			       NULL);
	if (result == -EFBIG)
		return 1;
	if (result < 0)
		return result;
	return memcmp(hashes.sum[HASH_SHA256], version->sha256, sizeof version->sha256) != 0;
}

static enum taking_step is_other(struct taking *taking, const char *note)
{
	(void)taking_end(taking, REMOVAL_REPLACED, note);
	return taking_put_back(taking, TAKING_ENDED);
}

static enum taking_step judge_content(struct taking *taking, const struct identity *now)
{
	const struct version *version = taking->task->version;
	bool same_version = identity_same_version(now, &version->identity);
	if (!was_judged(taking))
		return same_version ? TAKING_ON : is_other(taking, "it has changed");
	if (same_version && !is_in_doubt(taking, change_time(taking, now)))
		return TAKING_ON;
	if (!version->has_sha256)
		return is_other(taking, "it was changed, or renamed, since it was looked at, and "
					"there is no hash to tell");
	if (taking->unread)
		return taking_put_back(
			taking, taking_later(taking, EACCES, "it cannot be read to compare it"));
	int result = compare_hash(taking);
	if (result < 0)
		return taking_put_back(
			taking, taking_later(taking, -result, "it cannot be read to compare it"));
	return result == 0 ? TAKING_ON : is_other(taking, "it has another content");
}

/* Gives up the lease, and looks who writes. */
static bool is_written_to(struct taking *taking)
{
	if (taking->unread)
		return false;
	taking->steady = taking->held && taking->ground->drop(taking->fd);
	bool came = taking->held && !taking->steady;
	taking->held = false;
	return taking->ground->has_writer(taking->fd) || came;
}

static enum taking_step unlooked(struct taking *taking, int code)
{
	return taking_put_back(taking, taking_later(taking, code, "it cannot be looked at"));
}

enum taking_step taking_look(struct taking *taking)
{
	if (is_written_to(taking))
		return taking_wait(taking, TAKING_WRITTEN_TO);
	taking->held = !taking->unread && taking->ground->hold && taking->ground->hold(taking->fd);
	int result = look(taking, &taking->st, &taking->identity);
	if (result < 0)
		return unlooked(taking, -result);
	if (identity_same_version(&taking->identity, &taking->task->version->identity))
		return TAKING_ON;
	if (taking->held)
		(void)taking->ground->drop(taking->fd); /* reading it may take a while */
	taking->held = false;
	return judge_content(taking, &taking->identity);
}

enum taking_step taking_judge(struct taking *taking)
{
	struct statx st;
	struct identity now = { 0 };
	if (is_written_to(taking))
		return taking_put_back(taking, taking_wait(taking, TAKING_WRITTEN_TO));
	int result = look(taking, &st, &now);
	return result < 0 ? unlooked(taking, -result) : judge_content(taking, &now);
}

/* Could it have been changed since it was looked at, and its change time be the same? */
static bool is_fresh(int64_t ctime_ns)
{
	int64_t age_ns = clock_wall_ns() - ctime_ns;
	return age_ns < slack_of(ctime_ns) && age_ns > -slack_of(ctime_ns);
}

/* Where it could not be taken away first, what stands there is looked at once more: between that
 * look and the removal no more than two system calls can be exchanged. */
static int unlink_in_place(const struct taking *taking)
{
	struct statx st;
	int result = site_stat(&taking->site, &st);
	if (result < 0)
		return result;
	struct identity now = identity_of(&st, taking->identity.fsid);
	if (!identity_same_file(&now, &taking->identity) || !S_ISREG(st.stx_mode))
		return -ESTALE;
	if (!identity_same_version(&now, &taking->identity) ||
	    now.ctime_ns != taking->identity.ctime_ns || is_fresh(now.ctime_ns))
		return -EAGAIN; /* it is judged anew */
	return unlinkat(taking->site.dir, taking->site.name, 0) < 0 ? -errno : 0;
}

enum taking_step taking_unlink(struct taking *taking)
{
	if (taking->taken) {
		if (unlinkat(taking->ground->vault->fd, taking->name, 0) == 0)
			return TAKING_ON;
		return taking_later(taking, errno, "it cannot be removed");
	}
	int result = unlink_in_place(taking);
	switch (result) {
	case 0:
		if (taking->ground->dirs)
			site_removed(&taking->site, taking->ground->dirs);
		return TAKING_ON;
	case -ENOENT:
		return gone(taking);
	case -EAGAIN:
		return taking_wait(taking, "it has changed just now");
	case -ESTALE:
		return taking_end(taking, REMOVAL_REPLACED, "another file stood there");
	default:
		return taking_later(taking, -result, "it cannot be removed");
	}
}
