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

#define DEPTH_MAX 32
#define CHANGES                                                                                  \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ATTRIB)

struct place {
	int wd;
	char *name; /* the one file of that directory that counts, owned; NULL: all of them */
};

struct rules_watch {
	int fd;
	struct place *places;
	size_t count;
	unsigned failed;   /* of the present set */
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

static void forget(struct rules_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		(void)inotify_rm_watch(watch->fd, watch->places[i].wd);
		free(watch->places[i].name);
	}
	free(TAKE(watch->places));
	watch->count = 0;
}

void rules_watch_free(struct rules_watch *watch)
{
	if (!watch)
		return;
	forget(watch);
	fd_close(watch->fd);
	free(watch);
}

int rules_watch_fd(const struct rules_watch *watch)
{
	return watch->fd;
}

static void add(struct rules_watch *watch, const char *path, const char *name)
{
	int wd = inotify_add_watch(watch->fd, path, CHANGES);
	if (wd < 0) {
		watch->failed++;
		error_set(watch->err, errno, "%s: %s%s", path, error_text(errno),
			  errno == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
		return;
	}
	watch->places = xrealloc(watch->places, watch->count + 1, sizeof *watch->places);
	watch->places[watch->count++] = (struct place){ .wd = wd, .name = xstrdup(name) };
}

/* A link in a directory of rules: what it leads to, too. */
static bool is_link(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static void add_directory(struct rules_watch *watch, const char *path, unsigned depth)
{
	add(watch, path, NULL);
	DIR *directory = depth < DEPTH_MAX ? opendir(path) : NULL;
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
			add(watch, str_text(&below), NULL);
	}
	(void)closedir(directory);
}

static void add_path(struct rules_watch *watch, const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		add_directory(watch, path, 0);
		return;
	}
	const char *slash = strrchr(path, '/');
	AUTO_STR directory = STR_INIT;
	str_append(&directory, slash ? path : ".",
		   slash && slash > path ? (size_t)(slash - path) : 1);
	add(watch, str_text(&directory), slash ? slash + 1 : path);
	if (is_link(path))
		add(watch, path, NULL);
}

unsigned rules_watch_set(struct rules_watch *watch, const struct engine *engine, struct error *err)
{
	forget(watch);
	watch->failed = 0;
	watch->err = err;
	for (size_t i = 0; i < engine->detector_count; i++) {
		struct detect_report report = detector_report(engine->detectors[i]);
		for (char *const *path = report.watch; path && *path; path++)
			add_path(watch, *path);
	}
	watch->err = NULL;
	return watch->failed;
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
