/* met: see met.h. */
#include "core/app/met.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/app/doubt.h"
#include "core/app/hints.h"
#include "core/app/pull.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identity.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/entry/scheme.h"
#include "core/store/reader.h"
#include "core/store/store.h"
#include "watcher/watcher.h"

/* Files that are kept at most, some 120 bytes each with their names, and directories that they lie
 * in. The more, the more of what is read and written of the history serves several files; and the
 * longer, when most of them are new, events wait behind them. */
#define FILES_MOST  16384
#define PLACES_MOST 256
#define TEXT_MOST   ((size_t)2 << 20) /* bytes of their names and directories */

/* Where some of the files were met. */
struct place {
	size_t path; /* in the text: the directory and the slash behind it */
	size_t len;  /* of both */
	uint32_t root;
	int dir; /* watcher_event's */
	uint32_t dev_major, dev_minor;
	uint64_t fsid;
	int64_t id; /* the history's; 0: it has none */
	bool asked; /* for the id */
};

/* What is needed of its statx, and of its name. */
struct file {
	uint64_t inode;
	int64_t btime_ns, size, mtime_ns, ctime_ns;
	uint32_t links;
	uint32_t name; /* in the text */
	uint16_t name_len;
	uint16_t place;
	uint16_t mode;
	bool asks; /* the history may know all about it */
	bool known;
};

struct turn {
	uint64_t inode;
	uint32_t file;
};

struct met {
	/* FILES_MOST, FILES_MOST, PLACES_MOST; NULL while nothing was met since met_rest() */
	struct file *files;
	struct turn *turns;
	struct place *places;
	size_t count, place_count;
	size_t told; /* turns that are through, once they were looked up */
	bool looked_up;
	struct str text; /* directories and names */
	struct str path; /* of the one that is told */
};

struct met *met_new(void)
{
	return xcalloc(1, sizeof(struct met));
}

static void forget(struct met *met)
{
	met->looked_up = false;
	met->told = 0;
	met->count = 0;
	met->place_count = 0;
	str_reset(&met->text);
}

void met_rest(struct met *met)
{
	assert(met->count == 0);
	free(met->files);
	free(met->turns);
	free(met->places);
	str_done(&met->text);
	str_done(&met->path);
	*met = (struct met){ 0 };
}

void met_free(struct met *met)
{
	if (!met)
		return;
	forget(met);
	met_rest(met);
	free(met);
}

bool met_is_empty(const struct met *met)
{
	return met->count == 0;
}

static bool is_at(const struct met *met, const struct place *place,
		  const struct watcher_event *event)
{
	return place->len == event->dir_len + 1 && place->root == event->root &&
	       place->dir == event->dir && place->fsid == event->fsid &&
	       place->dev_major == event->stat->stx_dev_major &&
	       place->dev_minor == event->stat->stx_dev_minor &&
	       memcmp(met->text.data + place->path, event->path, place->len) == 0;
}

static void settle_in(struct met *met, const struct watcher_event *event)
{
	if (met->place_count > 0 && is_at(met, &met->places[met->place_count - 1], event))
		return;
	met->places[met->place_count++] = (struct place){
		.path = met->text.len,
		.len = event->dir_len + 1,
		.root = event->root,
		.dir = event->dir,
		.dev_major = event->stat->stx_dev_major,
		.dev_minor = event->stat->stx_dev_minor,
		.fsid = event->fsid,
	};
	str_append(&met->text, event->path, event->dir_len + 1);
}

/* A sidecar is read whatever the history has; our own files and special ones are dealt with
 * elsewhere. */
static bool may_be_known(const struct app *app, const struct watcher_event *event)
{
	const struct statx *st = event->stat;
	return S_ISREG(st->stx_mode) && event->fsid != 0 &&
	       !store_owns(app->store, makedev(st->stx_dev_major, st->stx_dev_minor),
			   st->stx_ino) &&
	       !scheme_may_be_sidecar(roots_schemes(app->roots, event->root), event->path,
				      event->path_len);
}

static void make_room(struct met *met)
{
	met->files = xcalloc(FILES_MOST, sizeof *met->files);
	met->turns = xcalloc(FILES_MOST, sizeof *met->turns);
	met->places = xcalloc(PLACES_MOST, sizeof *met->places);
}

static void keep(struct app *app, const struct watcher_event *event)
{
	struct met *met = app->met;
	const struct identity identity = identity_of(event->stat, event->fsid);
	const char *name = event->path + event->dir_len + 1;
	size_t len = event->path_len - event->dir_len - 1;
	if (!met->files)
		make_room(met);
	settle_in(met, event);
	met->files[met->count++] = (struct file){
		.inode = identity.inode,
		.btime_ns = identity.btime_ns,
		.size = identity.size,
		.mtime_ns = identity.mtime_ns,
		.ctime_ns = identity.ctime_ns,
		.links = event->stat->stx_nlink,
		.name = (uint32_t)met->text.len,
		.name_len = (uint16_t)len,
		.place = (uint16_t)(met->place_count - 1),
		.mode = event->stat->stx_mode,
		.asks = may_be_known(app, event),
	};
	str_append(&met->text, name, len);
}

bool met_add(struct app *app, const struct watcher_event *event)
{
	const struct met *met = app->met;
	if (event->kind != WATCHER_WALKED || !event->stat || app->options.recorded ||
	    met->looked_up || met->count == FILES_MOST || met->place_count == PLACES_MOST ||
	    met->text.len + event->path_len > TEXT_MOST)
		return false;
	keep(app, event);
	app->walking = true;
	return true;
}

static void spell(struct met *met, const struct file *file)
{
	const struct place *place = &met->places[file->place];
	str_reset(&met->path);
	str_append(&met->path, met->text.data + place->path, place->len);
	str_append(&met->path, met->text.data + file->name, file->name_len);
}

static struct identity identify(const struct met *met, const struct file *file)
{
	return (struct identity){
		.fsid = met->places[file->place].fsid,
		.inode = file->inode,
		.btime_ns = file->btime_ns,
		.size = file->size,
		.mtime_ns = file->mtime_ns,
		.ctime_ns = file->ctime_ns,
	};
}

/* A job may be at it, or at another of its names. */
static bool is_in_hand(struct app *app, const struct file *file, const struct identity *identity)
{
	struct met *met = app->met;
	if (flight_total(&app->flight) == 0)
		return false;
	if (flight_same_file(&app->flight, identity, NULL))
		return true;
	spell(met, file);
	return flight_at(&app->flight, str_text(&met->path), met->path.len) != NULL;
}

static int find(struct app *app, const struct file *file, const struct identity *identity,
		struct known *out, struct error *err)
{
	struct met *met = app->met;
	struct place *place = &met->places[file->place];
	const struct store_dir dir = { met->text.data + place->path, place->len - 1, place->fsid };
	int result = place->asked ? 0 : store_dir(app->reader, &dir, &place->id, err);
	place->asked = result == 0;
	if (result < 0 || place->id == 0)
		return result;
	const struct store_name name = { place->id, met->text.data + file->name, file->name_len };
	return store_recorded(app->reader, identity, &name, out, err);
}

static bool is_known(struct app *app, const struct file *file)
{
	struct identity identity = identify(app->met, file);
	struct known known = { .as = KNOWN_NOT };
	struct error err = { 0 };
	if (is_in_hand(app, file, &identity))
		return false;
	if (find(app, file, &identity, &known, &err) < 0) {
		unread_tell(app, &err);
		return false;
	}
	return known.as == KNOWN_SAME && doubt_stands(app->config->hash, &identity, &known);
}

static int compare_turns(const void *a, const void *b)
{
	const struct turn *one = a;
	const struct turn *other = b;
	if (one->inode != other->inode)
		return one->inode > other->inode ? 1 : -1;
	return one->file > other->file ? 1 : -1;
}

static void look_up(struct app *app)
{
	struct met *met = app->met;
	size_t known = 0;
	for (uint32_t i = 0; i < met->count; i++)
		met->turns[i] = (struct turn){ met->files[i].inode, i };
	qsort(met->turns, met->count, sizeof *met->turns, compare_turns);
	for (size_t i = 0; i < met->count; i++) {
		struct file *file = &met->files[met->turns[i].file];
		file->known = file->asks && is_known(app, file);
		known += file->known;
	}
	app->counters.repeats += known;
	app->queue_unsure = true;
	met->looked_up = true;
}

static struct statx_timestamp stamp_of(int64_t ns)
{
	int64_t rest = ns % CLOCK_NS_PER_S;
	int64_t less = rest < 0;
	return (struct statx_timestamp){
		.tv_sec = ns / CLOCK_NS_PER_S - less,
		.tv_nsec = (uint32_t)(rest + less * CLOCK_NS_PER_S),
	};
}

static void tell(struct app *app, const struct file *file)
{
	struct met *met = app->met;
	const struct place *place = &met->places[file->place];
	const struct statx stat = {
		.stx_mask = STATX_BASIC_STATS | STATX_BTIME,
		.stx_nlink = file->links,
		.stx_mode = file->mode,
		.stx_ino = file->inode,
		.stx_size = (uint64_t)file->size,
		.stx_btime = stamp_of(file->btime_ns),
		.stx_mtime = stamp_of(file->mtime_ns),
		.stx_ctime = stamp_of(file->ctime_ns),
		.stx_dev_major = place->dev_major,
		.stx_dev_minor = place->dev_minor,
	};
	spell(met, file);
	const struct watcher_event event = {
		.kind = WATCHER_WALKED,
		.root = place->root,
		.path = str_text(&met->path),
		.path_len = met->path.len,
		.dir_len = place->len - 1,
		.dir = place->dir,
		.fsid = place->fsid,
		.stat = &stat,
	};
	hints_take(app, &event);
}

bool met_tell(struct app *app)
{
	struct met *met = app->met;
	if (met->count == 0)
		return true;
	if (!met->looked_up)
		look_up(app);
	for (; met->told < met->count; met->told++) {
		const struct file *file = &met->files[met->turns[met->told].file];
		if (file->known)
			continue;
		if (!pull_has_room(app))
			return false;
		tell(app, file);
	}
	forget(met);
	return true;
}
