/*
 * loop: the daemon's one event loop, over epoll: watcher, store, outbox, signals, timer, mounts,
 * control socket. Asleep when there is nothing: the timer is armed only while something waits for
 * time.
 */
#ifndef CARVED_CORE_APP_LOOP_H
#define CARVED_CORE_APP_LOOP_H

struct app;
struct error;

/** Blocks the signals that the loop handles. */
void loop_hold_signals(void);
/** Blocks the signals that the loop handles and makes its descriptors. Before any thread. */
int loop_init(struct app *app, struct error *err);
/** A descriptor that is readable while a signal waits that is to end the daemon, which the loop
 * takes later: for what takes long before. The caller closes it; -1: none left. */
int loop_end_fd(void);
/** Adds the descriptors of what was made meanwhile. */
int loop_arm(struct app *app, struct error *err);
/** Runs until the daemon is to end; 0 or -errno when watching cannot go on. */
int loop_run(struct app *app, struct error *err);
/** Polls the descriptor of app->rules_watch from now on. 0 or -errno. */
int loop_watch_rules(struct app *app);
/** Has all roots walked, as after an overflow. */
void loop_walk(struct app *app);
void loop_done(struct app *app);

#endif
