/* mounts: see mounts.h. */
#include "watcher/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/gap.h"
#include "watcher/mountinfo.h"
#include "watcher/root.h"
#include "watcher/view.h"

/* Looks are at least this many times as far apart as the last one took. */
#define REST 9

/* One mount, as bytes that differ where two of them do. */
struct mount_text {
	char *text; /* "below", NUL, and everything else that tells one from another */
	size_t len;
	unsigned id;
};

struct mount_set {
	struct mount_text *at; /* sorted */
	size_t count;
	size_t room;
};

struct mounts {
	char *real; /* the root's path free of symlinks; NULL: not known */
	bool known; /* was holds what was mounted when the root was walked */
	struct mount_set was;
	struct mount_set is; /* while they are read */
};

static void set_done(struct mount_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->at[i].text);
	free(set->at);
	*set = (struct mount_set){ 0 };
}

void mounts_forget(struct root *root)
{
	struct mounts *mounts = root->mounts;
	if (!mounts)
		return;
	set_done(&mounts->was);
	free(mounts->real);
	free(mounts);
	root->mounts = NULL;
}

void mounts_locate(struct root *root, int fd)
{
	char *real = view_path(fd);
	if (!root->mounts)
		root->mounts = own_calloc(1, sizeof *root->mounts);
	free(root->mounts->real);
	root->mounts->real = real;
}

static void set_add(struct mount_set *set, const char *below, const struct mountinfo *mount)
{
	char numbers[64];
	struct bytes text = { 0 };
	(void)snprintf(numbers, sizeof numbers, "%u %u %u ", mount->id, mount->parent, mount->dev);
	bytes_append(&text, below, strlen(below) + 1);
	bytes_append(&text, numbers, strlen(numbers));
	bytes_append(&text, mount->type, strlen(mount->type) + 1);
	bytes_append(&text, mount->root, strlen(mount->root));
	if (set->count == set->room) {
		set->room = set->room ? 2 * set->room : 8;
		set->at = own_realloc(set->at, set->room, sizeof *set->at);
	}
	set->at[set->count++] =
		(struct mount_text){ .text = text.data, .len = text.len, .id = mount->id };
}

static int compare(const void *left, const void *right)
{
	const struct mount_text *a = left;
	const struct mount_text *b = right;
	size_t common = a->len < b->len ? a->len : b->len;
	int differs = memcmp(a->text, b->text, common);
	if (differs != 0)
		return differs;
	return (a->len > b->len) - (a->len < b->len);
}

/* Puts a mount into the new sets of those roots that it concerns. */
static void sort_in(struct root *const *roots, uint32_t count, const struct mountinfo *mount)
{
	for (uint32_t i = 0; i < count; i++) {
		struct mounts *mounts = roots[i]->mounts;
		const char *real = mounts ? mounts->real : NULL;
		const char *below = real ? mountinfo_below(mount->point, real) : NULL;
		if (below)
			set_add(&mounts->is, below, mount);
	}
}

/* Reads all mounts into the new sets of those roots that are located; false when that failed. */
static bool read_all(struct root *const *roots, uint32_t count)
{
	FILE *file = view_mounts();
	if (!file)
		return false;
	char *line = NULL;
	size_t room = 0;
	struct mountinfo mount;
	while (getline(&line, &room, file) >= 0) {
		if (mountinfo_parse(line, &mount))
			sort_in(roots, count, &mount);
	}
	bool whole = !ferror(file);
	free(line);
	(void)fclose(file);
	for (uint32_t i = 0; i < count; i++) {
		struct mounts *mounts = roots[i]->mounts;
		if (mounts && mounts->is.count > 1)
			qsort(mounts->is.at, mounts->is.count, sizeof *mounts->is.at, compare);
	}
	return whole;
}

/* The sets just read are the ones that are remembered. */
static void keep(struct mounts *mounts, bool known)
{
	set_done(&mounts->was);
	mounts->was = mounts->is;
	mounts->is = (struct mount_set){ 0 };
	mounts->known = known && mounts->real;
}

void mounts_remember(struct root *root, int fd)
{
	mounts_locate(root, fd);
	bool known = read_all(&root, 1);
	keep(root->mounts, known);
}

void mounts_met(struct root *root, uint64_t id)
{
	struct mounts *mounts = root->mounts;
	if (!mounts || !mounts->known || id == 0 || id == root->id.mount)
		return;
	for (size_t i = 0; i < mounts->was.count; i++) {
		if (mounts->was.at[i].id == id)
			return;
	}
	mounts->known = false;
}

static void open_gap(struct watcher *w, struct root *root)
{
	gap_open(w, root, WATCHER_CAUSE_MOUNT);
	gap_heals(root, WATCHER_CAUSE_MOUNT, agenda_want(&w->agenda));
}

/* Something else is mounted at below ("/..."; "": where the root lies), or nothing any more. Lists
 * the directory that stands there, or the nearest one above that is known. */
static void look_at(struct watcher *w, struct root *root, const char *below)
{
	struct node *node = root->top;
	while (*below == '/') {
		size_t len = strcspn(++below, "/");
		struct node *child = tree_child(&w->tree, node, below, len);
		if (!child)
			break;
		node = child;
		below += len;
	}
	w->shadows_may_end = true;
	open_gap(w, root);
	agenda_push(&w->agenda, node, *below == '\0', watcher_position(w));
}

static bool lies_in(const char *below, const char *place)
{
	size_t len = strlen(place);
	return strncmp(below, place, len) == 0 && (below[len] == '\0' || below[len] == '/');
}

/* Looks at every place whose mounts differ between two sorted sets. What lies in one that is looked
 * at is met from there. */
static void look_at_differences(struct watcher *w, struct root *root)
{
	const struct mount_set *was = &root->mounts->was;
	const struct mount_set *is = &root->mounts->is;
	const char *last = NULL;
	for (size_t a = 0, b = 0; a < was->count || b < is->count;) {
		int order = 0;
		if (a == was->count)
			order = 1;
		else if (b == is->count)
			order = -1;
		else
			order = compare(&was->at[a], &is->at[b]);
		const char *below = order <= 0 ? was->at[a].text : is->at[b].text;
		a += order <= 0;
		b += order >= 0;
		if (order == 0 || (last && lies_in(below, last)))
			continue;
		look_at(w, root, below);
		last = below;
	}
}

/* Directories whose files are not told because they are watched at another place: that place may be
 * gone, with a mount that is none of their root's. */
static void look_at_shadows(struct watcher *w)
{
	if (!w->shadows || !w->shadows_may_end)
		return;
	bool any = false;
	w->shadows_may_end = false;
	for (uint32_t i = 0; i < w->root_count; i++) {
		struct node *top = w->roots[i]->top;
		for (struct node *at = top; at; at = tree_next(at, top)) {
			if (!(at->flags & NODE_SHADOW) || at->parent->flags & NODE_SHADOW)
				continue; /* met from above */
			any = true;
			agenda_push(&w->agenda, at, true, watcher_position(w));
		}
	}
	w->shadows = any;
}

static void look(struct watcher *w)
{
	for (uint32_t i = 0; i < w->root_count; i++)
		root_check(w, w->roots[i], WATCHER_CAUSE_MOUNT);
	bool known = read_all(w->roots, w->root_count);
	for (uint32_t i = 0; i < w->root_count; i++) {
		struct root *root = w->roots[i];
		struct mounts *mounts = root->mounts;
		if (root->present && known && mounts->known && mounts->real)
			look_at_differences(w, root);
		else if (root->present)
			look_at(w, root, ""); /* it cannot be told */
		if (mounts)
			keep(mounts, known);
	}
	look_at_shadows(w);
	w->walked_all_need = agenda_want(&w->agenda);
}

void mounts_due(struct watcher *w, int64_t now_ns)
{
	if (!w->mounts_waiting || w->mounts_due_ns > now_ns)
		return;
	int64_t began = own_now_ns();
	w->mounts_waiting = false;
	look(w);
	int64_t ended = own_now_ns();
	w->mounts_due_ns = ended + REST * (ended - began);
}

void mounts_changed(struct watcher *w)
{
	w->mounts_waiting = true;
	mounts_due(w, own_now_ns());
}
