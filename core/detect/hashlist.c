/*
 * hashlist: malicious when the content's SHA-256 is in a list (hashset.h has its format), else
 * clean.
 *
 * The signature is the list's, "hashlist" when the line has none. It asks for the hash alone: the
 * file is not opened for it.
 */
#include <errno.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/hashset.h"

static int hashlist_open(void **state, const struct config_detector *row,
			 const struct config *config, char digest[65], struct error *err)
{
	(void)config;
	if (!row->file)
		return error_set(err, EINVAL, "detector %s: no file of hashes is named", row->name);
	struct hashset *set = NULL;
	int result = hashset_load(&set, row->file, digest, err);
	if (result < 0)
		return result;
	*state = set;
	return 0;
}

static void hashlist_scan(const void *state, const struct scan_request *request,
			  struct answer *answer)
{
	if (!request->sha256) {
		answer_fail(answer, OUTCOME_ERROR,
			    "the content was not hashed (\"hash: never\"), a hash list needs it");
		return;
	}
	const char *signature = hashset_find(state, request->sha256);
	answer->outcome = signature ? OUTCOME_MALICIOUS : OUTCOME_CLEAN;
	if (signature)
		answer->signature = xstrdup(*signature ? signature : "hashlist");
}

static void hashlist_close(void *state)
{
	hashset_free(state);
}

const struct detector_class hashlist_class = {
	.type = "hashlist",
	.needs = DETECT_NEEDS_SHA256,
	.open = hashlist_open,
	.scan = hashlist_scan,
	.close = hashlist_close,
};
