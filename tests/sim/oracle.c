/*
 * oracle: what must be true of a watcher, and what it owes. See simulation.h.
 *
 * A file at a path is owed one telling since it came there, and one since it was last closed after
 * writing, before a ticket passes that is taken then and no walk is under way. Telling that a path
 * was left, when it was, takes that back. Where the same file comes back to a path without the
 * watcher having noticed that it was away, nothing new is owed. A mount that comes and goes before
 * anybody looks for mounts leaves no trace, so what is told meanwhile is told of the files that it
 * covers: whoever is told believes in no absence before that look (core/app/loop.c).
 */
#include <linux/magic.h>
#include <sys/inotify.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/simulation.h"

#define FILES_MOST   4096
#define TICKETS_MOST 8
#define OWED_MOST    128

/* A file at a path, now or once. */
struct place {
	uint64_t hash;
	uint64_t serial;
	char path[SIM_PATH_MOST];
	const struct mem_entry *entry;
	uint64_t put; /* of the entry: only directories above it were moved while it is the same */
	bool here;
	bool seen;	     /* by the look that is going on */
	bool covered;	     /* it went with a mount or umount */
	uint64_t comings;    /* how often it came */
	uint64_t since;	     /* when it came first */
	uint64_t closed;     /* when it was closed last; 0: never */
	uint64_t told;	     /* at all; 0: not, or it was told that it left */
	uint64_t told_whole; /* as something that may be complete */
};

static struct place *files;
static size_t file_count;
static uint64_t structure;
static size_t mounts; /* at the last look */

static struct {
	bool open[SIM_ROOTS + 1][CAUSES];
	uint64_t overflows;
	bool instance_is_new; /* since the end of a walk */
	bool walking;	      /* the way of core/app: until the end of a walk is told */
} told;

static struct ticket {
	bool live;
	bool by_events; /* no root was polled when it was taken */
	uint64_t number;
	uint64_t horizon; /* bytes that the kernel had queued */
	size_t owed;

	struct {
		size_t file;
		uint64_t comings;
		uint64_t since;
		uint64_t closed;
	} what[OWED_MOST];
} tickets[TICKETS_MOST];

static uint64_t hash(const char *path)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
	return h;
}

void oracle_begin(void)
{
	if (!files)
		files = calloc(FILES_MOST, sizeof *files);
	if (!files)
		abort();
	file_count = 0;
	structure = 0;
	mounts = 1;
	memset(&told, 0, sizeof told);
	memset(tickets, 0, sizeof tickets);
	told.walking = true;
}

void oracle_instance(void)
{
	told.instance_is_new = true;
}

void oracle_walk(void)
{
	told.walking = true;
}

/* ------- what there is ------- */

static void saw(const char *path, const struct mem_entry *entry)
{
	uint64_t h = hash(path);
	struct place *free_one = NULL;
	for (size_t i = 0; i < file_count; i++) {
		struct place *place = &files[i];
		if (place->hash == h && place->serial == entry->inode->serial) {
			free_one = place;
			break;
		}
	}
	if (!free_one) {
		if (file_count == FILES_MOST)
			return;
		free_one = &files[file_count++];
		*free_one = (struct place){ .hash = h,
					    .serial = entry->inode->serial,
					    .since = sim.clock };
		(void)snprintf(free_one->path, sizeof free_one->path, "%s", path);
	}
	if (!free_one->here) {
		free_one->comings++;
		if (free_one->put != entry->put)
			free_one->closed = 0;
	}
	free_one->here = free_one->seen = true;
	free_one->entry = entry;
	free_one->put = entry->put;
}

/* Counts how many paths lead to each directory. */
static void count_below(struct mem_spot spot)
{
	spot.inode->paths++;
	for (struct mem_entry *entry = spot.inode->entries; entry; entry = entry->next) {
		struct mem_spot below = { spot.mount, entry->inode };
		mem_cross(&below);
		if (below.inode->kind == MEM_DIR)
			count_below(below);
	}
}

static void look_below(struct mem_spot spot, char *path, size_t len)
{
	for (struct mem_entry *entry = spot.inode->entries; entry; entry = entry->next) {
		struct mem_spot below = { spot.mount, entry->inode };
		size_t more = len + 1 + strlen(entry->name);
		if (more >= SIM_PATH_MOST)
			continue;
		path[len] = '/';
		memcpy(path + len + 1, entry->name, more - len);
		mem_cross(&below);
		if (below.inode->kind == MEM_DIR)
			look_below(below, path, more);
		else
			saw(path, entry);
	}
	path[len] = '\0';
}

static void look_at_root(const char *root, bool count)
{
	char path[SIM_PATH_MOST];
	struct mem_spot spot;
	if (mem_resolve(root, &spot) != 0 || spot.inode->kind != MEM_DIR)
		return;
	(void)snprintf(path, sizeof path, "%s", root);
	if (count)
		count_below(spot);
	else
		look_below(spot, path, strlen(path));
}

static size_t count_mounts(void)
{
	size_t count = 0;
	for (const struct mem_mount *mount = mem.mounts; mount; mount = mount->next)
		count += mount->parent != NULL || mount == mem.first;
	return count;
}

void oracle_look(void)
{
	bool by_mount = count_mounts() != mounts;
	mounts = count_mounts();
	if (structure == mem.structure)
		return;
	structure = mem.structure;
	for (size_t i = 0; i < file_count; i++)
		files[i].seen = false;
	for (struct mem_inode *inode = mem.inodes; inode; inode = inode->next)
		inode->paths = 0;
	mem.all_seeing = true;
	for (unsigned i = 0; i < sim.root_count; i++)
		look_at_root(sim.roots[i], true);
	for (unsigned i = 0; i < sim.root_count; i++)
		look_at_root(sim.roots[i], false);
	mem.all_seeing = false;
	for (size_t i = 0; i < file_count; i++) {
		if (files[i].here)
			files[i].covered = by_mount;
		files[i].here = files[i].seen;
	}
}

void oracle_closed(const struct mem_entry *entry)
{
	for (size_t i = 0; i < file_count; i++) {
		if (files[i].here && files[i].entry == entry)
			files[i].closed = sim.clock;
	}
}

/* ------- what is told ------- */

static bool is_covered(const struct place *place)
{
	return sim.mounts_untold && place->covered && !place->here;
}

static void tell(struct place *place, bool whole)
{
	place->told = sim.clock;
	if (whole)
		place->told_whole = sim.clock;
}

static void tell_here(const char *path, bool whole)
{
	uint64_t h = hash(path);
	struct place *last = NULL;
	for (size_t i = 0; i < file_count; i++) {
		struct place *place = &files[i];
		if (place->hash == h && is_covered(place))
			tell(place, whole);
		else if (place->hash == h && (place->here || !last || !last->here))
			last = place;
	}
	for (size_t i = 0; last && i < file_count; i++) {
		if (files[i].hash == h && &files[i] != last && !is_covered(&files[i]))
			files[i].told = files[i].told_whole = 0;
	}
	if (last)
		tell(last, whole);
}

static void tell_left(const char *path, bool below)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < file_count; i++) {
		const char *other = files[i].path;
		/* what is there is found there: an exchange is told as two renames, of which the
		 * second says that the name was left, though it was not */
		if (!files[i].here && !is_covered(&files[i]) && strncmp(other, path, len) == 0 &&
		    other[len] == (below ? '/' : '\0'))
			files[i].told = files[i].told_whole = files[i].closed = 0;
	}
}

static bool has_cause(enum watcher_cause cause)
{
	switch (cause) {
	case WATCHER_CAUSE_OVERFLOW:
		return sim.overflows_read > told.overflows++;
	case WATCHER_CAUSE_MOUNT:
		return sim.mounted;
	case WATCHER_CAUSE_LIMIT:
		return mem.answered_limit > 0 || mem.answered_fault > 0;
	case WATCHER_CAUSE_ROOT:
		return sim.disturbed || sim.reloaded || sim.mounted || mem.answered_fault > 0;
	case WATCHER_CAUSE_UNREADABLE:
		return mem.answered_unreadable > 0 || mem.answered_fault > 0;
	}
	return false;
}

static void tell_gap(const struct watcher_event *event)
{
	bool opened = event->kind == WATCHER_GAP_OPENED;
	unsigned row = event->root == WATCHER_NO_ROOT ? SIM_ROOTS : event->root;
	if (row > SIM_ROOTS)
		sim_fail("a gap of root %u", event->root);
	else if (told.open[row][event->cause] == opened)
		sim_fail("gap %d of %u opened or closed twice", (int)event->cause, row);
	else if (opened && !sim.fed_garbage && !has_cause(event->cause))
		sim_fail("gap %d of %u without a cause", (int)event->cause, row);
	else
		told.open[row][event->cause] = opened;
}

void oracle_told(const struct watcher_event *event)
{
	static const char *const kinds[] = {
		"closed",    "moved",	 "created",    "touched",    "walked",	   "gone",
		"dir moved", "dir gone", "gap opened", "gap closed", "walked all", "complaint"
	};
	sim.clock++;
	sim_say("    told: %s %s%s%s%s cause %d", kinds[event->kind],
		event->path ? event->path : "", event->from ? " from " : "",
		event->from ? event->from : "", event->text ? event->text : "", (int)event->cause);
	switch (event->kind) {
	case WATCHER_WALKED:
		told.walking = true;
		tell_here(event->path, true);
		break;
	case WATCHER_MOVED:
		if (event->from)
			tell_left(event->from, false);
		tell_here(event->path, true);
		break;
	case WATCHER_CLOSED:
		tell_here(event->path, true);
		break;
	case WATCHER_CREATED:
		tell_here(event->path, false);
		break;
	case WATCHER_GONE:
		tell_left(event->path, false);
		break;
	case WATCHER_DIR_GONE:
		tell_left(event->path, true);
		break;
	case WATCHER_DIR_MOVED:
		told.walking = true;
		tell_left(event->from, true);
		break;
	case WATCHER_GAP_OPENED:
		told.walking = true;
		tell_gap(event);
		break;
	case WATCHER_GAP_CLOSED:
		tell_gap(event);
		break;
	case WATCHER_WALKED_ALL:
		told.walking = told.instance_is_new = false;
		break;
	case WATCHER_TOUCHED:
	case WATCHER_COMPLAINT:
		break;
	}
}

static bool owed(const struct place *place)
{
	return place->here &&
	       (place->told < place->since || (place->closed && place->told_whole < place->closed));
}

/* A directory at two paths is told at one of them only: the other one is in its shadow. What can be
 * found only there, since mounts hide it at the first, is not. */
static bool in_shadow(const struct place *place)
{
	const struct node *node = NULL;
	const char *rest = place->path;
	for (unsigned i = 0; i < sim.root_count && !node; i++) {
		size_t len = strlen(sim.roots[i]);
		if (strncmp(rest, sim.roots[i], len) == 0 && rest[len] == '/') {
			node = sim.w->roots[i]->top;
			rest += len;
		}
	}
	while (node && *rest == '/') {
		size_t len = strcspn(++rest, "/");
		const struct node *child = tree_child(&sim.w->tree, node, rest, len);
		rest += len;
		if (*rest == '\0' || !child)
			return node->flags & NODE_SHADOW;
		node = child;
	}
	return false;
}

/* ------- tickets ------- */

static bool gap_is_open(void)
{
	for (unsigned i = 0; i <= SIM_ROOTS; i++) {
		for (unsigned cause = 0; cause < CAUSES; cause++) {
			if (told.open[i][cause])
				return true;
		}
	}
	return false;
}

/* Is everything told by events now, or by walks that have an end? */
static bool is_strict(void)
{
	if (sim.fed_garbage || sim.mounts_untold || gap_is_open())
		return false;
	for (unsigned i = 0; i < sim.root_count; i++) {
		struct mem_spot spot;
		if (!watcher_root_present(sim.w, i) || watcher_root_polled(sim.w, i))
			return false;
		/* another directory took its place, and no event has said so yet */
		if (mem_resolve(sim.roots[i], &spot) != 0 ||
		    sim.w->roots[i]->top->wd != spot.inode->wd)
			return false;
	}
	return true;
}

void oracle_ticket(void)
{
	for (unsigned n = 0; n < TICKETS_MOST; n++) {
		struct ticket *ticket = &tickets[n];
		if (ticket->live)
			continue;
		*ticket = (struct ticket){ .live = true, .by_events = !told.instance_is_new };
		for (unsigned i = 0; i < sim.root_count; i++)
			ticket->by_events &= !watcher_root_polled(sim.w, i);
		ticket->number = watcher_ticket(sim.w);
		ticket->horizon = mem.queued;
		for (size_t i = 0; i < file_count && ticket->owed < OWED_MOST; i++) {
			if (!owed(&files[i]))
				continue;
			ticket->what[ticket->owed].file = i;
			ticket->what[ticket->owed].comings = files[i].comings;
			ticket->what[ticket->owed].since = files[i].since;
			ticket->what[ticket->owed].closed = files[i].closed;
			ticket->owed++;
		}
		sim_say("ticket %u: %llu, owed %zu", n, (unsigned long long)ticket->number,
			ticket->owed);
		return;
	}
}

static void passed(const struct ticket *ticket)
{
	if (!sim.fed_garbage && mem.queued - mem_queue_bytes() < ticket->horizon)
		sim_fail("a ticket passed before an event that was queued before it");
	for (size_t i = 0; ticket->by_events && is_strict() && i < ticket->owed; i++) {
		const struct place *place = &files[ticket->what[i].file];
		if (!place->here || place->comings != ticket->what[i].comings || in_shadow(place))
			continue;
		if (place->told < ticket->what[i].since ||
		    (ticket->what[i].closed && place->told_whole < ticket->what[i].closed))
			sim_fail("a ticket passed, but %s was not told", place->path);
	}
}

void oracle_look_at_tickets(void)
{
	for (unsigned n = 0; n < TICKETS_MOST; n++) {
		struct ticket *ticket = &tickets[n];
		if (!ticket->live || told.walking || !watcher_passed(sim.w, ticket->number))
			continue;
		sim_say("ticket %u passed", n);
		ticket->live = false;
		passed(ticket);
	}
}

/* ------- at rest ------- */

static size_t nodes_met;
static size_t shadows_met; /* what goes there is told where they are watched, and not here */

static void check_files(void)
{
	for (size_t i = 0; i < file_count; i++) {
		const struct place *place = &files[i];
		if (owed(place) && !in_shadow(place))
			sim_fail("%s was not told (came %llu, closed %llu, told %llu, whole %llu)",
				 place->path, (unsigned long long)place->since,
				 (unsigned long long)place->closed, (unsigned long long)place->told,
				 (unsigned long long)place->told_whole);
	}
}

static void check_idle(bool settled)
{
	const struct watcher *w = sim.w;
	if (!notes_empty(&w->notes) || w->ready)
		sim_fail("something is untold");
	if (!agenda_idle(&w->agenda))
		sim_fail("the agenda is not empty");
	if (limbo_since(w) != UINT64_MAX || limbo_busy(w))
		sim_fail("limbo is not empty");
	if (w->moves.untold > 0)
		sim_fail("half a move is held");
	if (w->timer_ns != 0)
		sim_fail("the timer runs");
	if (mem.descriptors != 0)
		sim_fail("%zu descriptors are held", mem.descriptors);
	if (w->tree.wds.count != w->tree.wds.live)
		sim_fail("%zu watches are known, %zu in use", w->tree.wds.count, w->tree.wds.live);
	/* but for one whose end was made up */
	if (settled && !sim.fed_garbage && w->tree.wds.live != mem.watches)
		sim_fail("%zu watches in use, the kernel has %zu", w->tree.wds.live, mem.watches);
	if (told.walking)
		sim_fail("the end of a walk was not told");
	for (unsigned n = 0; n < TICKETS_MOST; n++) {
		if (tickets[n].live)
			sim_fail("a ticket never passed");
	}
}

static void check_node(const struct node *node, const struct mem_spot *spot, bool polled)
{
	const char *name = node->name ? node->name : "(top)";
	if (node->flags & (NODE_DETACHED | NODE_DEAD | NODE_QUEUED | NODE_FORCE))
		sim_fail("%s has flags %x", name, node->flags);
	if (node->parent && node->ino != 0 && node->ino != spot->inode->ino)
		sim_fail("%s is another directory than the tree believes", name);
	if (node->flags & NODE_SHADOW) {
		const struct wd_entry *entry = wdmap_find(&sim.w->tree.wds, spot->inode->wd);
		const struct node *other = entry ? entry->node : NULL;
		if (spot->inode->paths < 2 || !other || other == node ||
		    other->flags & NODE_SHADOW || !tree_attached(other))
			sim_fail("%s is in the shadow of nothing", name);
	}
	if (node->wd > 0 && node->wd != spot->inode->wd)
		sim_fail("%s is watched as another", name);
	if (polled && node->wd > 0)
		sim_fail("%s is watched though its root is polled", name);
	if (!polled && node->wd == 0 && !(node->flags & NODE_SHADOW) &&
	    node->trouble == TROUBLE_NONE)
		sim_fail("%s is not watched", name);
}

static void check_below(const struct node *node, struct mem_spot spot, bool polled)
{
	nodes_met++;
	check_node(node, &spot, polled);
	bool shadow = node->flags & NODE_SHADOW;
	shadows_met += shadow;
	for (const struct mem_entry *entry = spot.inode->entries; entry; entry = entry->next) {
		if (entry->inode->kind != MEM_DIR)
			continue;
		struct mem_spot below = { spot.mount, entry->inode };
		mem_cross(&below);
		const struct node *child =
			tree_child(&sim.w->tree, node, entry->name, strlen(entry->name));
		if (child)
			check_below(child, below, polled);
		else if (!shadow || below.inode->wd == 0)
			sim_fail("the tree lacks %s", entry->name);
	}
}

static void allow_above(struct mem_spot spot, int *wds, size_t *count)
{
	for (;;) {
		if (spot.inode->wd && *count < 128)
			wds[(*count)++] = spot.inode->wd;
		if (spot.inode != spot.mount->root && spot.inode->parent)
			spot.inode = spot.inode->parent;
		else if (spot.mount->parent)
			spot = (struct mem_spot){ spot.mount->parent, spot.mount->point };
		else
			return;
	}
}

/* What may be watched beside the trees: whatever a root's path is made of, and all above it. */
static size_t allowed(int *wds)
{
	char part[SIM_PATH_MOST];
	size_t count = 0;
	for (unsigned i = 0; i < sim.root_count; i++) {
		for (size_t len = 1; len <= strlen(sim.roots[i]); len++) {
			struct mem_spot spot;
			if (sim.roots[i][len] != '/' && sim.roots[i][len] != '\0')
				continue;
			(void)snprintf(part, sizeof part, "%.*s", (int)len, sim.roots[i]);
			if (mem_resolve(part, &spot) == 0 && spot.inode->kind == MEM_DIR)
				allow_above(spot, wds, &count);
		}
	}
	return count;
}

static void check_watches(void)
{
	int wds[128];
	size_t count = allowed(wds);
	for (const struct mem_inode *inode = mem.inodes; inode; inode = inode->next) {
		const struct wd_entry *entry = wdmap_find(&sim.w->tree.wds, inode->wd);
		bool fine = inode->wd == 0 || (entry && entry->node) || (sim.fed_garbage && !entry);
		for (size_t i = 0; !fine && i < count; i++)
			fine = wds[i] == inode->wd;
		if (!fine)
			sim_fail("watch %d is on nothing that is to be watched", inode->wd);
	}
}

/* Roots that have come to lie in each other: one of them is left out, with words. */
static bool clash(void)
{
	return sim.root_count == 2 && (root_clash(sim.w, sim.w->roots[0]) != NULL ||
				       sim.w->roots[0]->clashed || sim.w->roots[1]->clashed);
}

static void check_trees(void)
{
	uint64_t trouble = 0;
	nodes_met = shadows_met = 0;
	for (unsigned i = 0; i < sim.root_count; i++) {
		const struct root *root = sim.w->roots[i];
		struct mem_spot spot;
		bool there = mem_resolve(sim.roots[i], &spot) == 0 && spot.inode->kind == MEM_DIR;
		if (there != root->present)
			sim_fail("%s is %s", sim.roots[i], there ? "not found" : "no more there");
		if (there && root->present)
			check_below(root->top, spot, root->polled);
		for (unsigned cause = 0; cause < CAUSES; cause++) {
			bool absence = !there && (cause == WATCHER_CAUSE_ROOT ||
						  cause == WATCHER_CAUSE_MOUNT);
			if (told.open[i][cause] && !absence)
				sim_fail("gap %u of %s stays open", cause, sim.roots[i]);
		}
		for (unsigned kind = TROUBLE_NONE + 1; kind < TROUBLE_KINDS; kind++)
			trouble += root->trouble[kind];
	}
	if (told.open[SIM_ROOTS][WATCHER_CAUSE_OVERFLOW])
		sim_fail("the overflow's gap stays open");
	if (shadows_met > 0 ? nodes_met > sim.w->tree.count : nodes_met != sim.w->tree.count)
		sim_fail("the tree has %zu directories, there are %zu", sim.w->tree.count,
			 nodes_met);
	for (const struct mem_mount *mount = mem.mounts; mount; mount = mount->next) {
		if (mount->root->fs->magic == FUSE_SUPER_MAGIC)
			return;
	}
	if (trouble > 0)
		sim_fail("%llu directories stay in trouble", (unsigned long long)trouble);
}

bool oracle_hindered(void)
{
	if (mem.watches_most != SIZE_MAX || mem.no_instance)
		return true;
	for (const struct mem_inode *inode = mem.inodes; inode; inode = inode->next) {
		if (inode->kind == MEM_DIR && inode->mode != MEM_ALL)
			return true;
	}
	return false;
}

void oracle_rest(bool settled)
{
	oracle_look();
	oracle_look_at_tickets();
	check_idle(settled);
	if (!settled || sim.failed || clash())
		return;
	check_trees();
	check_watches();
	check_files();
}
