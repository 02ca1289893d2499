/* way: see way.h. */
#include "watcher/way.h"

#include <stdarg.h>
#include <stdio.h>

#include "watcher/gap.h"
#include "watcher/view.h"

bool way_wants_events(const struct watcher *w, const struct root *root)
{
	return w->inotify_fd >= 0 && root->mode != WATCHER_POLL;
}

static enum poll_reason reason_to_poll(const struct watcher *w, const struct root *root, int fd)
{
	if (root->mode == WATCHER_POLL)
		return POLL_ASKED;
	if (w->inotify_fd < 0)
		return POLL_NO_INSTANCE;
	if (root->mode == WATCHER_INOTIFY)
		return POLL_NOT;
	if (!place_is_local(root->magic))
		return POLL_FOREIGN;
	return view_is_deaf(fd) ? POLL_DEAF : POLL_NOT;
}

void way_choose(struct watcher *w, struct root *root, int fd, uint64_t magic)
{
	const char *path = root->path_len ? root->path : "/";
	root->magic = magic;
	root->polled = (uint8_t)reason_to_poll(w, root, fd);
	if (root->told_foreign || (root->polled != POLL_FOREIGN && root->polled != POLL_DEAF))
		return;
	root->told_foreign = true;
	if (root->polled == POLL_FOREIGN)
		gap_complain(w, root, path,
			     "this file system (type 0x%llx) may not tell changes that others "
			     "make; the root is walked at every rescan (mode: inotify overrides)",
			     (unsigned long long)magic);
	else
		gap_complain(w, root, path,
			     "events do not arrive here: this directory was opened, and its watch "
			     "was not told; the root is walked at every rescan (mode: inotify "
			     "overrides)");
}

struct words {
	char *out;
	size_t size;
	size_t len;
};

/* Adds a reason to those that are there; what does not fit is cut, as the log has it in full. */
__attribute__((format(printf, 2, 3))) static void say(struct words *words, const char *format, ...)
{
	va_list arguments;
	if (words->len > 0 && words->len + 2 < words->size) {
		words->out[words->len++] = ';';
		words->out[words->len++] = ' ';
	}
	va_start(arguments, format);
	int len = vsnprintf(words->out + words->len, words->size - words->len, format, arguments);
	va_end(arguments);
	if (len > 0)
		words->len += (size_t)len;
	if (words->len >= words->size)
		words->len = words->size - 1;
}

static void describe_polled(const struct root *root, struct words *words)
{
	switch ((enum poll_reason)root->polled) {
	case POLL_ASKED:
		say(words, "mode: poll");
		return;
	case POLL_FOREIGN:
		say(words, "its file system (type 0x%llx) may not tell changes that others make",
		    (unsigned long long)root->magic);
		return;
	case POLL_DEAF:
		say(words, "events do not arrive there");
		return;
	case POLL_NO_INSTANCE:
		say(words, "no inotify instance to be had: raise fs.inotify.max_user_instances");
		return;
	case POLL_NOT:
		return;
	}
}

static void describe_degraded(const struct root *root, struct words *words)
{
	static const struct {
		enum trouble trouble;
		const char *words;
	} rows[] = {
		{ TROUBLE_LIMIT, "without a watch (fs.inotify.max_user_watches)" },
		{ TROUBLE_UNREADABLE, "cannot be read" },
		{ TROUBLE_STARVED, "not looked at for want of descriptors or memory" },
		{ TROUBLE_FOREIGN, "on another file system, which may not tell its changes" },
		{ TROUBLE_PINNED, "with a file that is mounted alone" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t count = root->trouble[rows[i].trouble];
		if (count > 0)
			say(words, "directories %s: %llu", rows[i].words,
			    (unsigned long long)count);
	}
	if (!place_is_local(root->magic))
		say(words,
		    "mode: inotify on a file system (type 0x%llx) that may not tell changes that "
		    "others make",
		    (unsigned long long)root->magic);
	if (root->path_len > 0 && (!root->armed || root->short_of_watches))
		say(words, "the directories above are not all watched");
}

enum watcher_way way_describe(const struct root *root, char *out, size_t size)
{
	struct words words = { .out = out, .size = size };
	*out = '\0';
	if (!root->present) {
		say(&words, root->clashed ? "another root has this directory"
					  : "it is not there, or cannot be watched");
		return WATCHER_WAY_ABSENT;
	}
	if (root->polled) {
		describe_polled(root, &words);
		return WATCHER_WAY_POLLED;
	}
	describe_degraded(root, &words);
	return words.len > 0 ? WATCHER_WAY_DEGRADED : WATCHER_WAY_EVENTS;
}

bool watcher_root_polled(const struct watcher *w, uint32_t root)
{
	return root < w->root_count && w->roots[root]->polled;
}

bool watcher_root_present(const struct watcher *w, uint32_t root)
{
	return root < w->root_count && w->roots[root]->present;
}

enum watcher_way watcher_root_way(const struct watcher *w, uint32_t root, char *out, size_t size)
{
	if (root < w->root_count)
		return way_describe(w->roots[root], out, size);
	*out = '\0';
	return WATCHER_WAY_ABSENT;
}

void watcher_root_counts(const struct watcher *w, uint32_t root, uint64_t *out_directories,
			 uint64_t *out_watches)
{
	*out_directories = *out_watches = 0;
	const struct node *top = root < w->root_count ? w->roots[root]->top : NULL;
	for (const struct node *node = top; node; node = tree_next(node, top)) {
		++*out_directories;
		*out_watches += node->wd > 0;
	}
}

uint64_t watcher_reader_rounds(const struct watcher *w, bool *out_at_work)
{
	return reader_rounds(w->reader, out_at_work);
}
