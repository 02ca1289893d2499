/*
 * yara: rules of YARA over the content, in a helper process (helper.h); the rules are compiled, and
 * the answer is made, in core/engines.
 *
 * Which entry fields an answer depends on is what the rules mention: filename, extension, mime and
 * protocol are external variables, so rules that speak of none of them answer for every name of the
 * same content.
 */
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"
#include "core/detect/helper.h"

struct yara {
	struct helper *helper;
	char *const *rules; /* borrowed from the configuration */
};

static int yara_open_after(void **state, const struct detect_opening *opening, char digest[65],
			   struct error *err)
{
	const struct config_detector *row = opening->row;
	const struct yara *earlier = opening->earlier;
	if (!row->rules || !row->rules[0])
		return error_set(err, EINVAL, "detector %s: no \"rules\" are named", row->name);
	const struct helper_options options = {
		.type = "yara",
		.name = row->name,
		.paths = row->rules,
		.limit = row->max_file_size ? row->max_file_size : opening->config->max_file_size,
		.earlier = earlier ? earlier->helper : NULL,
		.cancel_fd = opening->cancel_fd,
	};
	struct yara *yara = xcalloc(1, sizeof *yara);
	int result = helper_new(&yara->helper, &options, err);
	if (result < 0) {
		free(yara);
		return result;
	}
	yara->rules = row->rules;
	memcpy(digest, helper_hello(yara->helper)->digest, 65);
	*state = yara;
	return 0;
}

static unsigned yara_also_reads(const void *state)
{
	static const unsigned of_field[HELPER_FIELDS] = {
		[HELPER_NAME] = DETECT_READS_NAME,
		[HELPER_EXTENSION] = DETECT_READS_EXTENSION,
		[HELPER_MIME] = DETECT_READS_MIME,
		[HELPER_PROTOCOL] = DETECT_READS_PROTOCOL,
	};
	const struct yara *yara = state;
	unsigned reads = 0;
	for (unsigned i = 0; i < HELPER_FIELDS; i++) {
		if (helper_hello(yara->helper)->reads & 1U << i)
			reads |= of_field[i];
	}
	return reads;
}

static void yara_scan(const void *state, const struct scan_request *request, struct answer *answer)
{
	const struct yara *yara = state;
	helper_ask(yara->helper, request, answer);
}

static void yara_report(const void *state, struct detect_report *out)
{
	const struct yara *yara = state;
	const struct helper_hello *hello = helper_hello(yara->helper);
	*out = (struct detect_report){
		.loaded = hello->rules,
		.failed = hello->failed,
		.kept = hello->kept,
		.problems = hello->problems,
		.problem_count = hello->problem_count,
		.watch = yara->rules,
	};
}

static void yara_close(void *state)
{
	struct yara *yara = state;
	helper_free(yara->helper);
	free(yara);
}

const struct detector_class yara_class = {
	.type = "yara",
	.needs = DETECT_NEEDS_FD,
	.open_after = yara_open_after,
	.also_reads = yara_also_reads,
	.scan = yara_scan,
	.report = yara_report,
	.close = yara_close,
};
