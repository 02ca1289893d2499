/*
 * limits: how much may be on its way at once, and how long is waited for what.
 */
#ifndef CARVED_CORE_APP_LIMITS_H
#define CARVED_CORE_APP_LIMITS_H

#include <stddef.h>

/* Jobs in memory at most: given to workers at once, and in all. */
#define APP_RUNNING_MAX 1024
#define APP_FLIGHT_MAX	16384
/* Operations on their way to the history, at most; beyond it events wait in the kernel. */
#define APP_STORE_MAX 4096
/* A job that is in memory this long without a row gets one ("queued"), so that SQL can see it. */
#define APP_INTERIM_MS 250
/* First pause before a file that may have a writer is looked at again; doubles up to the rescan
 * interval. */
#define APP_CREATED_MS 100
/* Pause before what could not be done for want of descriptors or memory is tried again. */
#define APP_WANT_MS 1000
/* How often a path that seems gone is looked at while walks are under way. */
#define APP_LIMBO_MS 20
/* Paths that seem gone and wait for the watcher, at most: a producer that makes and deletes files
 * is not to fill the memory that events need, which may say where they went. */
#define APP_LIMBO_MAX ((size_t)APP_FLIGHT_MAX / 4 * 3)

#endif
