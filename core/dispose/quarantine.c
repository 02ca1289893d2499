/* quarantine: see quarantine.h. */
#include "core/dispose/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/detect/hasher.h"
#include "core/dispose/copy.h"
#include "core/dispose/origin.h"
#include "core/dispose/remove.h"
#include "core/store/version.h"

static void kept_name(const struct taking *taking, char *out)
{
	vault_kept(out, &taking->task->removal, taking->task->version);
}

bool quarantine_has(const struct taking *taking)
{
	char kept[VAULT_NAME];
	struct stat st;
	kept_name(taking, kept);
	return fstatat(taking->ground->vault->fd, kept, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

enum taking_step quarantine_end(struct taking *taking)
{
	struct removal *removal = &taking->task->removal;
	char kept[VAULT_NAME];
	AUTO_STR place = STR_INIT;
	AUTO_STR note = STR_INIT;
	kept_name(taking, kept);
	/* of a copy it is that already; nobody else may look in there, so it is kept all the same
	 */
	if (fchmodat(taking->ground->vault->fd, kept, 0, 0) < 0)
		str_printf(&note, "its mode there could not be set: %s: chmod 000 it",
			   error_text(errno));
	str_printf(&place, "%s/%s", taking->ground->vault->path, kept);
	free(removal->place);
	removal->place = str_take(&place);
	return taking_end(taking, REMOVAL_QUARANTINED, note.len ? str_text(&note) : NULL);
}

/* Mostly there is nothing of it. */
void quarantine_forget(const struct taking *taking)
{
	const struct vault *vault = taking->ground->vault;
	const struct removal *removal = &taking->task->removal;
	char kept[VAULT_NAME];
	char begun[VAULT_NAME];
	kept_name(taking, kept);
	origin_forget(vault, kept, removal);
	vault_copy(begun, removal);
	(void)unlinkat(vault->fd, begun, 0); /* by a try that was cut short */
}

/* The copy must be what was judged, whoever wrote to the file meanwhile. */
static int verify(const struct taking *taking, int fd)
{
	const struct version *version = taking->task->version;
	struct hashes hashes = { .have = version->has_sha256 ? HASH_BIT(HASH_SHA256) : 0 };
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != version->identity.size)
		return -ESTALE;
	if (!hashes.have)
		return 0;
	int result = hasher_fd(taking->ground->hasher, fd, st.st_size, &hashes, NULL);
	if (result < 0)
		return result;
	bool same = memcmp(hashes.sum[HASH_SHA256], version->sha256, sizeof version->sha256) == 0;
	return same ? 0 : -ESTALE;
}

static int fill(const struct taking *taking, int fd)
{
	int result = copy_bytes(taking->fd, fd);
	if (result == 0)
		result = verify(taking, fd);
	if (result == 0 && (fsync(fd) < 0 || fchmod(fd, 0) < 0))
		result = -errno;
	return result;
}

static int copy(const struct taking *taking, const char *kept)
{
	char name[VAULT_NAME];
	int vault = taking->ground->vault->fd;
	vault_copy(name, &taking->task->removal);
	(void)unlinkat(vault, name, 0); /* of a try that was cut short */
	if (taking->unread)
		return -EACCES;
	AUTO_CLOSE int fd =
		openat(vault, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int result = fill(taking, fd);
	if (result == 0 && renameat(vault, name, vault, kept) < 0)
		result = -errno;
	if (result < 0)
		(void)unlinkat(vault, name, 0);
	return result;
}

/* Gives what was taken the owner and mode that it had; mostly it has them. The mode first, while it
 * is ours. */
static int unseal(const struct taking *taking, uid_t uid, mode_t mode)
{
	int vault = taking->ground->vault->fd;
	struct stat st;
	if (fstatat(vault, taking->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmodat(vault, taking->name, mode, 0) < 0)
		return -errno;
	if (st.st_uid == uid)
		return 0;
	if (fchownat(vault, taking->name, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* another owner takes these away; only who has CAP_FOWNER gives them back */
	bool special = (mode & (S_ISUID | S_ISGID)) != 0;
	return special && fchmodat(vault, taking->name, mode, 0) < 0 && errno != EPERM ? -errno : 0;
}

int quarantine_unseal(const struct taking *taking)
{
	char kept[VAULT_NAME];
	struct origin origin = { 0 };
	struct error err = { 0 };
	kept_name(taking, kept);
	if (!identity_same_file(&taking->identity, &taking->task->version->identity) ||
	    origin_read(taking->ground->vault, kept, &origin, &err) < 0)
		return 0; /* it never was */
	return unseal(taking, origin.uid, origin.mode);
}

/* After this nobody else can change it, nor its mode, nor give it a name by what he has open. 1:
 * it is not ours to do so. We may have to read it again: the rest of its mode goes last. */
static int seal(const struct taking *taking)
{
	int vault = taking->ground->vault->fd;
	const struct statx *st = &taking->st;
	bool chown = st->stx_uid != geteuid();
	if (chown && fchownat(vault, taking->name, geteuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == EPERM ? 1 : -errno;
	if (fchmodat(vault, taking->name, S_IRUSR, 0) == 0)
		return 0;
	int code = errno;
	(void)unseal(taking, st->stx_uid, st->stx_mode & 07777);
	return code == EPERM ? 1 : -code;
}

/* Before it was sealed its owner could have opened it by his other descriptors. 0; 1: it has
 * another name. */
static int look_at_sealed(const struct taking *taking)
{
	struct stat st;
	if (fstatat(taking->ground->vault->fd, taking->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_nlink != 1)
		return 1;
	if (taking->unread || taking->st.stx_uid == geteuid())
		return 0; /* then there is nobody else */
	return taking->ground->has_writer(taking->fd) ? -EAGAIN : verify(taking, taking->fd);
}

/* The file itself, as it was taken. 1: that is not to be. */
static int keep_inode(struct taking *taking, const char *kept)
{
	int vault = taking->ground->vault->fd;
	if (!taking->taken)
		return 1;
	int result = taking->st.stx_nlink == 1 ? seal(taking) : 1;
	if (result == 0) {
		result = look_at_sealed(taking);
		if (result == 0)
			return renameat(vault, taking->name, vault, kept) < 0 ? -errno : 0;
	}
	int undone = quarantine_unseal(taking);
	return undone < 0 ? undone : result;
}

static enum taking_step was_written(struct taking *taking)
{
	(void)taking_end(taking, REMOVAL_REPLACED, "it was written to meanwhile");
	return taking_put_back(taking, TAKING_ENDED);
}

/* Its name goes once the copy is on the disk. */
static enum taking_step keep_copy(struct taking *taking, const char *kept)
{
	int result = quarantine_has(taking) ? 0 : copy(taking, kept);
	if (result == -ESTALE)
		return was_written(taking);
	if (result == 0 && fsync(taking->ground->vault->fd) < 0)
		result = -errno;
	if (result < 0)
		return taking_later(taking, -result, "it cannot be copied to the quarantine");
	return taking_unlink(taking);
}

enum taking_step quarantine_keep(struct taking *taking)
{
	char kept[VAULT_NAME];
	kept_name(taking, kept);
	const struct origin origin = origin_of(&taking->st);
	int result = origin_write(taking->ground->vault, kept, &origin, &taking->task->removal,
				  taking->task->version);
	if (result < 0)
		return taking_later(taking, -result, "what is known of it cannot be written");
	result = keep_inode(taking, kept);
	if (result == -EAGAIN)
		return taking_put_back(taking, taking_wait(taking, TAKING_WRITTEN_TO));
	if (result == -ESTALE)
		return was_written(taking);
	if (result < 0)
		return taking_later(taking, -result, "it cannot be kept in the quarantine");
	return result == 0 ? TAKING_ON : keep_copy(taking, kept);
}
