/* site: see site.h. */
#include "core/dispose/site.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/beneath.h"
#include "core/base/error.h"
#include "core/base/identity.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/store/version.h"

/* The length of the root's path with the slash behind it. */
static size_t prefix_of(const char *root)
{
	size_t len = strlen(root);
	return len > 0 && root[len - 1] == '/' ? len : len + 1;
}

bool site_below(const char *root, const char *path, size_t len)
{
	size_t prefix = prefix_of(root);
	return len > prefix && memcmp(path, root, strlen(root)) == 0 && path[prefix - 1] == '/';
}

size_t site_root(const struct config *config, const char *path, size_t len)
{
	size_t i = 0;
	while (i < config->root_count && !site_below(config->roots[i].path, path, len))
		i++;
	return i;
}

int site_open(struct site *out, const struct config *config, const struct version *version)
{
	*out = (struct site){ .dir = -1 };
	size_t root = site_root(config, version->path, version->path_len);
	if (root == config->root_count)
		return -ENOKEY;
	const char *path = config->roots[root].path;
	AUTO_CLOSE int top = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	(void)identity_fsid(top, &out->fsid);
	size_t prefix = prefix_of(path);
	size_t len = version->dir_len > prefix ? version->dir_len - prefix : 0;
	AUTO_STR below = STR_INIT;
	str_append(&below, version->path + prefix, len);
	str_puts(&below, len ? "/." : "."); /* so that a link at its end is told as one */
	int dir = beneath_open(top, str_text(&below), O_PATH | O_DIRECTORY);
	if (dir < 0)
		return dir;
	out->dir = dir;
	(void)identity_fsid(dir, &out->fsid);
	out->name = version->path + version->dir_len + 1;
	return 0;
}

void site_done(struct site *site)
{
	if (site->dir >= 0)
		fd_close(site->dir);
	site->dir = -1;
}

int site_open_file(const struct site *site, bool *unread)
{
	int fd = beneath_open(site->dir, site->name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	*unread = fd == -EACCES;
	return *unread ? beneath_open(site->dir, site->name, O_PATH) : fd;
}

int site_stat(const struct site *site, struct statx *out)
{
	const unsigned want = STATX_BASIC_STATS | STATX_BTIME;
	return statx(site->dir, site->name, AT_SYMLINK_NOFOLLOW, want, out) < 0 ? -errno : 0;
}

int site_keep(const struct site *site, int fd)
{
	AUTO_CLOSE int dir = beneath_open(site->dir, ".", O_RDONLY | O_DIRECTORY);
	int result = dir < 0 ? dir : 0;
	if (result == 0 && fsync(dir) < 0 && errno != EINVAL) /* some cannot be */
		result = -errno;
	if (result == -EACCES) /* it may be written to and not be read */
		result = syncfs(fd) < 0 ? -errno : 0;
	return result;
}

static void sync_all(struct site_dirs *dirs)
{
	while (dirs->count > 0) {
		int fd = dirs->fds[--dirs->count];
		if (fsync(fd) < 0 && errno != EINVAL) /* some cannot be */
			dirs->failed = -errno;
		fd_close(fd);
	}
}

int site_sync(struct site_dirs *dirs, int quarantine, struct error *err)
{
	sync_all(dirs);
	if (fsync(quarantine) < 0 && errno != EINVAL)
		dirs->failed = -errno;
	int failed = dirs->failed;
	dirs->failed = 0;
	if (failed == 0)
		return 0;
	return error_set(err, -failed,
			 "what was removed may be there again after a power cut: its directory "
			 "cannot be synced: %s",
			 error_text(-failed));
}

void site_removed(const struct site *site, struct site_dirs *dirs)
{
	struct stat st;
	int fd = beneath_open(site->dir, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int code = fd < 0 ? -fd : errno;
		if (code != EACCES)
			dirs->failed = -code;
		if (fd >= 0)
			fd_close(fd);
		return;
	}
	for (size_t i = 0; i < dirs->count; i++) {
		if (dirs->st[i].st_ino == st.st_ino && dirs->st[i].st_dev == st.st_dev) {
			fd_close(fd);
			return;
		}
	}
	if (dirs->count == SITE_DIRS)
		sync_all(dirs);
	dirs->st[dirs->count] = st;
	dirs->fds[dirs->count++] = fd;
}
