/*
 * known: files on a list of known good ones, and what follows for the other detectors.
 *
 * Such lists are asked first, wherever they stand in the configuration. A detector that a list
 * skips is not asked about a file on it, and gets a finding all the same: skipped, with the reason.
 * That is no failure and has no part in the verdict, unlike skipped for any other reason.
 *
 * About a file that it does not name a list says unknown, for it has no report to give. It
 * abstains: an unknown of its kind is outweighed by what anybody else says, clean included, and is
 * the verdict only where nobody else was asked. So an unlisted file that yara found clean is clean,
 * and one that only the list was asked about is not. On a worker.
 */
#ifndef CARVED_CORE_APP_KNOWN_H
#define CARVED_CORE_APP_KNOWN_H

#include <stdbool.h>

struct asking;
struct config_detector;
struct detector;
struct finding;
struct standing;

/** True for hash lists of known good files. */
bool known_is_list(const struct detector *detector);
/** The list that names the file and skips the detector of this row; NULL: it is to be asked. The
 * lists have been asked before. */
const struct detector *known_skips(const struct asking *asking, const struct config_detector *row);
/** Skips a detector because of the list by: its standing abstains, and wanted, its finding, which
 * has no outcome yet, becomes the version's. Once a row: an attempt that is made because of another
 * detector adds nothing. The finding's key is none of a question that was asked, so that it stands
 * for no answer. */
void known_skip(struct asking *asking, struct standing *standing, struct finding *wanted,
		const struct detector *by);

#endif
