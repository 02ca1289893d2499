/*
 * restore: out of the quarantine, back to where it was.
 *
 * The history says so first, as the daemon may meet the file the moment it is there: a rule takes
 * no content away that was restored at that place, or whose file it is.
 */
#ifndef CARVED_CORE_DISPOSE_RESTORE_H
#define CARVED_CORE_DISPOSE_RESTORE_H

#include <stdbool.h>

struct config;
struct error;
struct removal_task;

/** Restores the file of task, which is in the quarantine, or was to be restored by a call that was
 * cut short. Over nothing: -EEXIST when something stands there. *owner: whether it has its owner
 * again, which needs root. 0, or -errno with err. Any thread. */
int restore_file(const struct config *config, const struct removal_task *task, bool *owner,
		 struct error *err);

#endif
