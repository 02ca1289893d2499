/*
 * hints: from what the watcher tells of files and directories to jobs. The loop's.
 */
#ifndef CARVED_CORE_APP_HINTS_H
#define CARVED_CORE_APP_HINTS_H

struct app;
struct watcher_event;

/** Takes one event of the watcher about a file or directory; others (gaps, complaints) are nothing
 * to it. */
void hints_take(struct app *app, const struct watcher_event *event);

#endif
