/*
 * rules_watch: tells when files that detectors load (rules) change on disk, by an inotify
 * descriptor of its own. The loop's.
 *
 * Watched are the configured files, by their directories, and configured directories with all below
 * them, and the names by which those are reached (of what is not there, the next directory above
 * it that is); of a symbolic link also what it leads to. What such a file includes from elsewhere
 * is not, and nor is a change that another machine makes on a network file system: for those there
 * is SIGHUP.
 */
#ifndef CARVED_CORE_APP_RULES_WATCH_H
#define CARVED_CORE_APP_RULES_WATCH_H

#include <stdbool.h>

struct engine;
struct error;
struct rules_watch;

int rules_watch_new(struct rules_watch **out, struct error *err);
void rules_watch_free(struct rules_watch *watch);
int rules_watch_fd(const struct rules_watch *watch);
/** Watches what the engine's detectors load, as it is now, and nothing else. What happened before
 * in places that are watched no more is still told. The number of places that could not be watched;
 * err (may be NULL) has the words for the last of them. */
unsigned rules_watch_set(struct rules_watch *watch, const struct engine *engine, struct error *err);
/** True when some of the present set failed for want of watches or memory: worth another try. */
bool rules_watch_short(const struct rules_watch *watch);
/** Takes in what happened; true when something changed that detectors load. */
bool rules_watch_changed(struct rules_watch *watch);

#endif
