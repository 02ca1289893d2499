/*
 * walk: see walk.h. Depth first with an explicit stack, since somebody else decides how deep the
 * tree is. In each directory a subdirectory is sorted as if its name ended with a slash, as git
 * sorts its trees: then the order in which files are met is the bytewise order of their paths.
 */
#include "core/cli/walk.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/beneath.h"
#include "core/base/str.h"

struct entry {
	char *name; /* directories have a slash at the end */
	bool directory;
	struct identity identity;
};

/* A directory on the way down. */
struct frame {
	struct entry *entries;
	size_t count, next;
	size_t path_len; /* of this directory's path, trailing slash included */
};

struct walk {
	const struct walk_options *options;
	int root_fd;
	struct str path;
	struct frame *frames;
	size_t depth, room;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The mode of a name, of which only the type counts; asks the file system where the listing does
 * not say. */
static int mode_of(int fd, const struct dirent *found, mode_t *out)
{
	struct stat st;
	*out = (mode_t)DTTOIF(found->d_type);
	if (found->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(fd, found->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return -errno;
	*out = st.st_mode;
	return 0;
}

/* -ENOENT: it is gone, or no regular file any more. */
static int identify(int fd, const char *name, uint64_t fsid, struct identity *out)
{
	struct statx st;
	if (statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME,
		  &st) < 0)
		return -errno;
	if (!S_ISREG(st.stx_mode))
		return -ENOENT;
	*out = identity_of(&st, fsid);
	return 0;
}

/* What a name is; -ENOENT: nothing for us. Identities are asked for when there is an fsid. */
static int look_at(int fd, const struct dirent *found, const uint64_t *fsid, struct entry *out)
{
	mode_t mode = 0;
	int result = mode_of(fd, found, &mode);
	if (result < 0)
		return result;
	out->directory = S_ISDIR(mode);
	if (out->directory)
		return 0;
	if (!S_ISREG(mode))
		return -ENOENT;
	return fsid ? identify(fd, found->d_name, *fsid, &out->identity) : 0;
}

static void add_entry(struct frame *frame, size_t *room, const char *name, const struct entry *like)
{
	if (frame->count == *room) {
		*room = *room ? *room * 2 : 64;
		frame->entries = xrealloc(frame->entries, *room, sizeof *frame->entries);
	}
	AUTO_STR copy = STR_INIT;
	str_puts(&copy, name);
	if (like->directory)
		str_putc(&copy, '/');
	frame->entries[frame->count] = *like;
	frame->entries[frame->count++].name = str_take(&copy);
}

/* The next entry; NULL at the end, with errno 0, or at an error. */
static const struct dirent *next_name(DIR *dir)
{
	errno = 0;
	/* streams are not shared, so glibc's readdir() is safe: readdir(3) */
	return readdir(dir); /* NOLINT(concurrency-mt-unsafe) */
}

/* Reads the directory into frame. Returns 0 or -errno, also when one of its names could not be
 * asked (a directory that may be read but not searched); what was read all the same counts. */
static int list_directory(struct walk *walk, DIR *dir, struct frame *frame)
{
	int fd = dirfd(dir);
	uint64_t fsid = 0;
	int result = identity_fsid(fd, &fsid);
	size_t room = 0;
	const struct dirent *found;
	while ((found = next_name(dir))) {
		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		struct entry entry = { 0 };
		int looked = look_at(fd, found, walk->options->identities ? &fsid : NULL, &entry);
		if (looked == 0)
			add_entry(frame, &room, found->d_name, &entry);
		else if (looked != -ENOENT)
			result = looked;
	}
	if (errno)
		result = -errno;
	if (frame->count)
		qsort(frame->entries, frame->count, sizeof *frame->entries, by_name);
	return result;
}

/* Opens and reads the directory whose path is in walk->path ("" or with a trailing slash). */
static int read_directory(struct walk *walk, struct frame *frame)
{
	int fd = beneath_open(walk->root_fd, str_text(&walk->path), O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int result = -errno;
		fd_close(fd);
		return result;
	}
	int result = list_directory(walk, dir, frame);
	(void)closedir(dir);
	return result;
}

static void push(struct walk *walk)
{
	struct frame frame = { .path_len = walk->path.len };
	int result = read_directory(walk, &frame);
	/* one that has been removed since its name was read is no trouble */
	if (result < 0 && (result != -ENOENT || walk->path.len == 0))
		walk->options->trouble(walk->options->context, str_text(&walk->path), -result);
	if (walk->depth == walk->room) {
		walk->room = walk->room ? walk->room * 2 : 16;
		walk->frames = xrealloc(walk->frames, walk->room, sizeof *walk->frames);
	}
	walk->frames[walk->depth++] = frame;
}

static void pop(struct walk *walk)
{
	struct frame *frame = &walk->frames[--walk->depth];
	for (size_t i = 0; i < frame->count; i++)
		free(frame->entries[i].name);
	free(frame->entries);
}

static void set_path(struct walk *walk, const struct frame *frame, const char *name)
{
	walk->path.len = frame->path_len;
	str_puts(&walk->path, name);
}

/* One step: the next entry of the innermost directory, or leaving it. False: the caller has enough.
 */
static bool step(struct walk *walk)
{
	struct frame *frame = &walk->frames[walk->depth - 1];
	if (frame->next == frame->count) {
		pop(walk);
		return true;
	}
	const struct entry *entry = &frame->entries[frame->next++];
	set_path(walk, frame, entry->name);
	if (entry->directory) {
		push(walk);
		return true;
	}
	struct walk_file file = { .path = str_text(&walk->path),
				  .len = walk->path.len,
				  .identity = entry->identity };
	return walk->options->file(walk->options->context, &file);
}

void walk_sorted(int root_fd, const struct walk_options *options)
{
	struct walk walk = { .options = options, .root_fd = root_fd, .path = STR_INIT };
	push(&walk);
	while (walk.depth > 0 && step(&walk))
		continue;
	while (walk.depth > 0)
		pop(&walk);
	free(walk.frames);
	str_done(&walk.path);
}
