/* gap: see gap.h. */
#include "watcher/gap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/limit.h"
#include "watcher/paths.h"
#include "watcher/root.h"

#define COMPLAINTS_PER_GAP 8
#define SPARE		   64 /* watches beyond those that are missing */
#define DELAY_FIRST_NS	   INT64_C(100000000)
#define DELAY_MOST_NS	   INT64_C(10000000000)
#define HELD_BACK_MOST	   8
#define CALM_NS		   INT64_C(10000000000) /* this long without an overflow starts afresh */
#define REST_MOST_NS	   INT64_C(60000000000) /* after a walk; it may have slept in between */

static void tell(struct watcher *w, const struct root *root, enum watcher_kind kind,
		 enum watcher_cause cause)
{
	struct watcher_event event = { .kind = kind, .cause = cause, .root = WATCHER_NO_ROOT };
	if (root) {
		event.root = root_index(w, root);
		event.path = root->path_len ? root->path : "/";
		event.path_len = root->path_len ? root->path_len : 1;
	}
	notes_add(&w->notes, &event);
}

void gap_open(struct watcher *w, struct root *root, enum watcher_cause cause)
{
	struct gap *gap = &root->gaps[cause];
	gap->need = NEED_NEVER;
	if (gap->open)
		return;
	gap->open = true;
	gap->complaints = 0;
	w->walked_all_need = agenda_want(&w->agenda);
	tell(w, root, WATCHER_GAP_OPENED, cause);
}

void gap_heals(struct root *root, enum watcher_cause cause, uint64_t batch)
{
	root->gaps[cause].need = batch;
}

static void put_off(struct gap *gap, uint64_t batch)
{
	if (gap->open && gap->need < batch)
		gap->need = batch;
}

void gap_put_off(struct watcher *w, struct root *root)
{
	uint64_t batch = agenda_filling(&w->agenda);
	for (unsigned cause = 0; cause < CAUSES; cause++)
		put_off(&root->gaps[cause], batch);
	put_off(&w->overflow.gap, batch);
}

bool gap_may_complain(struct gap *gap)
{
	if (gap->complaints >= COMPLAINTS_PER_GAP)
		return false;
	gap->complaints++;
	return true;
}

void gap_complain(struct watcher *w, const struct root *root, const char *path, const char *format,
		  ...)
{
	char words[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	struct bytes text = { 0 };
	if (path) {
		bytes_append_shown(&text, path, strlen(path));
		bytes_append(&text, ": ", 2);
	}
	bytes_append(&text, words, strlen(words));
	notes_add(&w->notes, &(struct watcher_event){
				     .kind = WATCHER_COMPLAINT,
				     .root = root ? root_index(w, root) : WATCHER_NO_ROOT,
				     .path = path,
				     .path_len = path ? strlen(path) : 0,
				     .text = text.data,
			     });
	bytes_done(&text);
}

static void complain_of_limit(struct watcher *w, struct root *root, const char *path, int error)
{
	char words[LIMIT_WORDS];
	if (error == -ENOSPC) /* how far to raise it is known when the walk is through: sum_up() */
		gap_complain(
			w, root, path,
			"no watch left for this directory (fs.inotify.max_user_watches); it is "
			"listed at every rescan");
	else {
		limit_explain(words, error);
		gap_complain(w, root, path,
			     "this directory cannot be watched: %s; it is listed at every rescan",
			     words);
	}
}

static void complain_of_want(struct watcher *w, struct root *root, const char *path, int error)
{
	char words[LIMIT_WORDS];
	limit_explain(words, error);
	gap_complain(w, root, path,
		     "this directory cannot be looked at: %s; it is tried again at every rescan",
		     words);
}

static void complain_of_unreadable(struct watcher *w, struct root *root, const char *path,
				   int error)
{
	if (error == -EACCES || error == -EPERM)
		gap_complain(w, root, path,
			     "this directory cannot be read: permission denied; give the user of "
			     "this program read and search permission (r-x) on it");
	else if (error == -ENAMETOOLONG)
		gap_complain(w, root, NULL,
			     "a directory whose path is longer than %zu bytes is not entered",
			     PLACE_PATH_MOST);
	else
		gap_complain(w, root, path, "this directory cannot be read: %s",
			     strerrordesc_np(-error));
}

static void complain_of_trouble(struct watcher *w, struct root *root, const struct node *node,
				enum trouble trouble, int error)
{
	struct bytes path = { 0 };
	(void)paths_put(w, node, &path);
	switch (trouble) {
	case TROUBLE_LIMIT:
		if (gap_may_complain(&root->gaps[WATCHER_CAUSE_LIMIT]))
			complain_of_limit(w, root, path.data, error);
		break;
	case TROUBLE_UNREADABLE:
		if (gap_may_complain(&root->gaps[WATCHER_CAUSE_UNREADABLE]))
			complain_of_unreadable(w, root, path.data, error);
		break;
	case TROUBLE_STARVED:
		if (gap_may_complain(&root->gaps[WATCHER_CAUSE_LIMIT]))
			complain_of_want(w, root, path.data, error);
		break;
	case TROUBLE_FOREIGN:
		if (!root->told_foreign)
			gap_complain(
				w, root, path.data,
				"changes made here by others are not told by the kernel (another "
				"file system); it is listed at every rescan");
		root->told_foreign = true;
		break;
	case TROUBLE_PINNED: /* said for the file */
	case TROUBLE_NONE:
	case TROUBLE_KINDS:
		break;
	}
	bytes_done(&path);
}

/* Whether the gap that this trouble keeps open is: it is not when its root was left and begins anew
 * with the directories that it had. */
static bool is_told(const struct root *root, enum trouble trouble)
{
	if (trouble == TROUBLE_LIMIT || trouble == TROUBLE_STARVED)
		return root->gaps[WATCHER_CAUSE_LIMIT].open;
	return trouble != TROUBLE_UNREADABLE || root->gaps[WATCHER_CAUSE_UNREADABLE].open;
}

void gap_trouble(struct watcher *w, struct node *node, enum trouble trouble, int error)
{
	struct root *root = root_of(w, node);
	if (trouble == TROUBLE_UNREADABLE && place_is_ours(error))
		trouble = TROUBLE_STARVED;
	if (node->trouble == trouble && is_told(root, trouble))
		return;
	gap_trouble_over(w, node);
	node->trouble = (uint8_t)trouble;
	root->trouble[trouble]++;
	if (trouble == TROUBLE_LIMIT)
		w->no_room = error;
	if (trouble == TROUBLE_LIMIT || trouble == TROUBLE_STARVED)
		gap_open(w, root, WATCHER_CAUSE_LIMIT);
	if (trouble == TROUBLE_UNREADABLE)
		gap_open(w, root, WATCHER_CAUSE_UNREADABLE);
	complain_of_trouble(w, root, node, trouble, error);
}

/* The gap of a limit ends when nothing is short of anything any more. */
static void limit_is_over(struct watcher *w, struct root *root)
{
	if (root->trouble[TROUBLE_LIMIT] == 0 && root->trouble[TROUBLE_STARVED] == 0 &&
	    root->hindrance == HINDERED_NOT)
		gap_heals(root, WATCHER_CAUSE_LIMIT, agenda_want(&w->agenda));
}

void gap_trouble_over(struct watcher *w, struct node *node)
{
	struct root *root = root_of(w, node);
	enum trouble trouble = node->trouble;
	if (trouble == TROUBLE_NONE)
		return;
	node->trouble = TROUBLE_NONE;
	root->trouble[trouble]--;
	if (root->trouble[trouble] > 0 || trouble == TROUBLE_FOREIGN || trouble == TROUBLE_PINNED)
		return;
	if (trouble == TROUBLE_UNREADABLE)
		gap_heals(root, WATCHER_CAUSE_UNREADABLE, agenda_want(&w->agenda));
	else
		limit_is_over(w, root);
}

static void complain_of_hindrance(struct watcher *w, const struct root *root, int error)
{
	char words[LIMIT_WORDS];
	const char *path = root->path_len ? root->path : "/";
	switch ((enum hindrance)root->hindrance) {
	case HINDERED_LOOKOUTS:
		limit_explain(words, w->no_room);
		if (w->no_room == -ENOSPC)
			limit_advise(words, LIMIT_WATCHES,
				     limit_enough(LIMIT_WATCHES, w->tree.wds.live, SPARE));
		gap_complain(
			w, root, path,
			"no watch for all of the directories above this root; that one of them is "
			"moved or replaced is noticed at the next rescan: %s",
			words);
		break;
	case HINDERED_FILES:
		limit_explain(words, error);
		gap_complain(w, root, path,
			     "this root cannot be looked at: %s; it is tried again at every rescan",
			     words);
		break;
	case HINDERED_INSTANCE: /* said once for all roots */
	case HINDERED_NOT:
		break;
	}
}

void gap_hinder(struct watcher *w, struct root *root, enum hindrance hindrance, int error)
{
	if (root->hindrance == hindrance)
		return;
	root->hindrance = (uint8_t)hindrance;
	if (hindrance == HINDERED_NOT) {
		limit_is_over(w, root);
		return;
	}
	gap_open(w, root, WATCHER_CAUSE_LIMIT);
	complain_of_hindrance(w, root, error);
}

/* A walk is through, so it is known how many directories there are: what would be enough? Others
 * may have taken watches too, so it is what is granted now, and the missing ones. */
static void sum_up(struct watcher *w)
{
	uint64_t missing = 0;
	for (uint32_t i = 0; i < w->root_count; i++)
		missing += w->roots[i]->trouble[TROUBLE_LIMIT];
	if (missing == 0)
		w->told_wanted = 0;
	if (missing == 0 || w->no_room != -ENOSPC)
		return;
	uint64_t wanted = limit_enough(LIMIT_WATCHES, w->tree.wds.live, missing + SPARE);
	if (wanted <= w->told_wanted)
		return;
	w->told_wanted = wanted;
	char words[LIMIT_WORDS];
	limit_advise(words, LIMIT_WATCHES, wanted);
	gap_complain(w, NULL, NULL,
		     "%llu of %zu directories have no watch and are listed at every rescan only; "
		     "give them watches: %s",
		     (unsigned long long)missing, w->tree.count, words);
}

void gap_overflow(struct watcher *w)
{
	struct overflow *overflow = &w->overflow;
	int64_t now = own_now_ns();
	w->overflows++;
	overflow->gap.need = NEED_NEVER;
	if (!overflow->gap.open) {
		overflow->gap.open = true;
		tell(w, NULL, WATCHER_GAP_OPENED, WATCHER_CAUSE_OVERFLOW);
		if (now - overflow->closed_ns > CALM_NS)
			overflow->step = 0;
	}
	if (overflow->waiting)
		return;
	int64_t delay = 0;
	if (overflow->step > 0)
		delay = DELAY_FIRST_NS << (overflow->step - 1);
	if (delay < DELAY_MOST_NS)
		overflow->step++;
	else
		delay = DELAY_MOST_NS;
	overflow->waiting = true;
	overflow->due_ns = now + delay;
	if (overflow->due_ns < overflow->rested_ns)
		overflow->due_ns = overflow->rested_ns;
}

bool gap_overflow_waits(const struct watcher *w)
{
	return w->overflow.waiting && !w->overflow.batch;
}

void gap_overflow_due(struct watcher *w, int64_t now_ns)
{
	struct overflow *overflow = &w->overflow;
	if (!gap_overflow_waits(w) || overflow->due_ns > now_ns)
		return;
	overflow->waiting = false;
	overflow->began_ns = now_ns;
	overflow->batch = root_walk_all(w);
	overflow->gap.need = overflow->batch;
}

/* However large the trees are and however often the queue runs over: no more than half of the time
 * is spent on walks. */
static void rest_from_walk(struct overflow *overflow)
{
	int64_t now = own_now_ns();
	int64_t took = now - overflow->began_ns;
	overflow->batch = 0;
	overflow->rested_ns = now + (took < REST_MOST_NS ? took : REST_MOST_NS);
	if (overflow->due_ns < overflow->rested_ns)
		overflow->due_ns = overflow->rested_ns;
}

static void close_if_healed(struct watcher *w, struct root *root, unsigned cause, uint64_t batch)
{
	struct gap *gap = &root->gaps[cause];
	if (!gap->open || gap->need > batch)
		return;
	gap->open = false;
	tell(w, root, WATCHER_GAP_CLOSED, (enum watcher_cause)cause);
}

void gap_close_all(struct watcher *w, struct root *root)
{
	for (unsigned cause = 0; cause < CAUSES; cause++) {
		root->gaps[cause].need = 0;
		close_if_healed(w, root, cause, 0);
	}
	w->walked_all_need = agenda_want(&w->agenda);
}

bool gap_holds_back(struct watcher *w)
{
	uint64_t finished = w->agenda.finished;
	if (w->whole_need <= finished || w->held_back == HELD_BACK_MOST)
		return false;
	w->held_back++;
	return true;
}

void gap_batch_finished(struct watcher *w, uint64_t batch)
{
	for (uint32_t i = 0; i < w->root_count; i++) {
		for (unsigned cause = 0; cause < CAUSES; cause++)
			close_if_healed(w, w->roots[i], cause, batch);
	}
	if (w->overflow.batch && w->overflow.batch <= batch)
		rest_from_walk(&w->overflow);
	if (w->overflow.gap.open && w->overflow.gap.need <= batch) {
		w->overflow.gap.open = false;
		w->overflow.closed_ns = own_now_ns();
		tell(w, NULL, WATCHER_GAP_CLOSED, WATCHER_CAUSE_OVERFLOW);
	}
	sum_up(w);
	bool told = w->walked_all_need <= batch || w->listed;
	if (told && !gap_holds_back(w)) {
		w->listed = false;
		w->walked_all_need = NEED_NEVER;
		tell(w, NULL, WATCHER_WALKED_ALL, WATCHER_CAUSE_OVERFLOW);
	}
}
