/* notes: see notes.h. */
#include "watcher/notes.h"

#include <stdlib.h>
#include <string.h>

struct note {
	struct link link;
	struct watcher_event event;
	char *path;
	char *from;
	char *text;
};

static void note_free(struct note *note)
{
	if (!note)
		return;
	free(note->path);
	free(note->from);
	free(note->text);
	free(note);
}

void notes_init(struct notes *notes)
{
	*notes = (struct notes){ 0 };
	link_init(&notes->waiting);
}

static struct note *take_first(struct notes *notes)
{
	if (link_alone(&notes->waiting))
		return NULL;
	struct note *note = LINK_OF(notes->waiting.next, struct note, link);
	link_out(&note->link);
	return note;
}

void notes_done(struct notes *notes)
{
	for (struct note *note = take_first(notes); note; note = take_first(notes))
		note_free(note);
	note_free(notes->told);
	notes->told = NULL;
}

size_t notes_dir_len(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

void notes_add(struct notes *notes, const struct watcher_event *event)
{
	struct note *note = own_calloc(1, sizeof *note);
	note->event = *event;
	note->path = own_copy(event->path, event->path_len);
	note->from = event->from ? own_copy(event->from, strlen(event->from)) : NULL;
	note->text = event->text ? own_copy(event->text, strlen(event->text)) : NULL;
	note->event.path = note->path;
	note->event.from = note->from;
	note->event.text = note->text;
	note->event.dir_len = note->path ? notes_dir_len(note->path, event->path_len) : 0;
	link_after(notes->waiting.previous, &note->link);
}

bool notes_pop(struct notes *notes, struct watcher_event *out)
{
	note_free(notes->told);
	notes->told = take_first(notes);
	if (notes->told)
		*out = notes->told->event;
	return notes->told != NULL;
}

bool notes_empty(const struct notes *notes)
{
	return link_alone(&notes->waiting);
}
