/*
 * real_type: what a file really is, as a detector that tells types said, and who is to look at it
 * by that. On a worker.
 */
#ifndef CARVED_CORE_APP_REAL_TYPE_H
#define CARVED_CORE_APP_REAL_TYPE_H

#include <stdbool.h>

struct detector;
struct version;

/** Notes the type that a detector's detail holds (which also comes with answers that are taken
 * over), if it is one that tells types; detail may be NULL. */
void real_type_note(struct version *version, const struct detector *detector, const char *detail);
/** True when detector is to look at version, given what is known of its type by now. */
bool real_type_wanted(const struct detector *detector, const struct version *version);

#endif
