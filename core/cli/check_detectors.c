/* check_detectors: opens every detector as the daemon would, tries it on the EICAR test file, and
 * says which files none of them gets. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/check_eicar.h"
#include "core/cli/check_report.h"
#include "core/config/api.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/detect/detect_state.h"

/* Items, the first behind lead; nothing for an empty list. */
static void list_items(struct str *out, const char *lead, char *const *items)
{
	for (char *const *item = items; item && *item; item++)
		str_printf(out, "%s%s", item == items ? lead : ", ", *item);
}

static void describe(const struct config_detector *row, struct str *out)
{
	str_printf(out, "detector %s", row->name);
	if (row->line)
		str_printf(out, " (line %u)", row->line);
	str_printf(out, ": %s", row->type);
	if (row->file)
		str_printf(out, " %s", row->file);
	if (row->socket)
		str_printf(out, " %s", row->socket);
	if (row->url && !row->api)
		str_printf(out, " %s", row->url);
	if (row->run)
		str_printf(out, " %s", row->run[0]);
	if (row->known == CONFIG_KNOWN_GOOD)
		str_puts(out, ", known good");
	list_items(out, ", skips ", row->skips);
	list_items(out, " ", row->rules);
	list_items(out, ", for ", row->mime);
}

static void check_doubts(struct check *check, const struct detector *detector)
{
	AUTO_STR doubts = STR_INIT;
	detector_doubts(detector, &doubts);
	for (char *at = doubts.data, *end; at && (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		check_warn(check, "detector %s: %s", detector_name(detector), at);
	}
}

/* What it could not load, if anything: it works without that. */
static void check_loaded(struct check *check, const struct detector *detector, struct str *words)
{
	struct detect_report report = detector_report(detector);
	if (report.loaded)
		str_printf(words, ", %llu rules", (unsigned long long)report.loaded);
	for (size_t i = 0; i < report.problem_count; i++)
		check_warn(check, "%s: not loaded: %s", str_text(words), report.problems[i]);
	if (report.failed > report.problem_count)
		check_warn(check, "%s: not loaded: %llu more", str_text(words),
			   (unsigned long long)(report.failed - report.problem_count));
}

/* What a detector's peer says of itself, or why it cannot be asked: false. */
static bool check_peer(struct check *check, const struct detector *detector, struct str *words)
{
	struct error why = { 0 };
	int64_t since_ns = 0;
	if (detector_away(detector, &why, &since_ns)) {
		bool left_out = detector_row(detector)->if_there;
		check_warn(check, "%s: it is away, %s: %s", str_text(words),
			   left_out ? "and left out, as nobody configured it" : "files wait for it",
			   why.text);
		return false;
	}
	if (detector_probe(detector, &why) < 0) {
		check_warn(check, "%s: does not answer: %s", str_text(words), why.text);
		check_doubts(check, detector);
		return false;
	}
	check_loaded(check, detector, words);
	AUTO_STR said = STR_INIT;
	detector_describe(detector, &said);
	if (said.len)
		str_printf(words, ": %s", str_text(&said));
	check_ok("%s", str_text(words));
	check_doubts(check, detector);
	return true;
}

/* eicar NULL: not to be tried. False: a signal ends it all. */
static bool check_detector(struct check *check, struct eicar *eicar,
			   const struct config_detector *row)
{
	AUTO_STR words = STR_INIT;
	describe(row, &words);
	AUTO(detector) struct detector *detector = NULL;
	struct error err = { 0 };
	/* nothing is changed here: what would be kept beside the history is not */
	struct config nowhere = eicar ? *eicar_config(eicar) : *check->config;
	nowhere.history = NULL;
	bool there = false;
	if (detector_open(&detector, row, &nowhere, &err) < 0)
		check_fail(check, "%s: %s", str_text(&words), err.text);
	else
		there = check_peer(check, detector, &words);
	if (row->api)
		check_api(check, row);
	return !eicar || !there || eicar_try(eicar, check, detector);
}

/* Files that no detector is to look at end as unscanned, no-detector. */
static void check_coverage(struct check *check)
{
	const struct config *config = check->config;
	bool any = false;
	bool untyped = false;
	for (size_t i = 0; i < config->detector_count; i++) {
		any = any || config_mime_matches(config->detectors[i].mime, "zz/unheard-of");
		untyped = untyped || config_mime_matches(config->detectors[i].mime, "");
	}
	if (!config->detector_count)
		check_warn(check, "no detectors: every file ends as unscanned, no-detector");
	else if (!any)
		check_warn(check,
			   "no detector gets files of types that none of them names: they end as "
			   "unscanned, no-detector");
	else if (!untyped)
		check_warn(
			check,
			"no detector gets files whose names tell no MIME type (only \"*\" does): "
			"they end as unscanned, no-detector");
	if (!config->hash)
		check_ok("hash is never: outcomes are not reused for the same content");
}

void check_detectors(struct check *check)
{
	AUTO(eicar) struct eicar *eicar = NULL;
	struct error err = { 0 };
	bool go_on = true;
	if (check->config->detector_count && eicar_new(&eicar, check->config, &err) < 0)
		check_warn(check, "EICAR is not tried: %s", err.text);
	for (size_t i = 0; go_on && i < check->config->detector_count; i++)
		go_on = check_detector(check, eicar, &check->config->detectors[i]);
	if (eicar && go_on)
		eicar_conclude(eicar, check);
	check_coverage(check);
}
