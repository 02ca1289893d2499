/*
 * control: the daemon's control socket, "<history>.sock", in its smallest form: status and poke.
 *
 * A request is one line of text, the answer one line of JSON (status) or "ok"; then the daemon
 * closes. Who may connect is the socket's mode, 0660. The loop's: nothing blocks, a client that
 * does not speak is dropped when others want its place.
 */
#ifndef CARVED_CORE_APP_CONTROL_H
#define CARVED_CORE_APP_CONTROL_H

#include "core/base/clock.h"

struct app;
struct control;
struct error;

/** Binds the socket; a stale one is replaced (the history's lock says that no other daemon lives).
 */
int control_new(struct control **out, const char *history, struct error *err);
void control_free(struct control *control);
/** An epoll descriptor of the listener and its clients. */
int control_fd(const struct control *control);
/** Serves whoever is ready. */
void control_serve(struct app *app);
/** When control_tick() is to be called: clients are let in again then. ns 0: never. */
struct mono control_due(const struct control *control);
void control_tick(struct control *control);

#endif
