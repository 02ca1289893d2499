/*
 * schema: the history's numbered SQL steps, embedded at build time. Step i brings a database from
 * user_version i to i + 1. Data only; knows nothing.
 */
#ifndef CARVED_SCHEMA_SCHEMA_H
#define CARVED_SCHEMA_SCHEMA_H

extern const char *const schema_steps[];
extern const int schema_version; /* number of steps: the newest user_version */

#endif
