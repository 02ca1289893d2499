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
	vault_kept(out, taking->task->removal.id, taking->task->version);
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
	kept_name(taking, kept);
	(void)fchmodat(taking->ground->vault->fd, kept, 0, 0); /* of a copy it is that already */
	str_printf(&place, "%s/%s", taking->ground->vault->path, kept);
	free(removal->place);
	removal->place = str_take(&place);
	return taking_end(taking, REMOVAL_QUARANTINED, NULL);
}

void quarantine_forget(const struct taking *taking)
{
	char kept[VAULT_NAME];
	char name[ORIGIN_NAME];
	kept_name(taking, kept);
	origin_name(name, kept);
	(void)unlinkat(taking->ground->vault->fd, name, 0); /* mostly there is none */
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
	vault_copy(name, taking->task->removal.id);
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

/* The file itself, as it was taken. 1: that is not to be. Its mode goes last, as we may have to
 * read it again; whether it is ours to change is found out by setting what it is. */
static int keep_inode(struct taking *taking, const char *kept)
{
	int vault = taking->ground->vault->fd;
	if (!taking->taken || taking->st.stx_nlink != 1)
		return 1;
	if (fchmodat(vault, taking->name, taking->st.stx_mode & 07777, 0) < 0)
		return errno == EPERM ? 1 : -errno;
	return renameat(vault, taking->name, vault, kept) < 0 ? -errno : 0;
}

/* Its name goes once the copy is on the disk. */
static enum taking_step keep_copy(struct taking *taking, const char *kept)
{
	int result = quarantine_has(taking) ? 0 : copy(taking, kept);
	if (result == -ESTALE) {
		(void)taking_end(taking, REMOVAL_REPLACED, "it was written to meanwhile");
		return taking_put_back(taking, TAKING_ENDED);
	}
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
	if (result < 0)
		return taking_later(taking, -result, "it cannot be kept in the quarantine");
	return result == 0 ? TAKING_ON : keep_copy(taking, kept);
}
