/*
 * helper: a detector whose engine runs in processes of its own (carved-detect), and how it is
 * asked.
 *
 * Scanners are made as workers ask, one for each that asks at the same time, and kept. One that
 * dies costs the answer that it was at (error, with the signal), one that does not answer until the
 * deadline is killed (timeout); both are replaced. A zygote that died is started again from what it
 * kept: the same rules under the same digest. While that fails there is no answer at all.
 *
 * Any thread may ask. A new helper is started by the calling thread, and killed when that thread
 * ends: it must be one that lives as long as the helper is wanted.
 */
#ifndef CARVED_CORE_DETECT_HELPER_H
#define CARVED_CORE_DETECT_HELPER_H

#include "core/base/mem.h"
#include "core/helper/protocol.h"

struct answer;
struct error;
struct helper;
struct scan_request;

struct helper_options {
	const char *program; /* NULL: carved-detect as it is installed, or as it was built */
	const char *type;
	const char *name;	/* the detector's */
	char *const *paths;	/* what the engine is to load; NULL-terminated, or NULL */
	int64_t limit;		/* bytes of a file */
	struct helper *earlier; /* whose good rules stand in for what no longer compiles; NULL */
	int cancel_fd;		/* readable: loading is given up; -1: none */
};

/** Starts the helper and lets it load. On failure nothing is left behind, and err has the helper's
 * words. */
int helper_new(struct helper **out, const struct helper_options *options, struct error *err);
/** Ends all its processes, the hung ones too, within a moment. Nobody may be asking. */
void helper_free(struct helper *helper);
AUTO_DEFINE(helper);

/** What it said when it had loaded; borrowed, immutable. */
const struct helper_hello *helper_hello(const struct helper *helper);
/** Asks. Like detector_class.scan; answer->real_mime is set as well. */
void helper_ask(struct helper *helper, const struct scan_request *request, struct answer *answer);

#endif
