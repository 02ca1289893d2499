/*
 * control: the daemon's control socket, "<history>.sock".
 *
 * A request is one line of text, and when it is answered the daemon closes. status is answered by
 * one line of JSON; poke, walk, pause, resume and reload by the word of a control_end, and further
 * lines of words for people. An answer that takes long begins with the line "wait". Who may connect
 * is the socket's mode, 0660. The loop's: nothing blocks, a client that does not speak is dropped
 * when others want its place.
 */
#ifndef CARVED_CORE_APP_CONTROL_H
#define CARVED_CORE_APP_CONTROL_H

#include "core/base/clock.h"

struct app;
struct control;
struct error;
struct str;

/* How what was asked for has ended. */
enum control_end {
	CONTROL_OK,
	CONTROL_REFUSED, /* what is configured is wrong */
	CONTROL_FAILED,	 /* it cannot be done now */
	CONTROL_ENDS,
};

/** The words that an answer begins with. Any thread. */
extern const char *const control_end_words[CONTROL_ENDS];
/** Appends words as a line of an answer, control characters escaped. */
void control_add_line(struct str *lines, const char *words);

/** Binds the socket; a stale one is replaced (the history's lock says that no other daemon lives).
 */
int control_new(struct control **out, const char *history, struct error *err);
void control_free(struct control *control);
/** An epoll descriptor of the listener and its clients. */
int control_fd(const struct control *control);
/** Serves whoever is ready. */
void control_serve(struct app *app);
/** The reload that was begun last has ended, as lines say; whoever waits for it is told. */
void control_reloaded(struct app *app, enum control_end end, const struct str *lines);
/** When control_tick() is to be called: clients are let in again then. ns 0: never. */
struct mono control_due(const struct control *control);
void control_tick(struct control *control);

#endif
