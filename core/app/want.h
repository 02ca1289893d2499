/*
 * want: what the daemon itself may be short of: descriptors, memory, threads and processes.
 *
 * Whatever is not done for want of them is tried again and says nothing of a file. The soft limit
 * of open files is raised to the hard one at the start; children get limits of their own.
 */
#ifndef CARVED_CORE_APP_WANT_H
#define CARVED_CORE_APP_WANT_H

#include <stddef.h>

struct app;
struct config;
struct error;
struct str;

/** Descriptors that this configuration may need at once, at most, for any number of files. */
unsigned long long want_files(const struct config *config);
/** Descriptors that are open; 0 when that cannot be told. */
unsigned long long want_files_open(void);

/** Raises the limit of open files as far as it goes. Warns when it is below what may be needed;
 * -EMFILE with words when the daemon could not even start. */
int want_prepare(const struct config *config, struct error *err);

/** path could not be looked at now for want of something (errno code). Says so with what to raise,
 * though seldom: it may be true for thousands of files. */
void want_tell(struct app *app, const char *path, int code);

/** Appends the member "limits" of the status. */
void want_status(struct app *app, struct str *out);

#endif
