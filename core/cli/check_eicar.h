/*
 * check_eicar: a trial with the EICAR test file
 * (https://www.eicar.org/download-anti-malware-testfile/): which detectors find it, and which would
 * have let it pass.
 *
 * Each is asked as a worker asks it, about a file in a directory of the trial's own below $TMPDIR,
 * where also the logs of api.yml go; nothing of it reaches a history. One thread.
 */
#ifndef CARVED_CORE_CLI_CHECK_EICAR_H
#define CARVED_CORE_CLI_CHECK_EICAR_H

#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/entry/entry.h"

struct check;
struct detector;
struct eicar;
struct error;

/* How long one detector may take, however long its own timeout is. */
#define EICAR_TIMEOUT_MS 20000

/** Makes the directory. On failure err says what to mend and nothing is left behind. SIGINT and
 * SIGTERM are held back until eicar_free(): they end the detector that is at work, and then us. */
int eicar_new(struct eicar **out, const struct config *config, struct error *err);
/** Removes the directory with all that is in it. */
void eicar_free(struct eicar *eicar);
AUTO_DEFINE(eicar);

/** The configuration that detectors are to be opened with; lives as long as the trial. */
const struct config *eicar_config(const struct eicar *eicar);
/** Asks the detector and prints a line. False: a signal came, and nothing more is to be asked. */
bool eicar_try(struct eicar *eicar, struct check *check, const struct detector *detector);
/** Prints a failure when detectors were asked and none found it. */
void eicar_conclude(const struct eicar *eicar, struct check *check);

/** A MIME type that one of the globs matches, as plausible for EICAR as they allow: that of a
 * program or a text when they do, else one made from a glob. False: none can be made. */
bool eicar_mime(char *const *globs, char out[ENTRY_MIME_MAX + 1]);

#endif
