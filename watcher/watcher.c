/*
 * watcher: the public verbs, and the order in which work is done (see watcher.h).
 *
 * Records first: they drain the kernel's queue. But after a few of them one step of a walk is due,
 * so that a gap closes under constant load too. Nothing here blocks; when nothing is left, the
 * eventfd is emptied, the ring is looked at once more, and the caller may sleep on watcher_fd().
 */
#include "watcher/watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/adopt.h"
#include "watcher/dispatch.h"
#include "watcher/gap.h"
#include "watcher/health.h"
#include "watcher/inside.h"
#include "watcher/limbo.h"
#include "watcher/limit.h"
#include "watcher/lookout.h"
#include "watcher/mounts.h"
#include "watcher/paths.h"
#include "watcher/root.h"
#include "watcher/view.h"
#include "watcher/walk.h"
#include "watcher/way.h"

#define STREAK_MOST    OWN_STEPS(8)  /* records between two steps of a walk */
#define STEPS_A_CALL   OWN_STEPS(64) /* steps without an event that one call does */
#define INSTANCES_MORE 64	     /* instances beyond those that are not enough */

/* Beside the values of enum watcher_result and negative errnos. */
enum step {
	STEP_GO_ON = 100
};

void watcher_kick(struct watcher *w)
{
	ssize_t written = write(w->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	(void)written; /* EAGAIN: it is readable already */
}

static void drain(int fd)
{
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof count);
	(void)got;
}

static int join_epoll(struct watcher *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_descriptors(struct watcher *w)
{
	w->wake_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->wake_fd < 0 || w->timer_fd < 0 || w->epoll_fd < 0)
		return -errno;
	if (join_epoll(w, w->wake_fd) != 0 || join_epoll(w, w->timer_fd) != 0)
		return -errno;
	w->inotify_fd = view_instance();
	/* without one all roots are polled */
	return w->inotify_fd >= 0 || place_is_ours(w->inotify_fd) ? 0 : w->inotify_fd;
}

/* EMFILE stands for two limits: is there a descriptor to be had otherwise? */
static bool has_descriptors(const struct watcher *w)
{
	int copy = fcntl(w->wake_fd, F_DUPFD_CLOEXEC, 0);
	own_close(copy);
	return copy >= 0;
}

static void complain_of_instance(struct watcher *w)
{
	char words[LIMIT_WORDS];
	if (w->inotify_fd == -EMFILE && has_descriptors(w))
		limit_advise(words, LIMIT_INSTANCES,
			     limit_enough(LIMIT_INSTANCES, 0, INSTANCES_MORE));
	else
		limit_explain(words, w->inotify_fd);
	gap_complain(w, NULL, NULL,
		     "no inotify instance is to be had; until there is one all roots are walked at "
		     "every rescan only: %s",
		     words);
}

int watcher_new(struct watcher **out, const struct watcher_options *options)
{
	struct watcher *w = own_calloc(1, sizeof *w);
	*w = (struct watcher){
		.inotify_fd = -1,
		.wake_fd = -1,
		.timer_fd = -1,
		.epoll_fd = -1,
		.listing = { .fd = -1, .buffer = own_calloc(1, LISTING_BUF) },
		.cause = UINT64_MAX,
		.walked_all_need = NEED_NEVER,
		.bound = options ? options->buffer_bytes : 0,
	};
	tree_init(&w->tree);
	agenda_init(&w->agenda);
	limbo_init(&w->limbo);
	notes_init(&w->notes);
	int failed = open_descriptors(w);
	if (failed == 0)
		failed = reader_new(&w->reader, w->inotify_fd, w->wake_fd, w->bound);
	if (failed != 0) {
		watcher_free(w);
		return failed;
	}
	if (w->inotify_fd < 0)
		complain_of_instance(w);
	*out = w;
	return 0;
}

/* Gives up all trees; a closing inotify descriptor takes its watches along. */
static void forget_all(struct watcher *w)
{
	for (uint32_t i = 0; i < w->root_count; i++) {
		if (w->roots[i]->top)
			limbo_bury_quietly(w, w->roots[i]->top);
		w->roots[i]->top = NULL;
		w->roots[i]->present = false;
	}
	limbo_clear(w);
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	reader_free(w->reader);
	own_close(w->inotify_fd);
	w->inotify_fd = -1;
	walk_abandon(w);
	forget_all(w);
	for (uint32_t i = 0; i < w->root_count; i++)
		root_free(w->roots[i]);
	free(w->roots);
	tree_done(&w->tree);
	moves_done(&w->moves);
	notes_done(&w->notes);
	bytes_done(&w->scratch);
	bytes_done(&w->spoken.path);
	free(w->listing.buffer);
	own_close(w->wake_fd);
	own_close(w->timer_fd);
	own_close(w->epoll_fd);
	free(w);
}

int watcher_reserve_root(struct watcher *w, const char *path, uint32_t *out_index)
{
	if (*path == '\0')
		return -EINVAL;
	if (w->root_count == WATCHER_ROOTS_MOST)
		return -E2BIG;
	struct root *root = root_new(path);
	w->roots = own_realloc(w->roots, w->root_count + 1, sizeof(struct root *));
	*out_index = w->root_count++;
	w->roots[*out_index] = root;
	return 0;
}

void watcher_begin_root(struct watcher *w, uint32_t root, enum watcher_mode mode)
{
	if (root >= w->root_count)
		return;
	root_begin(w, w->roots[root], mode);
	watcher_kick(w);
}

void watcher_leave_root(struct watcher *w, uint32_t root)
{
	if (root >= w->root_count || w->roots[root]->left)
		return;
	root_leave(w, w->roots[root]);
	watcher_kick(w);
}

int watcher_add_root(struct watcher *w, const char *path, enum watcher_mode mode,
		     uint32_t *out_index)
{
	uint32_t index;
	if (mode == WATCHER_INOTIFY && w->inotify_fd < 0)
		return -EMFILE;
	int failed = watcher_reserve_root(w, path, &index);
	if (failed != 0)
		return failed;
	struct root *root = w->roots[index];
	root_want(w, root, mode);
	watcher_kick(w);
	root->adding = true;
	root_check(w, root, WATCHER_CAUSE_ROOT);
	root->adding = false;
	if (root->clashed) {
		lookout_clear(w, root);
		w->root_count--;
		limbo_clear(w);
		root_free(root);
		return -EEXIST;
	}
	w->walked_all_need = agenda_want(&w->agenda);
	*out_index = index;
	return 0;
}

int watcher_start(struct watcher *w)
{
	w->started = true;
	return reader_start(w->reader);
}

int watcher_fd(const struct watcher *w)
{
	return w->epoll_fd;
}

/* Takes one record out of the ring and handles it. */
static void take_record(struct watcher *w, const void *bytes, size_t len)
{
	struct change change = { 0 };
	size_t size = 0;
	switch (decode_one(bytes, len, &size, &change)) {
	case DECODE_CHANGE:
		w->events++;
		dispatch(w, &change);
		break;
	case DECODE_OVERFLOW:
		change.kernel_size = size;
		gap_overflow(w);
		break;
	case DECODE_BROKEN: /* what follows cannot be told apart: lost, as if dropped by the kernel
			     */
		gap_overflow(w);
		reader_drop(w->reader);
		return;
	case DECODE_END:
		return;
	}
	reader_skip(w->reader, size, change.kernel_size);
}

static void look_at_clock(struct watcher *w)
{
	if (w->limbo.tick_ns == 0 && !gap_overflow_waits(w) && !w->mounts_waiting)
		return;
	int64_t now = own_now_ns();
	limbo_tick(w, now);
	gap_overflow_due(w, now);
	mounts_due(w, now);
}

/* Arms the timer for what waits for a moment, and only then. */
static void set_timer(struct watcher *w)
{
	int64_t due = w->limbo.tick_ns;
	if (gap_overflow_waits(w) && (due == 0 || w->overflow.due_ns < due))
		due = w->overflow.due_ns;
	if (w->mounts_waiting && (due == 0 || w->mounts_due_ns < due))
		due = w->mounts_due_ns;
	if (due == w->timer_ns)
		return;
	struct itimerspec when = {
		.it_value = { .tv_sec = due / INT64_C(1000000000),
			      .tv_nsec = due % INT64_C(1000000000) },
	};
	drain(w->timer_fd);
	if (timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		w->timer_ns = due;
}

/* When nothing is queued any more, the end of a watch that we took away was told, or an overflow
 * has dropped it. */
static void purge_retired(struct watcher *w)
{
	if (w->tree.wds.count > w->tree.wds.live && reader_dry(w->reader))
		wdmap_purge(&w->tree.wds);
}

/* Nothing to do: may the caller sleep? */
static int come_to_rest(struct watcher *w)
{
	size_t len;
	reader_tidy(w->reader);
	if (w->moves.untold > 0 && reader_dry(w->reader)) {
		moves_tell_all(&w->moves, &w->notes);
		return STEP_GO_ON;
	}
	purge_retired(w);
	set_timer(w);
	drain(w->wake_fd);
	if (reader_peek(w->reader, &len))
		return STEP_GO_ON;
	return reader_error(w->reader);
}

/* A piece of what is not a record. */
static int side_work(struct watcher *w, struct watcher_event *out)
{
	uint64_t batch;
	int walked = walk_step(w, out);
	if (walked != WATCHER_NOTHING)
		return walked;
	if (agenda_turn(&w->agenda, &batch)) {
		gap_batch_finished(w, batch);
		return STEP_GO_ON;
	}
	if (!agenda_idle(&w->agenda))
		return STEP_GO_ON; /* turned to the next batch */
	return limbo_step(w) ? WATCHER_BUSY : WATCHER_NOTHING;
}

static int step(struct watcher *w, struct watcher_event *out)
{
	size_t len;
	look_at_clock(w);
	const void *bytes = reader_peek(w->reader, &len);
	if (!bytes || w->streak >= STREAK_MOST) {
		w->streak = 0;
		int did = side_work(w, out);
		if (did != WATCHER_NOTHING)
			return did;
	}
	if (!bytes)
		return come_to_rest(w);
	w->streak++;
	take_record(w, bytes, len);
	return STEP_GO_ON;
}

int watcher_next(struct watcher *w, struct watcher_event *out)
{
	for (unsigned i = 0; i < STEPS_A_CALL; i++) {
		if (notes_pop(&w->notes, out)) {
			/* a walk may have been asked for since it was noted */
			if (out->kind == WATCHER_WALKED_ALL && gap_holds_back(w))
				continue;
			if (out->kind == WATCHER_WALKED_ALL)
				w->held_back = 0;
			return WATCHER_EVENT;
		}
		if (w->ready) {
			w->ready = false;
			*out = w->event;
			return WATCHER_EVENT;
		}
		int did = step(w, out);
		if (did != STEP_GO_ON)
			return did;
	}
	return WATCHER_BUSY;
}

void watcher_reconcile(struct watcher *w)
{
	(void)root_walk_all(w);
	watcher_kick(w);
}

bool watcher_needs_retry(const struct watcher *w)
{
	for (uint32_t i = 0; i < w->root_count; i++) {
		if (root_wants_retry(w, w->roots[i]))
			return true;
	}
	return false;
}

/* An instance may be had now: then everything is begun anew with events. */
static void retry_instance(struct watcher *w)
{
	if (w->inotify_fd >= 0)
		return;
	int fd = view_instance();
	struct reader *reader = NULL;
	int failed = fd < 0 ? fd : reader_new(&reader, fd, w->wake_fd, w->bound);
	if (failed == 0 && w->started)
		failed = reader_start(reader);
	if (failed != 0) { /* no instance, no descriptors, no thread: at the next retry */
		reader_free(reader);
		own_close(fd);
		return;
	}
	reader_free(w->reader);
	w->reader = reader;
	w->inotify_fd = fd;
	walk_abandon(w);
	forget_all(w);
}

void watcher_retry(struct watcher *w)
{
	retry_instance(w);
	for (uint32_t i = 0; i < w->root_count; i++)
		root_retry(w, w->roots[i]);
	watcher_kick(w);
}

void watcher_mounts_changed(struct watcher *w)
{
	mounts_changed(w);
	watcher_kick(w);
}

void watcher_let_go(struct watcher *w)
{
	walk_let_go(w);
}

uint64_t watcher_ticket(struct watcher *w)
{
	return reader_horizon(w->reader);
}

bool watcher_passed(struct watcher *w, uint64_t ticket)
{
	return watcher_position(w) >= ticket && !w->ready && !w->mounts_waiting &&
	       notes_empty(&w->notes) && agenda_since(&w->agenda) >= ticket &&
	       limbo_since(w) >= ticket && moves_since(&w->moves) >= ticket;
}

const char *watcher_directory(struct watcher *w, int dir, size_t *out_len)
{
	const struct wd_entry *entry = dir > 0 ? wdmap_find(&w->tree.wds, dir) : NULL;
	if (!entry || !entry->node || !tree_attached(entry->node))
		return NULL;
	(void)paths_put(w, entry->node, &w->scratch);
	*out_len = w->scratch.len;
	return w->scratch.data;
}

bool watcher_directory_moves(const struct watcher *w, int dir)
{
	const struct wd_entry *entry = dir > 0 ? wdmap_find(&w->tree.wds, dir) : NULL;
	return entry && entry->node && !tree_attached(entry->node);
}

int watcher_directory_at(const struct watcher *w, uint32_t root, const char *path, size_t len)
{
	const struct root *top = root < w->root_count ? w->roots[root] : NULL;
	if (!top || !top->top || len < top->path_len || memcmp(path, top->path, top->path_len) != 0)
		return 0;
	const struct node *node = top->top;
	for (size_t at = top->path_len; node && at < len;) {
		if (path[at] != '/')
			return 0;
		const char *name = path + at + 1;
		const char *end = memchr(name, '/', len - at - 1);
		size_t name_len = end ? (size_t)(end - name) : len - at - 1;
		node = tree_child(&w->tree, node, name, name_len);
		at += 1 + name_len;
	}
	return node && node->wd > 0 ? node->wd : 0;
}

void watcher_stats(struct watcher *w, struct watcher_stats *out)
{
	*out = (struct watcher_stats){
		.events = w->events,
		.overflows = w->overflows,
		.walks = w->walks,
		.entries_walked = w->entries_walked,
		.watches = w->tree.wds.live,
		.directories = w->tree.count,
		.granted = limit_granted(LIMIT_WATCHES),
	};
	for (uint32_t i = 0; i < w->root_count; i++) {
		const struct root *root = w->roots[i];
		for (unsigned kind = TROUBLE_NONE + 1; kind < TROUBLE_KINDS; kind++)
			out->unwatched += root->trouble[kind];
		out->without_watch += root->trouble[TROUBLE_LIMIT];
		out->unreadable +=
			root->trouble[TROUBLE_UNREADABLE] + root->trouble[TROUBLE_STARVED];
		out->foreign += root->trouble[TROUBLE_FOREIGN];
	}
	reader_usage(w->reader, &out->buffer_used, &out->buffer_high);
}
