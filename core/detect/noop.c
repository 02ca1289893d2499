/* noop: always clean, for tests and dry runs. It reads nothing and allocates nothing, so that what
 * is measured with it is the rest of the house. */
#include "core/detect/detect.h"
#include "core/detect/digest.h"

static int noop_open(void **state, const struct config_detector *row, const struct config *config,
		     char digest[65], struct error *err)
{
	(void)row;
	(void)config;
	(void)err;
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "noop");
	digest_end_hex(hash, digest);
	*state = NULL;
	return 0;
}

static void noop_scan(const void *state, const struct scan_request *request, struct answer *answer)
{
	(void)state;
	(void)request;
	answer->outcome = OUTCOME_CLEAN;
}

static void noop_close(void *state)
{
	(void)state;
}

const struct detector_class noop_class = {
	.type = "noop",
	.open = noop_open,
	.scan = noop_scan,
	.close = noop_close,
};
