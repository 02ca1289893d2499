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
#include "watcher/watcher.h"

struct root {
	char *path;	/* as written */
	char *absolute; /* free of symlinks, or "" */
	size_t prefix;	/* length of path and the slash behind it */
	struct scheme_set *schemes;
	char *producer; /* as configured last */
	enum config_mode mode;
	int64_t settle_ms;
	enum root_state state;
	enum lease_sight sight;
	bool resolved; /* absolute holds, as far as is known */
};

/* The two that are never watched stand behind all that can be. */
#define ROOT_SLASH  WATCHER_ROOTS_MOST
#define ROOT_DOT    (WATCHER_ROOTS_MOST + 1)
#define ROOT_PLACES (WATCHER_ROOTS_MOST + 2)

struct roots {
	/* one that is there stays there, with path and prefix as they are: for workers */
	struct root *places[ROOT_PLACES];
	uint32_t count; /* without the last two */
};

#define DEFAULT_SETTLE_MS 2000

static struct root *root_new(const char *path, struct scheme_set *schemes)
{
	struct root *root = xcalloc(1, sizeof *root);
	size_t len = strlen(path);
	root->path = xstrdup(path);
	root->absolute = xstrdup("");
	root->prefix = len > 0 && path[len - 1] == '/' ? len : len + 1;
	root->settle_ms = DEFAULT_SETTLE_MS;
	root->producer = xstrdup("auto");
	root->schemes = schemes;
	return root;
}

static struct root *at(const struct roots *roots, uint32_t root)
{
	assert(root < ROOT_PLACES && roots->places[root]);
	return roots->places[root];
}

static int put_unwatched(struct roots *roots, uint32_t place, const char *path, struct error *err)
{
	struct scheme_set *schemes = NULL;
	int result = scheme_set_new(&schemes, "auto", err);
	if (result == 0)
		roots->places[place] = root_new(path, schemes);
	return result;
}

static int put_configured(struct roots *roots, const struct config_root *row, struct error *err)
{
	struct scheme_set *schemes = NULL;
	int result = scheme_set_new(&schemes, row->producer, err);
	if (result == 0)
		roots_configure(roots, roots_add(roots, row->path, schemes), row, NULL);
	return result;
}

int roots_new(struct roots **out, const struct config *config, struct error *err)
{
	struct roots *roots = xcalloc(1, sizeof *roots);
	int result = put_unwatched(roots, ROOT_SLASH, "/", err);
	if (result == 0)
		result = put_unwatched(roots, ROOT_DOT, ".", err);
	for (size_t i = 0; i < config->root_count && result == 0; i++)
		result = put_configured(roots, &config->roots[i], err);
	if (result < 0) {
		roots_free(roots);
		return result;
	}
	roots->places[ROOT_DOT]->prefix = 0; /* relative paths carry no "./" */
	*out = roots;
	return 0;
}

void roots_free(struct roots *roots)
{
	if (!roots)
		return;
	for (size_t i = 0; i < ROOT_PLACES; i++) {
		struct root *root = roots->places[i];
		if (!root)
			continue;
		scheme_set_free(root->schemes);
		free(root->producer);
		free(root->path);
		free(root->absolute);
		free(root);
	}
	free(roots);
}

uint32_t roots_find(const struct roots *roots, const char *path)
{
	uint32_t i = 0;
	while (i < roots->count && strcmp(roots->places[i]->path, path) != 0)
		i++;
	return i;
}

uint32_t roots_add(struct roots *roots, const char *path, struct scheme_set *schemes)
{
	assert(roots->count < WATCHER_ROOTS_MOST);
	roots->places[roots->count] = root_new(path, schemes);
	return roots->count++;
}

uint32_t roots_of_path(const struct roots *roots, const char *path, size_t len)
{
	for (uint32_t i = 0; i < roots->count; i++) {
		const struct root *root = roots->places[i];
		size_t root_len = strlen(root->path);
		if (root->state != ROOT_GONE && len > root->prefix &&
		    memcmp(path, root->path, root_len) == 0 && path[root->prefix - 1] == '/')
			return i;
	}
	return len > 0 && path[0] == '/' ? ROOT_SLASH : ROOT_DOT;
}

size_t roots_prefix(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->prefix;
}

struct scheme_set *roots_schemes(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->schemes;
}

void roots_configure(struct roots *roots, uint32_t index, const struct config_root *row,
		     struct scheme_set *schemes)
{
	struct root *root = at(roots, index);
	if (schemes) {
		scheme_set_free(root->schemes);
		root->schemes = schemes;
	}
	free(root->producer);
	root->producer = xstrdup(row->producer);
	root->mode = row->mode;
	root->settle_ms = row->settle_ms;
}

const char *roots_producer(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->producer;
}

enum config_mode roots_mode(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->mode;
}

enum root_state roots_state(const struct roots *roots, uint32_t root)
{
	return at(roots, root)->state;
}

void roots_set_state(struct roots *roots, uint32_t root, enum root_state state)
{
	at(roots, root)->state = state;
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
	return roots->count;
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
