/*
 * isolation: what is said and done about the sandbox of commands when the daemon starts and ends.
 * The loop's thread.
 */
#ifndef CARVED_CORE_APP_ISOLATION_H
#define CARVED_CORE_APP_ISOLATION_H

struct config;

/** Logs what this kernel has, a warning when something is missing, or when commands are configured
 * and their launcher is not there; removes the scratch directories that a killed daemon left. The
 * history's lock must be held. */
void isolation_begin(const struct config *config);

/** Removes the place of the scratch directories, once no command runs any more. */
void isolation_end(const struct config *config);

#endif
