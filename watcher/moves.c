/* moves: see moves.h. */
#include "watcher/moves.h"

#include <string.h>

void moves_done(struct moves *moves)
{
	for (unsigned i = 0; i < MOVES_HELD; i++)
		bytes_done(&moves->held[i].path);
	*moves = (struct moves){ 0 };
}

static void tell(struct moves *moves, struct notes *notes, struct held *held)
{
	if (held->state != HELD_UNTOLD)
		return;
	notes_add(notes, &(struct watcher_event){
				 .kind = WATCHER_GONE,
				 .root = held->root,
				 .path = held->path.data,
				 .path_len = held->path.len,
				 .fsid = held->fsid,
			 });
	held->state = HELD_TOLD;
	moves->untold--;
}

void moves_hold(struct moves *moves, struct notes *notes, const struct watcher_event *event,
		uint32_t cookie, uint64_t position)
{
	struct held *held = &moves->held[moves->next];
	tell(moves, notes, held);
	held->state = HELD_UNTOLD;
	held->cookie = cookie;
	held->root = event->root;
	held->fsid = event->fsid;
	held->since = position;
	bytes_resize(&held->path, 0);
	bytes_append(&held->path, event->path, event->path_len);
	moves->untold++;
	moves->next = (moves->next + 1) % MOVES_HELD;
}

const char *moves_take(struct moves *moves, uint32_t cookie)
{
	for (unsigned i = 0; cookie != 0 && i < MOVES_HELD; i++) {
		struct held *held = &moves->held[i];
		if (held->state == HELD_FREE || held->cookie != cookie)
			continue;
		moves->untold -= held->state == HELD_UNTOLD ? 1 : 0;
		held->state = HELD_FREE;
		return held->path.data;
	}
	return NULL;
}

void moves_tell_path(struct moves *moves, struct notes *notes, const char *path, size_t len)
{
	for (unsigned i = 0; moves->untold > 0 && i < MOVES_HELD; i++) {
		struct held *held = &moves->held[i];
		if (held->path.len == len && held->state == HELD_UNTOLD &&
		    memcmp(held->path.data, path, len) == 0)
			tell(moves, notes, held);
	}
}

void moves_tell_all(struct moves *moves, struct notes *notes)
{
	for (unsigned i = 0; moves->untold > 0 && i < MOVES_HELD; i++)
		tell(moves, notes, &moves->held[(moves->next + i) % MOVES_HELD]);
}

uint64_t moves_since(const struct moves *moves)
{
	uint64_t since = UINT64_MAX;
	for (unsigned i = 0; moves->untold > 0 && i < MOVES_HELD; i++) {
		const struct held *held = &moves->held[i];
		if (held->state == HELD_UNTOLD && held->since < since)
			since = held->since;
	}
	return since;
}
