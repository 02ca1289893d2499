/*
 * reload: SIGHUP: the configuration and the detectors' lists and rules anew. The loop's.
 */
#ifndef CARVED_CORE_APP_RELOAD_H
#define CARVED_CORE_APP_RELOAD_H

struct app;

/** Loads everything anew and swaps it in; a bad configuration is refused and the old one stays. */
void reload(struct app *app);

#endif
