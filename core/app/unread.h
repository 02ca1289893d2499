/*
 * unread: says that the history cannot be read, though seldom: everybody who asked it tries again
 * within a second or so, thousands of files at a time, and a history that is corrupt stays so. Any
 * thread.
 */
#ifndef CARVED_CORE_APP_UNREAD_H
#define CARVED_CORE_APP_UNREAD_H

struct app;
struct error;

void unread_tell(struct app *app, const struct error *err);

#endif
