/* roots: see roots.h. */
#include "core/app/roots.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "core/base/beneath.h"
#include "core/base/error.h"
#include "core/base/identity.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/entry/scheme.h"

struct root {
	char *path;	/* as written */
	char *absolute; /* free of symlinks, or "" */
	size_t prefix;	/* length of path and the slash behind it */
	struct scheme_set *schemes;
	int64_t settle_ms;
	enum lease_sight sight;
	bool resolved; /* absolute holds, as far as is known */
};

struct roots {
	struct root *roots; /* the configured ones, then "/" and "." */
	size_t count;	    /* all of them */
};

#define UNWATCHED_ROOTS	  2
#define DEFAULT_SETTLE_MS 2000

static int root_init(struct root *root, const char *path, const char *producer, struct error *err)
{
	size_t len = strlen(path);
	root->path = xstrdup(path);
	root->absolute = xstrdup("");
	root->prefix = len > 0 && path[len - 1] == '/' ? len : len + 1;
	root->settle_ms = DEFAULT_SETTLE_MS;
	return scheme_set_new(&root->schemes, producer, err);
}

int roots_new(struct roots **out, const struct config *config, struct error *err)
{
	struct roots *roots = xcalloc(1, sizeof *roots);
	roots->count = config->root_count + UNWATCHED_ROOTS;
	roots->roots = xcalloc(roots->count, sizeof *roots->roots);
	int result = 0;
	for (size_t i = 0; i < config->root_count && result == 0; i++) {
		const struct config_root *row = &config->roots[i];
		result = root_init(&roots->roots[i], row->path, row->producer, err);
		roots->roots[i].settle_ms = row->settle_ms;
	}
	if (result == 0)
		result = root_init(&roots->roots[config->root_count], "/", "auto", err);
	if (result == 0)
		result = root_init(&roots->roots[config->root_count + 1], ".", "auto", err);
	if (result < 0) {
		roots_free(roots);
		return result;
	}
	roots->roots[config->root_count + 1].prefix = 0; /* relative paths carry no "./" */
	*out = roots;
	return 0;
}

void roots_free(struct roots *roots)
{
	if (!roots)
		return;
	for (size_t i = 0; i < roots->count; i++) {
		struct root *root = &roots->roots[i];
		scheme_set_free(root->schemes);
		free(root->path);
		free(root->absolute);
	}
	free(roots->roots);
	free(roots);
}

uint32_t roots_of_path(const struct roots *roots, const char *path, size_t len)
{
	size_t configured = roots->count - UNWATCHED_ROOTS;
	for (size_t i = 0; i < configured; i++) {
		const struct root *root = &roots->roots[i];
		size_t root_len = strlen(root->path);
		if (len > root->prefix && memcmp(path, root->path, root_len) == 0 &&
		    path[root->prefix - 1] == '/')
			return (uint32_t)i;
	}
	return (uint32_t)(len > 0 && path[0] == '/' ? configured : configured + 1);
}

static struct root *at(const struct roots *roots, uint32_t root)
{
	assert(root < roots->count);
	return &roots->roots[root];
}

size_t roots_prefix(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->prefix;
}

struct scheme_set *roots_schemes(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->schemes;
}

int64_t roots_settle_ms(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->settle_ms;
}

enum lease_sight roots_sight(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->sight;
}

void roots_note_sight(struct roots *roots, uint32_t root, enum lease_sight sight)
{
	at(roots, root)->sight = sight;
}

const char *roots_path(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->path;
}

const char *roots_absolute(struct roots *roots, uint32_t index)
{
	struct root *root = at(roots, index);
	if (!root->resolved) {
		char *absolute = realpath(root->path, NULL);
		free(root->absolute);
		root->absolute = absolute ? absolute : xstrdup(root->path);
		root->resolved = absolute != NULL;
	}
	return root->absolute;
}

size_t roots_count(const struct roots *roots)
{
	return roots->count - UNWATCHED_ROOTS;
}

void roots_invalidate(struct roots *roots, uint32_t index)
{
	at(roots, index)->resolved = false;
}

int roots_open(const struct roots *roots, uint32_t index, const char *path, int flags)
{
	const struct root *root = at(roots, index);
	AUTO_CLOSE int dir = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_is_ours(errno)
			       ? -errno
			       : -ENOENT; /* a root that is not to be had has no file */
	return beneath_open(dir, path + root->prefix, flags);
}

int roots_stat(struct roots *roots, uint32_t index, const char *path, struct statx *out)
{
	const unsigned want = STATX_BASIC_STATS | STATX_BTIME;
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, want, out) == 0)
		return 0;
	if (errno != ENAMETOOLONG)
		return -errno;
	AUTO_CLOSE int fd = roots_open(roots, index, path, O_PATH);
	if (fd < 0)
		return fd;
	return statx(fd, "", AT_EMPTY_PATH, want, out) == 0 ? 0 : -errno;
}

static int open_directory(const struct roots *roots, uint32_t index, const char *path,
			  size_t dir_len)
{
	AUTO_FREE char *dir = dir_len > 0 ? xmemdup(path, dir_len) : xstrdup("/");
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENAMETOOLONG ? roots_open(roots, index, dir, O_PATH) : -errno;
}

int roots_fsid(struct roots *roots, uint32_t index, const char *path, size_t dir_len, uint64_t *out)
{
	AUTO_CLOSE int fd = open_directory(roots, index, path, dir_len);
	if (error_is_ours(-fd))
		return fd;
	*out = 0;
	if (fd >= 0)
		(void)identity_fsid(fd, out); /* 0 is what such a file system is known as */
	return 0;
}

bool roots_maps_silently(const struct roots *roots, uint32_t index, const char *path,
			 size_t dir_len)
{
	AUTO_CLOSE int fd = open_directory(roots, index, path, dir_len);
	struct statfs fs;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return false; /* it has gone, and is looked at where it is found again */
	return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ||
	       fs.f_type == OVERLAYFS_SUPER_MAGIC;
}
