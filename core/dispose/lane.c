/* lane: see lane.h. */
#include "core/dispose/lane.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/dispose/site.h"

#define PAGE 256

void lane_init(struct lane *lane, enum kept_kind kind, int64_t floor_ns)
{
	*lane = (struct lane){
		.kind = kind, .everywhere = true, .at = { floor_ns, 0 }, .page_end = { floor_ns, 0 }
	};
}

static void file_done(struct lane_file *file)
{
	free(TAKE(file->path));
}

static void drop_page(struct lane *lane)
{
	for (size_t i = lane->page_next; i < lane->page_count; i++)
		file_done(&lane->page[i]);
	lane->page_count = lane->page_next = 0;
}

void lane_done(struct lane *lane)
{
	drop_page(lane);
	file_done(&lane->front);
	free(lane->page);
	free(lane->heard);
	*lane = (struct lane){ 0 };
}

static bool before(struct kept_at a, struct kept_at b)
{
	return a.key < b.key || (a.key == b.key && a.id < b.id);
}

/* The removal itself looks again, and more closely; this spares it most of what is in vain. What
 * cannot be told here (a path that is too long to be asked for as a whole, a failing disk) is left
 * to it, and it says what is wrong. */
static bool is_there(const char *path, const struct identity *identity)
{
	struct statx st;
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
	const struct identity now = identity_of(&st, identity->fsid);
	return S_ISREG(st.stx_mode) && identity_same_version(&now, identity);
}

bool lane_is_there(const struct config *config, const struct store_kept *row)
{
	return site_root(config, row->path, row->path_len) < config->root_count &&
	       is_there(row->path, &row->identity);
}

struct reading {
	struct lane *lane;
	const struct lane_view *view;
	size_t looked_at;
};

static bool is_wanted(const struct reading *reading, const struct store_kept *row)
{
	const struct lane *lane = reading->lane;
	return (lane->everywhere || row->identity.fsid == lane->fsid) &&
	       lane_is_there(reading->view->config, row);
}

static struct lane_file file_of(const struct store_kept *row)
{
	return (struct lane_file){ row->at, row->identity, xmemdup(row->path, row->path_len) };
}

static bool take_row(void *context, const struct store_kept *row)
{
	struct reading *reading = context;
	struct lane *lane = reading->lane;
	if (is_wanted(reading, row))
		lane->page[lane->page_count++] = file_of(row);
	else if (lane->page_count == 0)
		lane->at = row->at; /* what lies before the first that is there */
	reading->looked_at++;
	return lane->page_count < PAGE;
}

/* The page is used up. */
static int read_page(struct lane *lane, const struct lane_view *view, struct error *err)
{
	struct reading reading = { .lane = lane, .view = view };
	const struct kept_visit each = { take_row, &reading };
	if (!lane->page)
		lane->page = xcalloc(PAGE, sizeof *lane->page);
	lane->page_count = lane->page_next = 0;
	int result = kept_each(view->reader, lane->kind, lane->at, &each, err);
	lane->page_last = result == 0 && lane->page_count < PAGE;
	lane->page_end = lane->page_count ? lane->page[lane->page_count - 1].at : lane->at;
	return result;
}

static bool take_one(void *context, const struct store_kept *row)
{
	struct reading *reading = context;
	if (is_wanted(reading, row))
		reading->lane->front = file_of(row);
	return false;
}

/* Of what was heard of, the first that is older than limit (NULL: any) and there. */
static int next_heard(struct lane *lane, const struct lane_view *view, const struct kept_at *limit,
		      struct error *err)
{
	struct reading reading = { .lane = lane, .view = view };
	const struct kept_visit each = { take_one, &reading };
	int result = 0;
	while (result == 0 && !lane->front.path && lane->heard_first < lane->heard_end &&
	       (!limit || before(lane->heard[lane->heard_first], *limit))) {
		result = kept_one(view->reader, lane->kind, lane->heard[lane->heard_first].id,
				  &each, err);
		lane->front_heard = lane->front.path != NULL;
		if (result == 0 && !lane->front.path)
			lane->heard_first++;
	}
	return result;
}

static const struct lane_file *page_front(const struct lane *lane)
{
	return lane->page_next < lane->page_count ? &lane->page[lane->page_next] : NULL;
}

/* Finds a front where there is none; *found is false at the end. */
static int find_front(struct lane *lane, const struct lane_view *view, bool *found,
		      struct error *err)
{
	int result = 0;
	if (!page_front(lane) && !lane->page_last)
		result = read_page(lane, view, err);
	const struct lane_file *next = page_front(lane);
	if (result == 0)
		result = next_heard(lane, view, next ? &next->at : NULL, err);
	if (result == 0 && !lane->front.path && next) {
		lane->front = lane->page[lane->page_next++];
		lane->front_heard = false;
	}
	*found = lane->front.path != NULL;
	return result;
}

int lane_front(struct lane *lane, const struct lane_view *view, const struct lane_file **out,
	       struct error *err)
{
	*out = NULL;
	for (bool found = true; found;) {
		int result = lane->front.path ? 0 : find_front(lane, view, &found, err);
		if (result < 0)
			return result;
		if (!found)
			break;
		/* it may have been read long ago */
		if (is_there(lane->front.path, &lane->front.identity)) {
			*out = &lane->front;
			break;
		}
		lane_take(lane);
	}
	return 0;
}

void lane_take(struct lane *lane)
{
	if (lane->front_heard)
		lane->heard_first++;
	/* what was heard of is younger than the page, when that is used up; else it came late */
	if (!lane->front_heard || (!page_front(lane) && before(lane->at, lane->front.at)))
		lane->at = lane->front.at;
	lane->front_heard = false;
	file_done(&lane->front);
}

int64_t lane_floor_ns(const struct lane *lane)
{
	bool heard = lane->heard_first < lane->heard_end;
	if (heard && before(lane->heard[lane->heard_first], lane->at))
		return lane->heard[lane->heard_first].key;
	return lane->at.key;
}

/* Too much was heard of: it is found in the history, from the oldest of it on. */
static void begin_again(struct lane *lane)
{
	struct kept_at first = lane->heard[lane->heard_first];
	if (before(first, lane->at))
		lane->at = (struct kept_at){ first.key, first.id - 1 };
	drop_page(lane);
	lane->page_last = false;
	lane->page_end = lane->at;
	lane->heard_first = lane->heard_end = 0;
	lane->front_heard = false;
	file_done(&lane->front);
}

static void make_room(struct lane *lane)
{
	if (!lane->heard)
		lane->heard = xcalloc(LANE_HEARD_MAX, sizeof *lane->heard);
	if (lane->heard_end < LANE_HEARD_MAX)
		return;
	lane->heard_end -= lane->heard_first;
	memmove(lane->heard, lane->heard + lane->heard_first,
		lane->heard_end * sizeof *lane->heard);
	lane->heard_first = 0;
}

void lane_hear(struct lane *lane, struct kept_at at)
{
	if (!lane->page_last && before(lane->page_end, at))
		return; /* it will be met */
	make_room(lane);
	if (lane->heard_end == LANE_HEARD_MAX) {
		begin_again(lane);
		if (before(lane->at, at))
			return;
	}
	/* mostly it is the youngest */
	size_t place = lane->heard_end;
	size_t first = lane->heard_first + lane->front_heard;
	while (place > first && before(at, lane->heard[place - 1]))
		place--;
	memmove(lane->heard + place + 1, lane->heard + place,
		(lane->heard_end - place) * sizeof *lane->heard);
	lane->heard[place] = at;
	lane->heard_end++;
}
