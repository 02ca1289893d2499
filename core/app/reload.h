/*
 * reload: SIGHUP, and rules that changed on disk: the configuration and the detectors' lists and
 * rules anew. The loop's; the work is done on the reloader's thread, and what comes of it is put in
 * force here.
 */
#ifndef CARVED_CORE_APP_RELOAD_H
#define CARVED_CORE_APP_RELOAD_H

struct app;
struct error;

/** Makes what it needs, before the loop runs; the engine is there. */
int reload_init(struct app *app, struct error *err);
void reload_done(struct app *app);

/** Loads everything anew; once that is done it is swapped in. A bad configuration is refused and
 * the old one stays; so is a file without settings, where the one before had some. How it ended is
 * told by control_reloaded(); its number is app->reloads + 1 before this call. */
void reload(struct app *app);
/** Something happened to files of rules: they are loaded anew in a second. */
void reload_rules_changed(struct app *app);
/** Tries again to watch what rules could not be watched; the loop's, every rescan interval. */
void reload_retry(struct app *app);
/** Begins what is due, and puts in force what is ready. */
void reload_tick(struct app *app);

#endif
