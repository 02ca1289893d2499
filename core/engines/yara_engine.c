/*
 * yara_engine: libyara in a helper (https://yara.readthedocs.io/en/v4.2.3/capi.html).
 *
 * A sample is read into memory of our own, whole, so that rules may look anywhere; one that is
 * larger than the limit is skipped with the reason, not scanned in part. External variables are the
 * entry's fields as C strings; a field that is not there is "". libyara's own handlers for SIGSEGV
 * and SIGBUS stay out of it: a fault is to end the scanner, which the daemon sees.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <yara.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/engines/engine.h"
#include "core/engines/rule_file.h"
#include "core/engines/rule_report.h"
#include "core/engines/rule_set.h"
#include "core/engines/sample.h"

struct yara {
	struct rule_set *set;
	int64_t limit;
	YR_SCANNER **scanners; /* one a set of rules, made by the first scan */
	struct rule_report report;
};

static const char *const variables[HELPER_FIELDS] = {
	[HELPER_NAME] = "filename",
	[HELPER_EXTENSION] = "extension",
	[HELPER_MIME] = "mime",
	[HELPER_PROTOCOL] = "protocol",
};

static void yara_close(void *state)
{
	struct yara *yara = state;
	if (!yara)
		return;
	for (size_t i = 0; yara->scanners && i < yara->set->count; i++) {
		if (yara->scanners[i])
			yr_scanner_destroy(yara->scanners[i]);
	}
	free(yara->scanners);
	rule_set_free(yara->set);
	free(yara);
	(void)yr_finalize();
}

static int yara_load(void **state, const struct engine_start *start, struct helper_hello *hello,
		     struct error *err)
{
	if (yr_initialize() != ERROR_SUCCESS)
		return error_set(err, ENOMEM, "libyara cannot be initialised");
	/* bytes of each match that libyara copies for us: we report none */
	(void)yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, 0);
	struct rule_set *set = NULL;
	int result = rule_set_load(&set, start, hello, err);
	if (result < 0) {
		(void)yr_finalize();
		return result;
	}
	struct yara *yara = xcalloc(1, sizeof *yara);
	yara->set = set;
	yara->limit = start->load->limit;
	*state = yara;
	return 0;
}

static int told(YR_SCAN_CONTEXT *context, int message, void *data, void *report_)
{
	struct rule_report *report = report_;
	const YR_STRING *string = data;
	switch (message) {
	case CALLBACK_MSG_RULE_MATCHING:
		rule_report_add(report, data);
		break;
	case CALLBACK_MSG_TOO_MANY_MATCHES: /* it goes on without this string */
		(void)snprintf(report->gave_up, sizeof report->gave_up,
			       "the string %.40s of rule %.80s matches too often, it was given up",
			       string->identifier,
			       context->rules->rules_table[string->rule_idx].identifier);
		break;
	default:
		break;
	}
	return CALLBACK_CONTINUE;
}

static int define(YR_SCANNER *scanner, const struct helper_request *request)
{
	int code = ERROR_SUCCESS;
	for (unsigned i = 0; i < HELPER_FIELDS && code == ERROR_SUCCESS; i++) {
		AUTO_FREE char *value = xmemdup(request->field[i].at, request->field[i].len);
		code = yr_scanner_define_string_variable(scanner, variables[i], value);
	}
	return code;
}

static int open_scanners(struct yara *yara)
{
	if (yara->scanners)
		return ERROR_SUCCESS;
	yara->scanners = xcalloc(yara->set->count, sizeof(YR_SCANNER *));
	int code = ERROR_SUCCESS;
	for (size_t i = 0; i < yara->set->count && code == ERROR_SUCCESS; i++) {
		code = yr_scanner_create(yara->set->sets[i], &yara->scanners[i]);
		if (code != ERROR_SUCCESS)
			break;
		yr_scanner_set_callback(yara->scanners[i], told, &yara->report);
		yr_scanner_set_flags(yara->scanners[i],
				     SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
	}
	return code;
}

/* Scans with every set, until the deadline. A libyara error number. */
static int scan_sets(struct yara *yara, const struct helper_request *request,
		     const struct sample *sample)
{
	const struct mono deadline = mono_add_ms(mono_now(), request->timeout_ms);
	int code = open_scanners(yara);
	for (size_t i = 0; i < yara->set->count && code == ERROR_SUCCESS; i++) {
		YR_SCANNER *scanner = yara->scanners[i];
		int left_ms = mono_ms_until(deadline);
		if (left_ms == 0)
			return ERROR_SCAN_TIMEOUT;
		/* seconds; the daemon holds the exact time, this is for what it kills */
		yr_scanner_set_timeout(scanner, left_ms / 1000 + 1);
		code = define(scanner, request);
		if (code == ERROR_SUCCESS)
			code = yr_scanner_scan_mem(
				scanner, sample->bytes ? sample->bytes : (const uint8_t *)"",
				sample->len);
	}
	return code;
}

static void conclude(const struct rule_report *report, int code, struct helper_answer *answer)
{
	if (code == ERROR_SUCCESS || report->worst == OUTCOME_MALICIOUS) {
		rule_report_end(report, answer);
		return;
	}
	engine_say(answer, code == ERROR_SCAN_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_ERROR, "error",
		   "libyara: %s (error %d)", rule_file_words(code), code);
}

static void yara_scan(void *state, const struct helper_request *request, int fd,
		      struct helper_answer *answer)
{
	struct yara *yara = state;
	if (request->size > yara->limit) {
		engine_say(answer, OUTCOME_SKIPPED, "reason",
			   "%" PRId64 " bytes, max_file_size of this detector is %" PRId64,
			   request->size, yara->limit);
		return;
	}
	__attribute__((cleanup(sample_cleanup))) struct sample sample = { 0 };
	int result = sample_read(&sample, fd, (size_t)request->size);
	if (result < 0) {
		engine_say(answer, OUTCOME_ERROR, "error", "reading the file: %s",
			   error_text(-result));
		return;
	}
	rule_report_begin(&yara->report);
	conclude(&yara->report, scan_sets(yara, request, &sample), answer);
}

const struct engine_class yara_engine = {
	.type = "yara",
	.load = yara_load,
	.scan = yara_scan,
	.close = yara_close,
};
