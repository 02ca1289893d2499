/*
 * quarantine: what was judged is kept, instead of removed. Private to this room; see taking.h.
 *
 * A file that was taken away as it is becomes the one in the quarantine: its inode, with mode 000,
 * and ours, as its owner could open it once more by what he has open.
 * It is copied instead where the quarantine is another file system, where the inode has further
 * names (whose mode and content must not change with it, and by which others could write to it),
 * and where its owner and mode are not ours to change.
 */
#ifndef CARVED_CORE_DISPOSE_QUARANTINE_H
#define CARVED_CORE_DISPOSE_QUARANTINE_H

#include <stdbool.h>

#include "core/dispose/taking.h"

/** Is the file in the quarantine already? An earlier try may have been cut short behind that. */
bool quarantine_has(const struct taking *taking);
/** Brings it there, whole and synced, with what is known of it; then removes its name. */
enum taking_step quarantine_keep(struct taking *taking);
/** What an earlier try made ours gets its owner and mode again, before it goes back: 0 or -errno.
 */
int quarantine_unseal(const struct taking *taking);
/** The removal has its end: the file is in the quarantine. */
enum taking_step quarantine_end(struct taking *taking);
/** Forgets what was written for a file that then was not kept. */
void quarantine_forget(const struct taking *taking);

#endif
