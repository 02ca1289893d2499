/*
 * scratch_dir: see scratch_dir.h.
 *
 * Removing does not go down: what a directory holds is unlinked, and directories in it that are not
 * empty are moved up into the one that is to be removed, until there are none. So two descriptors
 * do, however deep the tree is.
 */
#include "core/detect/scratch_dir.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PRIVATE	       S_IRWXU
#define ATTEMPTS       100

char *scratch_dir_place(const char *history)
{
	if (!history)
		return NULL;
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s.scratch", history);
	return str_take(&path);
}

/* Nobody else may exchange what we make in it. */
static int check_place(const char *place, struct error *err)
{
	struct stat st;
	if (mkdir(place, PRIVATE) < 0 && errno != EEXIST)
		return error_set(err, errno, "scratch directory %s: %s", place, error_text(errno));
	if (lstat(place, &st) < 0)
		return error_set(err, errno, "scratch directory %s: %s", place, error_text(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IRWXG | S_IRWXO))
		return error_set(err, EPERM,
				 "scratch directory %s: it must be a directory of this user with "
				 "mode 0700; remove it and it is made anew",
				 place);
	return 0;
}

static int make_below(const char *place, char **out, struct error *err)
{
	AUTO_FREE char *absolute = realpath(place, NULL);
	if (!absolute)
		return error_set(err, errno, "scratch directory %s: %s", place, error_text(errno));
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/XXXXXX", absolute);
	if (!mkdtemp(path.data))
		return error_set(err, errno, "scratch directory below %s: %s", place,
				 error_text(errno));
	*out = str_take(&path);
	return 0;
}

/* Its name is not foreseen by who else writes there. */
static int make_temporary(char **out, struct error *err)
{
	const char *above = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	if (!above || *above != '/')
		above = "/tmp";
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/carved-scratch-XXXXXX", above);
	if (!mkdtemp(path.data))
		return error_set(err, errno, "scratch directory in %s (%s): set TMPDIR", above,
				 error_text(errno));
	AUTO_FREE char *absolute = realpath(path.data, NULL);
	*out = absolute ? TAKE(absolute) : str_take(&path);
	return 0;
}

int scratch_dir_make(const char *place, char **out, struct error *err)
{
	if (!place)
		return make_temporary(out, err);
	int result = -ENOENT;
	/* another scan that leaves may take the empty place away between two steps */
	for (int i = 0; i < ATTEMPTS && result == -ENOENT; i++) {
		result = check_place(place, err);
		if (result == 0)
			result = make_below(place, out, err);
	}
	/* the history's disk may be full, and wait for answers to make room */
	if (result == -ENOSPC || result == -EDQUOT) {
		struct error other = { 0 };
		if (make_temporary(out, &other) == 0)
			result = 0;
	}
	return result;
}

void scratch_dir_leave(const char *place)
{
	if (place)
		(void)rmdir(place);
}

/* Moves the directory name of from up into top under a name that is not in use. */
static int move_up(int top, int from, const char *name)
{
	static _Atomic unsigned long counter;
	char fresh[32];
	int result;
	do {
		(void)snprintf(fresh, sizeof fresh, ".%lu", counter++);
		result = renameat2(from, name, top, fresh, RENAME_NOREPLACE);
		if (result < 0 && errno == EINVAL) /* a file system without such a rename */
			result = renameat(from, name, top, fresh);
	} while (result < 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
	return result < 0 ? -errno : 0;
}

/* The next entry but "." and ".."; NULL: there are no more. */
static struct dirent *next(DIR *dir)
{
	struct dirent *entry;
	do			      /* a stream of our own */
		entry = readdir(dir); // NOLINT(concurrency-mt-unsafe)
	while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

/* What it could not change shows when the directory is opened or removed. */
static void open_up(int at, const char *name)
{
	int changed = fchmodat(at, name, PRIVATE, AT_SYMLINK_NOFOLLOW);
	(void)changed;
}

/* Opens the directory name of at, whatever its mode was made to be. */
static int open_within(int at, const char *name)
{
	open_up(at, name);
	int fd = openat(at, name, OPEN_DIRECTORY);
	return fd < 0 ? -errno : fd;
}

/* Removes what is not a directory and what is an empty one; 1: it is a directory with something in
 * it. */
static int remove_entry(int at, const char *name)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -errno;
}

/* Empties fd (taken): what cannot be removed at once goes up into top. */
static int empty_into(int top, int fd)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int code = errno;
		fd_close(fd);
		return -code;
	}
	int result = 0;
	for (struct dirent *entry = next(dir); entry && result == 0; entry = next(dir)) {
		result = remove_entry(dirfd(dir), entry->d_name);
		if (result == 1) {
			open_up(dirfd(dir), entry->d_name);
			result = move_up(top, dirfd(dir), entry->d_name);
		}
	}
	(void)closedir(dir);
	return result;
}

/* One turn over what lies in top; *out_left tells whether something is left. */
static int turn(int top, bool *out_left)
{
	int copy = openat(top, ".", OPEN_DIRECTORY);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir)
		return -errno;
	int result = 0;
	for (struct dirent *entry = next(dir); entry && result >= 0; entry = next(dir)) {
		result = remove_entry(top, entry->d_name);
		if (result != 1)
			continue;
		*out_left = true;
		int fd = open_within(top, entry->d_name);
		result = fd < 0 ? fd : empty_into(top, fd);
		if (result == 0)
			result = remove_entry(top, entry->d_name);
	}
	(void)closedir(dir);
	return result < 0 ? result : 0;
}

static int remove_below(int top)
{
	bool left = true;
	int result = 0;
	while (left && result == 0) {
		left = false;
		result = turn(top, &left);
	}
	return result;
}

int scratch_dir_remove(const char *path, struct error *err)
{
	if (rmdir(path) == 0) /* an empty one may be another user's */
		return 0;
	AUTO_CLOSE int top = open_within(AT_FDCWD, path);
	int result = top;
	if (top == -ENOENT)
		return 0;
	if (top >= 0)
		result = remove_below(top);
	if (result == 0 && rmdir(path) < 0 && errno != ENOENT)
		result = -errno;
	if (result < 0)
		return error_set(err, -result, "scratch directory %s cannot be removed: %s", path,
				 error_text(-result));
	return 0;
}
