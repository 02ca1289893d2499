/*
 * writers: whether those who write to a root's files can be seen (by leases, lease.h), and the word
 * about it for the log and for status. It depends on kernel, file system, permission and the files'
 * owners, so it is known once it was tried. The loop's.
 */
#ifndef CARVED_CORE_APP_WRITERS_H
#define CARVED_CORE_APP_WRITERS_H

#include <stdint.h>

struct app;
struct job;

/** Before any file is opened: what holds for all roots. */
void writers_begin(struct app *app);
/** A worker has had the job. A root is told of once. */
void writers_heard(struct app *app, const struct job *job);
/** "lease": writers are seen; "settle": not those of every file; "untried". */
const char *writers_name(const struct app *app, uint32_t root);

#endif
