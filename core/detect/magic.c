/*
 * magic: what a file really is, by libmagic in a helper process (helper.h), beside what its name
 * declares.
 *
 * The type goes into the history (real_mime) and may route the file to other detectors. It is kept
 * in detail as well, {"real_mime": "..."}, so that an answer that is taken over for the same
 * content brings it along. Suspicious is a difference that matters (mismatch.h); anything else is
 * clean.
 */
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"
#include "core/detect/helper.h"
#include "core/detect/mismatch.h"
#include "core/detect/real_mime.h"

static int magic_open_after(void **state, const struct detect_opening *opening, char digest[65],
			    struct error *err)
{
	const struct helper_options options = {
		.type = "magic",
		.name = opening->row->name,
		.limit = opening->config->max_file_size,
		.cancel_fd = opening->cancel_fd,
	};
	struct helper *helper = NULL;
	int result = helper_new(&helper, &options, err);
	if (result < 0)
		return result;
	memcpy(digest, helper_hello(helper)->digest, 65);
	*state = helper;
	return 0;
}

/* helper_ask() changes the helper's own lists, under its own locks. */
static void magic_scan(const void *state, const struct scan_request *request, struct answer *answer)
{
	struct helper *helper = (struct helper *)(uintptr_t)state;
	helper_ask(helper, request, answer);
	if (answer->outcome != OUTCOME_CLEAN || !answer->real_mime)
		return;
	const char *declared = request->entry->mime;
	const char *what = mismatch(declared, answer->real_mime);
	free(answer->detail);
	answer->detail = real_mime_detail(answer->real_mime);
	if (!what)
		return;
	AUTO_STR signature = STR_INIT;
	str_printf(&signature, "%s declared as %s", answer->real_mime, declared);
	/* two types have at most 255 characters each: more than a signature may have, as a rule not
	 */
	answer->signature =
		xmemdup(str_text(&signature), signature.len < 512 ? signature.len : 512);
	answer->outcome = OUTCOME_SUSPICIOUS;
}

/* It tells what a file is, not what it does. */
static bool magic_seeks_malware(const void *state)
{
	(void)state;
	return false;
}

static void magic_close(void *state)
{
	helper_free(state);
}

const struct detector_class magic_class = {
	.type = "magic",
	.needs = DETECT_NEEDS_FD,
	.reads = DETECT_READS_MIME,
	.types = true,
	.open_after = magic_open_after,
	.scan = magic_scan,
	.seeks_malware = magic_seeks_malware,
	.close = magic_close,
};
