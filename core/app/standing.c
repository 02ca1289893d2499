/*
 * standing: see standing.h.
 *
 * A volume is told by its file system's id, which stands with the directory in the history. The
 * nearest directory above the file that is there now lies on that file system, or on what is
 * beneath the place where it is mounted at other times, or on another volume. A tmpfs does not come
 * back once it was unmounted, so where one stands now, what was on another one is gone. So neither
 * a volume whose place is on a tmpfs, nor a bind mount of the same file system, is missed while it
 * is not mounted: no row says what its directory's inode or kind of file system was.
 *
 * Below no root nobody walks: there it is the path alone that counts. Who knows no root at all, as
 * the daemon was given them on its command line, say, cannot tell what lies below none.
 */
#include "core/app/standing.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/identity.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/dispose/site.h"
#include "core/store/old_reader.h"

struct standing {
	const struct config *config;
	struct str above;
	char *silent_root;
	char *silent_place;
	unsigned long long silent;
};

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct standing *standing_new(const struct config *config)
{
	struct standing *standing = xcalloc(1, sizeof *standing);
	standing->config = config;
	return standing;
}

void standing_free(struct standing *standing)
{
	if (!standing)
		return;
	str_done(&standing->above);
	free(standing->silent_root);
	free(standing->silent_place);
	free(standing);
}

static bool is_gone(int code)
{
	return code == ENOENT || code == ENOTDIR;
}

/* The nearest directory that is there, from the version's own on, and its file system. False when
 * it cannot be told. */
static bool find_above(struct str *above, const struct old_version *version, struct statfs *fs)
{
	str_reset(above);
	str_append(above, version->path, version->dir_len);
	while (above->len > 0) {
		if (statfs(str_text(above), fs) == 0)
			return true;
		if (!is_gone(errno))
			return false;
		while (above->len > 0 && above->data[above->len - 1] != '/')
			above->len--;
		if (above->len > 0)
			above->len--;
		if (above->len > 0)
			above->data[above->len] = '\0';
	}
	str_puts(above, "/");
	return statfs("/", fs) == 0;
}

static bool is_same_volume(const struct statfs *fs, uint64_t fsid)
{
	uint64_t now;
	memcpy(&now, &fs->f_fsid, sizeof now);
	return now == fsid || fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC;
}

static enum standing_is silent(struct standing *standing, char **slot, const char *path)
{
	standing->silent++;
	if (!*slot)
		*slot = xstrdup(path);
	return STANDING_UNKNOWN;
}

/* At its path there is no file, or another one. */
static enum standing_is look_around(struct standing *standing, const struct old_version *version)
{
	const struct config *config = standing->config;
	size_t root = site_root(config, version->path, strlen(version->path));
	struct statfs fs;
	bool below_none = root == config->root_count;
	if (below_none && config->root_count > 0)
		return STANDING_GONE;
	if (!below_none && !is_directory(config->roots[root].path))
		return silent(standing, &standing->silent_root, config->roots[root].path);
	if (!find_above(&standing->above, version, &fs))
		return STANDING_THERE;
	if (!is_same_volume(&fs, version->fsid))
		return silent(standing, &standing->silent_place, str_text(&standing->above));
	return STANDING_GONE;
}

enum standing_is standing_look(struct standing *standing, const struct old_version *version)
{
	struct statx st;
	if (statx(AT_FDCWD, version->path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return is_gone(errno) ? look_around(standing, version) : STANDING_THERE;
	struct identity now = identity_of(&st, version->fsid);
	bool same = now.inode == version->inode && now.btime_ns == version->btime_ns;
	return same || version->inode == 0 ? STANDING_THERE : look_around(standing, version);
}

struct standing_silent standing_silent(const struct standing *standing)
{
	return (struct standing_silent){
		.root = standing->silent_root,
		.place = standing->silent_place,
		.count = standing->silent,
	};
}
