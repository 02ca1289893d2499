/*
 * logfile: appends to a file that others rotate, by renaming it or by copying and truncating it
 * (logrotate's create and copytruncate). One thread.
 */
#ifndef CARVED_CORE_SINK_LOGFILE_H
#define CARVED_CORE_SINK_LOGFILE_H

#include <stddef.h>

#include "core/base/mem.h"

struct error;
struct logfile;

/** path is copied. Nothing is opened yet. */
struct logfile *logfile_new(const char *path);
/** Borrowed. */
const char *logfile_path(const struct logfile *logfile);
void logfile_free(struct logfile *logfile);
AUTO_DEFINE(logfile);

/** Opens the file, making it when it is missing, unless it is open. 0, or -errno with err. */
int logfile_ready(struct logfile *logfile, struct error *err);
/** Appends whole lines (len > 0) to the file that has the path now, which is made when it is
 * missing (mode 0640), and has them written through to the disk. After a failure nothing of them is
 * there, or, where even that failed, what was begun is ended by a newline the next time. Returns 0,
 * or -errno with err. */
int logfile_append(struct logfile *logfile, const char *lines, size_t len, struct error *err);

#endif
