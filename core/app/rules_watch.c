/* rules_watch: see rules_watch.h. inotify(7). */
#include "core/app/rules_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/app/engine.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"

#define DEPTH_MAX  32
#define PLACES_MAX 8192
#define CHANGES                                                                                  \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ATTRIB)
/* Of the directory that a configured directory, or what will be one, is in. */
#define NAME_CHANGES \
	(IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

struct place {
	int wd;
	char *name; /* the one file of that directory that counts, owned; NULL: all of them */
};

struct rules_watch {
	int fd;
	struct place *places;
	size_t count;
	unsigned failed;   /* of the present set */
	bool short_of;	   /* some of those failed for want of watches or memory */
	struct error *err; /* of rules_watch_set(); NULL outside */
};

int rules_watch_new(struct rules_watch **out, struct error *err)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return error_set(err, errno,
				 "%s (fs.inotify.max_user_instances bounds how many there are)",
				 error_text(errno));
	struct rules_watch *watch = xcalloc(1, sizeof *watch);
	watch->fd = fd;
	*out = watch;
	return 0;
}

static bool watched(const struct rules_watch *watch, int wd)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (watch->places[i].wd == wd)
			return true;
	}
	return false;
}

/* Lets earlier places go. Those that are watched now as well are left as they are: nothing that
 * happens in them meanwhile is lost. */
static void forget(struct rules_watch *watch, struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!watched(watch, places[i].wd))
			(void)inotify_rm_watch(watch->fd, places[i].wd);
		free(places[i].name);
	}
	free(places);
}

void rules_watch_free(struct rules_watch *watch)
{
	if (!watch)
		return;
	struct place *places = TAKE(watch->places);
	size_t count = watch->count;
	watch->count = 0;
	forget(watch, places, count);
	fd_close(watch->fd);
	free(watch);
}

int rules_watch_fd(const struct rules_watch *watch)
{
	return watch->fd;
}

static void cannot(struct rules_watch *watch, const char *path, const char *words)
{
	watch->failed++;
	error_set(watch->err, ENOSPC, "%s: %s", path, words);
}

/* False when that counts already: a link led there before. */
static bool is_new(const struct rules_watch *watch, int wd, const char *name)
{
	for (size_t i = 0; i < watch->count; i++) {
		const struct place *place = &watch->places[i];
		bool same = name && place->name ? strcmp(place->name, name) == 0
						: !name && !place->name;
		if (place->wd == wd && same)
			return false;
	}
	return true;
}

/* True when it is watched now and was not before. */
static bool add(struct rules_watch *watch, const char *path, const char *name, uint32_t changes)
{
	int wd = -1;
	errno = 0;
	if (watch->count < PLACES_MAX)
		wd = inotify_add_watch(watch->fd, path, changes | IN_MASK_ADD);
	watch->short_of |= wd < 0 && (errno == ENOSPC || errno == ENOMEM);
	if (watch->count == PLACES_MAX)
		cannot(watch, path, "too many directories and links among the rules");
	else if (wd < 0)
		cannot(watch, path,
		       errno == ENOSPC ? "no watches left (fs.inotify.max_user_watches)"
				       : error_text(errno));
	if (wd < 0 || !is_new(watch, wd, name))
		return false;
	/* room for one more whenever the count is a power of two */
	if ((watch->count & (watch->count - 1)) == 0)
		watch->places = xrealloc(watch->places, watch->count ? 2 * watch->count : 1,
					 sizeof *watch->places);
	watch->places[watch->count++] = (struct place){ .wd = wd, .name = xstrdup(name) };
	return true;
}

/* A link in a directory of rules: what it leads to, too. */
static bool is_link(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static void add_directory(struct rules_watch *watch, const char *path, unsigned depth)
{
	bool fresh = add(watch, path, NULL, CHANGES);
	DIR *directory = fresh && depth < DEPTH_MAX ? opendir(path) : NULL;
	if (!directory)
		return;
	const struct dirent *item;
	/* a stream of our own: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((item = readdir(directory))) {
		struct stat st;
		AUTO_STR below = STR_INIT;
		str_printf(&below, "%s/%s", path, item->d_name);
		if (item->d_name[0] == '.' || stat(str_text(&below), &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			add_directory(watch, str_text(&below), depth + 1);
		else if (is_link(str_text(&below)))
			(void)add(watch, str_text(&below), NULL, CHANGES);
	}
	(void)closedir(directory);
}

/* The name by which path is reached; of one that is not there, the first name on the way that is
 * not. Cuts path, which has no slash at its end. */
static void add_name(struct rules_watch *watch, struct str *path, uint32_t changes)
{
	for (;;) {
		char *slash = strrchr(str_text(path), '/');
		if (!slash) {
			(void)add(watch, ".", str_text(path), changes);
			return;
		}
		AUTO_FREE char *name = xstrdup(slash + 1);
		if (slash == path->data) {
			(void)add(watch, "/", name, changes);
			return;
		}
		*slash = '\0';
		path->len = (size_t)(slash - path->data);
		if (access(path->data, F_OK) == 0 || errno != ENOENT) {
			(void)add(watch, path->data, name, changes);
			return;
		}
	}
}

static void add_path(struct rules_watch *watch, const char *path)
{
	struct stat st;
	AUTO_STR trimmed = STR_INIT;
	str_puts(&trimmed, path);
	while (trimmed.len > 1 && trimmed.data[trimmed.len - 1] == '/')
		trimmed.data[--trimmed.len] = '\0';
	bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (directory)
		add_directory(watch, str_text(&trimmed), 0);
	else if (is_link(str_text(&trimmed)))
		(void)add(watch, str_text(&trimmed), NULL, CHANGES);
	add_name(watch, &trimmed, directory ? NAME_CHANGES : CHANGES);
}

unsigned rules_watch_set(struct rules_watch *watch, const struct engine *engine, struct error *err)
{
	struct place *before = TAKE(watch->places);
	const size_t count = watch->count;
	watch->count = 0;
	watch->failed = 0;
	watch->short_of = false;
	watch->err = err;
	for (size_t i = 0; i < engine->detector_count; i++) {
		struct detect_report report = detector_report(engine->detectors[i]);
		for (char *const *path = report.watch; path && *path; path++)
			add_path(watch, *path);
	}
	watch->err = NULL;
	forget(watch, before, count);
	return watch->failed;
}

bool rules_watch_short(const struct rules_watch *watch)
{
	return watch->short_of;
}

/* Hidden names are no rules, nor are what editors leave behind. */
static bool counts(const char *name)
{
	size_t len = strlen(name);
	return name[0] != '.' && !(len && name[len - 1] == '~');
}

static bool matters(const struct rules_watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (event->mask & IN_IGNORED) /* the watch itself is gone: its reason was told before */
		return false;
	if (!watched(watch, event->wd)) /* it happened before that place was let go */
		return !event->len || counts(event->name);
	for (size_t i = 0; i < watch->count; i++) {
		const struct place *place = &watch->places[i];
		if (place->wd != event->wd)
			continue;
		if (!event->len)
			return true;
		if (place->name ? strcmp(place->name, event->name) == 0 : counts(event->name))
			return true;
	}
	return false;
}

bool rules_watch_changed(struct rules_watch *watch)
{
	bool changed = false;
	char buffer[4096 + NAME_MAX + 1]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	for (;;) {
		ssize_t got = read(watch->fd, buffer, sizeof buffer);
		if (got <= 0)
			return changed;
		for (char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			changed = changed || matters(watch, event);
			at += sizeof *event + event->len;
		}
	}
}
