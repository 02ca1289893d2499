/* gaps: see gaps.h. */
#include "core/app/gaps.h"

#include <stdlib.h>

#include "core/app/rescan.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/store/store.h"
#include "watcher/watcher.h"

struct gap {
	struct list link;
	struct store_gap record;
	struct store_op open;
	struct store_op close;
	uint32_t root;
	bool down;	     /* the downtime */
	bool closing;	     /* its end is on the way to the history */
	uint64_t unrecorded; /* files that came and went; 0: another gap */
};

struct gaps {
	struct store_gap now; /* for the operation below */
	struct store_op due_by;
	struct list open;  /* of struct gap, those whose end is not committed yet among them */
	size_t count;	   /* of those that are open */
	size_t unrecorded; /* of them, those of gaps_unrecorded() */
};

static const char *const cause_names[] = {
	[WATCHER_CAUSE_OVERFLOW] = "overflow",	   [WATCHER_CAUSE_MOUNT] = "mount",
	[WATCHER_CAUSE_LIMIT] = "limit",	   [WATCHER_CAUSE_ROOT] = "root",
	[WATCHER_CAUSE_UNREADABLE] = "unreadable",
};

struct gaps *gaps_new(void)
{
	struct gaps *gaps = xcalloc(1, sizeof *gaps);
	list_init(&gaps->open);
	return gaps;
}

static void gap_free(struct gap *gap)
{
	free(gap->record.root);
	free(gap);
}

void gaps_free(struct gaps *gaps)
{
	if (!gaps)
		return;
	for (struct list *link; (link = list_shift(&gaps->open));)
		gap_free(LIST_OF(link, struct gap, link));
	free(gaps);
}

static struct gap *open_gap(struct app *app, uint32_t root, const char *cause, int64_t opened_ns)
{
	struct gap *gap = xcalloc(1, sizeof *gap);
	gap->root = root;
	gap->record.cause = cause;
	gap->record.opened_ns = opened_ns;
	if (root != WATCHER_NO_ROOT)
		gap->record.root = xstrdup(roots_path(app->roots, root));
	list_init(&gap->open.link);
	list_init(&gap->close.link);
	list_append(&app->gaps->open, &gap->link);
	app->gaps->count++;
	gap->open.verb = STORE_GAP_OPEN;
	gap->open.gap = &gap->record;
	gap->open.owner = gap;
	store_submit(app->store, &gap->open);
	return gap;
}

static void close_gap(struct app *app, struct gap *gap)
{
	gap->closing = true;
	app->gaps->count--;
	gap->record.closed_ns = clock_wall_ns();
	gap->close.verb = STORE_GAP_CLOSE;
	gap->close.gap = &gap->record;
	gap->close.owner = gap;
	log_notice("gap closed cause=%s root=%s found=%lld", gap->record.cause,
		   gap->record.root ? gap->record.root : "*", (long long)gap->record.found);
	store_submit(app->store, &gap->close);
}

void gaps_down(struct app *app, int64_t opened_ns)
{
	if (opened_ns == 0)
		return;
	int64_t now = clock_wall_ns();
	if (opened_ns > now)
		opened_ns = now; /* the clock was set back since */
	struct gap *gap = open_gap(app, WATCHER_NO_ROOT, "down", opened_ns);
	gap->down = true;
}

void gaps_clock(struct app *app, int64_t longest_ms)
{
	struct gaps *gaps = app->gaps;
	gaps->now.opened_ns = clock_steady_ns();
	gaps->now.closed_ns = gaps->now.opened_ns + longest_ms * CLOCK_NS_PER_MS;
	gaps->due_by = (struct store_op){ .verb = STORE_DUE_BY, .gap = &gaps->now };
	list_init(&gaps->due_by.link);
	store_submit(app->store, &gaps->due_by);
}

static void told_clock(struct app *app, const struct store_op *op)
{
	if (op->result != STORE_WRITTEN)
		return;
	log_notice("what waits was due later than anything waits: the clock was ahead when that "
		   "was recorded; it is tried now");
	app->backlog = true;
	rescan_note(app);
}

void gaps_event(struct app *app, const struct watcher_event *event)
{
	const char *cause = cause_names[event->cause];
	if (event->kind == WATCHER_GAP_OPENED) {
		struct gap *gap = open_gap(app, event->root, cause, clock_wall_ns());
		log_warning("gap opened, events may be lost and are made up for by a walk cause=%s "
			    "root=%s",
			    cause, gap->record.root ? gap->record.root : "*");
		return;
	}
	LIST_FOREACH(at, &app->gaps->open) {
		struct gap *gap = LIST_OF(at, struct gap, link);
		if (!gap->closing && !gap->unrecorded && gap->root == event->root &&
		    gap->record.cause == cause) {
			close_gap(app, gap);
			return;
		}
	}
}

void gaps_unrecorded(struct app *app, uint32_t root)
{
	LIST_FOREACH(at, &app->gaps->open) {
		struct gap *gap = LIST_OF(at, struct gap, link);
		if (gap->closing || !gap->unrecorded || gap->root != root)
			continue;
		gap->unrecorded++;
		return;
	}
	struct gap *gap = open_gap(app, root, cause_names[WATCHER_CAUSE_LIMIT], clock_wall_ns());
	gap->unrecorded = 1;
	app->gaps->unrecorded++;
	log_warning(
		"gap opened, what comes and goes before it is looked at is not recorded, as the "
		"history's disk is full cause=limit root=%s",
		gap->record.root ? gap->record.root : "*");
}

void gaps_tick(struct app *app)
{
	if (app->gaps->unrecorded == 0 || store_spares_room(app->store))
		return;
	LIST_FOREACH(at, &app->gaps->open) {
		struct gap *gap = LIST_OF(at, struct gap, link);
		if (gap->closing || !gap->unrecorded)
			continue;
		log_notice("files that came and went and are not recorded: %llu",
			   (unsigned long long)gap->unrecorded);
		close_gap(app, gap);
	}
	app->gaps->unrecorded = 0;
}

/* Gaps that a daemon which was killed left open: this start's walk made up for them. */
static void close_left_open(struct app *app)
{
	struct gap *gap = xcalloc(1, sizeof *gap);
	gap->record.opened_ns = app->started_ns;
	gap->record.closed_ns = clock_wall_ns();
	gap->closing = true;
	list_append(&app->gaps->open, &gap->link);
	list_init(&gap->close.link);
	gap->close.verb = STORE_GAP_CLOSE_OLD;
	gap->close.gap = &gap->record;
	gap->close.owner = gap;
	store_submit(app->store, &gap->close);
}

void gaps_walked_all(struct app *app)
{
	if (!app->walked_all)
		close_left_open(app);
	LIST_FOREACH(at, &app->gaps->open) {
		struct gap *gap = LIST_OF(at, struct gap, link);
		if (gap->down && !gap->closing) {
			close_gap(app, gap);
			return;
		}
	}
}

void gaps_found(struct app *app, uint32_t root)
{
	LIST_FOREACH(at, &app->gaps->open) {
		struct gap *gap = LIST_OF(at, struct gap, link);
		if (!gap->closing && (gap->root == WATCHER_NO_ROOT || gap->root == root))
			gap->record.found++;
	}
}

void gaps_committed(struct app *app, struct store_op *op)
{
	if (op->verb == STORE_DUE_BY)
		told_clock(app, op);
	struct gap *gap = op->owner;
	if (!gap || op->verb == STORE_GAP_OPEN)
		return;
	list_unlink(&gap->link);
	gap_free(gap);
}

bool gaps_overflow_open(const struct app *app)
{
	LIST_FOREACH(at, &app->gaps->open) {
		const struct gap *gap = LIST_OF(at, struct gap, link);
		if (!gap->closing && gap->record.cause == cause_names[WATCHER_CAUSE_OVERFLOW])
			return true;
	}
	return false;
}

void gaps_json(const struct app *app, struct str *out)
{
	const char *before = "[";
	LIST_FOREACH(at, &app->gaps->open) {
		const struct gap *gap = LIST_OF(at, struct gap, link);
		if (gap->closing)
			continue;
		str_printf(out, "%s{\"cause\":\"%s\",\"root\":", before, gap->record.cause);
		str_json_text(out, gap->record.root);
		str_printf(out, ",\"opened_ns\":%lld,\"found\":%lld}",
			   (long long)gap->record.opened_ns, (long long)gap->record.found);
		before = ",";
	}
	str_puts(out, *before == '[' ? "[]" : "]");
}

size_t gaps_open(const struct app *app)
{
	return app->gaps->count;
}
