/*
 * earlier: what was said of a content before: in earlier attempts on this very version, on the same
 * content elsewhere, and what of that spares asking a detector again. On a worker.
 */
#ifndef CARVED_CORE_APP_EARLIER_H
#define CARVED_CORE_APP_EARLIER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/outcome.h"

struct asking;
struct config_detector;
struct finding;

/** What the history has of this version's earlier attempts, or of the row it is a sighting of. 0,
 * or -errno after a word in the log. */
int earlier_load(struct asking *asking);
void earlier_forget(struct asking *asking);
void earlier_free(struct finding *findings, size_t count);

/** Of the attempts since this row was queued: how often the detector failed, and what it said last
 * that needs no asking again. NULL: nothing. Borrowed. */
const struct finding *earlier_look_back(const struct asking *asking,
					const struct config_detector *row,
					const struct finding *wanted, unsigned *failures);
/** The newest definite finding of a detector on this version, NULL when there is none. Borrowed. */
const struct finding *earlier_newest(const struct asking *asking, const char *detector);
/** Whether the detector was not asked last time, as a list of known good files named the content
 * (known.h). */
bool earlier_was_spared(const struct asking *asking, const char *detector);
/** Whether the detector's newest answer, definite or skipped, was by the key that is wanted, or it
 * was spared: then the lists tell whether it is to be asked now. */
bool earlier_is_fresh(const struct asking *asking, const struct finding *wanted);
/** True when an answer on the same content was found and taken over. False with asking->failure
 * set: the history could not be read. */
bool earlier_take_over(struct asking *asking, struct finding *wanted, enum outcome *outcome);

#endif
