/*
 * ask: see ask.h.
 *
 * For each detector, in this order: a definite finding of an earlier attempt on this very version
 * stands; a definite finding under the same reuse key on the same content is taken over (of a twin
 * in flight, of the row that this is a sighting of, of the history); else the detector is asked.
 */
#include "core/app/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/app/engine.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/store/reader.h"

#define DAY_NS (INT64_C(86400) * CLOCK_NS_PER_S)

bool ask_any_wanted(const struct engine *engine, const struct version *version)
{
	for (size_t i = 0; i < engine->detector_count; i++) {
		if (detector_wants(engine->detectors[i], &version->entry))
			return true;
	}
	return false;
}

static void free_findings(struct finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		finding_done(&findings[i]);
	free(findings);
}

void ask_return_lent(struct scanner *scanner)
{
	free_findings(TAKE(scanner->lent), scanner->lent_count);
	scanner->lent_count = 0;
}

/* A definite finding of the wanted detector among some, NULL when there is none. By key, or (a
 * row's own earlier attempts) by name and digest, which the key covers as well. */
static const struct finding *pick(const struct finding *findings, size_t count,
				  const struct finding *wanted)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding *finding = &findings[i];
		if (outcome_is_definite(finding->outcome) &&
		    memcmp(finding->key, wanted->key, sizeof wanted->key) == 0 &&
		    strcmp(finding->detector, wanted->detector) == 0)
			return finding;
	}
	return NULL;
}

static struct finding wanted_finding(const struct detector *detector, const struct version *version,
				     unsigned attempt)
{
	struct finding finding = { .outcome = OUTCOMES, .attempt = attempt };
	size_t name_len;
	const char *name = version_name(version, &name_len);
	finding.detector = xstrdup(detector_name(detector));
	(void)snprintf(finding.digest, sizeof finding.digest, "%s", detector_digest(detector));
	detector_key(detector, &version->entry, name, name_len, finding.key);
	return finding;
}

static void take_over(struct version *version, struct finding *wanted, const struct finding *from)
{
	wanted->outcome = from->outcome;
	wanted->signature = xstrdup(from->signature);
	wanted->detail = xstrdup(from->detail);
	wanted->cached = true;
	/* when it was really asked: an answer does not grow younger by being taken over */
	wanted->started_ns = from->started_ns;
	wanted->finished_ns = from->finished_ns;
	version_add_finding(version, wanted);
}

/* True when an answer on the same content was found and taken over. */
static bool reuse(struct asking *asking, struct finding *wanted, int *failure)
{
	struct scanner *scanner = asking->scanner;
	struct version *version = asking->job->version;
	const struct finding *found = pick(scanner->lent, scanner->lent_count, wanted);
	if (!found && asking->job->sighting_of)
		found = pick(asking->earlier, asking->earlier_count, wanted);
	if (found) {
		take_over(version, wanted, found);
		return true;
	}
	if (!version->has_sha256)
		return false;
	struct finding kept = { .outcome = OUTCOMES };
	struct error err = { 0 };
	bool hit = false;
	int64_t since = clock_wall_ns() - (int64_t)asking->engine->config->reuse_days * DAY_NS;
	int result =
		store_reuse(scanner->reader, version->sha256, wanted, since, &kept, &hit, &err);
	if (result < 0) {
		log_error("cannot read the history: %s", err.text);
		*failure = -result;
		return false;
	}
	if (hit)
		take_over(version, wanted, &kept);
	finding_done(&kept);
	return hit;
}

/* A description of its own for a detector that reads: opening /proc/self/fd/N opens the inode anew.
 */
static int reopen(int fd)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int own = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return own >= 0 ? own : -errno;
}

static enum ask_result question(struct asking *asking, const struct detector *detector,
				struct finding *wanted)
{
	struct job *job = asking->job;
	struct version *version = job->version;
	const struct detector_class *class = detector_class(detector);
	AUTO_CLOSE int own = -1;
	if (class->needs & DETECT_NEEDS_FD) {
		own = reopen(asking->fd);
		if (own < 0) {
			asking->failure = -own;
			return ASK_FAILED;
		}
	}
	const char *name = strrchr(job->absolute, '/');
	struct scan_request request = {
		.path = job->absolute,
		.name_offset = name ? (size_t)(name + 1 - job->absolute) : 0,
		.entry = &version->entry,
		.fd = own,
		.size = version->identity.size,
		.sha256 = version->has_sha256 ? version->sha256 : NULL,
		.attempt = wanted->attempt,
		.deadline = mono_add_ms(mono_now(), detector_row(detector)->timeout_ms),
		.cancel_fd = asking->scanner->app->cancel_fd,
	};
	asking->took_path = asking->took_path || class->needs & DETECT_NEEDS_PATH;
	struct answer answer = { .outcome = OUTCOMES };
	wanted->started_ns = clock_wall_ns();
	detector_scan(detector, &request, &answer);
	wanted->finished_ns = clock_wall_ns();
	bool cancelled = answer.cancelled;
	asking->failure = answer.unable;
	wanted->outcome = answer.outcome;
	wanted->signature = TAKE(answer.signature);
	wanted->detail = TAKE(answer.detail);
	answer_done(&answer);
	if (cancelled)
		return ASK_CANCELLED;
	if (asking->failure)
		return ASK_FAILED;
	version_add_finding(version, wanted);
	return ASK_ASKED;
}

static unsigned this_attempt(const struct asking *asking)
{
	return asking->other_row ? 1 : asking->job->version->attempt + 1;
}

static enum ask_result ask_one(struct asking *asking, const struct detector *detector)
{
	struct version *version = asking->job->version;
	struct finding wanted = wanted_finding(detector, version, this_attempt(asking));
	enum ask_result result = ASK_ASKED;
	bool stands =
		asking->earlier_stands && pick(asking->earlier, asking->earlier_count, &wanted);
	if (!stands && !reuse(asking, &wanted, &asking->failure))
		result = asking->failure ? ASK_FAILED : question(asking, detector, &wanted);
	finding_done(&wanted);
	return result;
}

/* Is what we hold the content that the row's earlier attempts were made on? The path may lead to
 * another file by now, and a file may have been written anew. */
static bool same_content(const struct version *then, const struct version *now)
{
	if (now->has_sha256)
		return then->has_sha256 &&
		       memcmp(then->sha256, now->sha256, sizeof now->sha256) == 0;
	return identity_same_version(&then->identity, &now->identity);
}

/* Without hashes only the change time tells whether a finding is of what the file holds now: the
 * row may have got the identity of a later look, one that led to no answer. Two changes within a
 * tick look like one. */
static void drop_older_than_change(struct asking *asking)
{
	int64_t changed_ns = asking->job->version->identity.ctime_ns + 2 * clock_tick_ns();
	size_t kept = 0;
	for (size_t i = 0; i < asking->earlier_count; i++) {
		if (asking->earlier[i].started_ns > changed_ns)
			asking->earlier[kept++] = asking->earlier[i];
		else
			finding_done(&asking->earlier[i]);
	}
	asking->earlier_count = kept;
}

/* Are the row's attempts, if it has any, of this content? */
static int look_at_row(struct asking *asking, struct error *err)
{
	const struct version *version = asking->job->version;
	AUTO(version) struct version *then = NULL;
	if (version->attempt == 0 || !version->id)
		return 0;
	int result = store_load(asking->scanner->reader, version->id, &then, err);
	if (result < 0 || !then)
		return result;
	asking->other_row = !same_content(then, version);
	asking->earlier_stands = !asking->other_row && !asking->job->sighting_of;
	return 0;
}

/* What the history has of this version's earlier attempts, or of the row it is a sighting of. */
static int load_earlier(struct asking *asking)
{
	const struct job *job = asking->job;
	struct error err = { 0 };
	int result = look_at_row(asking, &err);
	int64_t id = job->sighting_of;
	if (asking->earlier_stands)
		id = job->version->id;
	if (result == 0 && id)
		result = store_findings(asking->scanner->reader, id, &asking->earlier,
					&asking->earlier_count, &err);
	if (result < 0)
		log_error("cannot read the history: %s", err.text);
	else if (asking->earlier_stands && !job->version->has_sha256)
		drop_older_than_change(asking);
	return result;
}

enum ask_result ask_all(struct asking *asking)
{
	if (!ask_any_wanted(asking->engine, asking->job->version))
		return ASK_NO_DETECTOR;
	int loaded = load_earlier(asking);
	if (loaded < 0) {
		asking->failure = -loaded;
		return ASK_FAILED;
	}
	enum ask_result result = ASK_ASKED;
	for (size_t i = 0; i < asking->engine->detector_count && result == ASK_ASKED; i++) {
		const struct detector *detector = asking->engine->detectors[i];
		if (detector_wants(detector, &asking->job->version->entry))
			result = ask_one(asking, detector);
	}
	if (result != ASK_ASKED)
		ask_forget(asking);
	return result;
}

/* The present outcome of a detector on this version: of this attempt, else of an earlier one. */
static enum outcome outcome_of(const struct asking *asking, const struct detector *detector)
{
	const struct version *version = asking->job->version;
	for (size_t i = 0; i < version->finding_count; i++) {
		if (strcmp(version->findings[i].detector, detector_name(detector)) == 0)
			return version->findings[i].outcome;
	}
	for (size_t i = 0; i < asking->earlier_count; i++) {
		if (strcmp(asking->earlier[i].detector, detector_name(detector)) == 0)
			return asking->earlier[i].outcome;
	}
	return OUTCOMES;
}

struct tally {
	enum outcome worst;
	bool all_definite;
	bool retry; /* a detector that failed has attempts left */
	int64_t pause_ms;
};

static struct tally count_outcomes(const struct asking *asking, unsigned tries)
{
	struct tally tally = { .worst = OUTCOMES, .all_definite = true };
	for (size_t i = 0; i < asking->engine->detector_count; i++) {
		const struct detector *detector = asking->engine->detectors[i];
		if (!detector_wants(detector, &asking->job->version->entry))
			continue;
		enum outcome outcome = outcome_of(asking, detector);
		tally.worst = outcome_worst(tally.worst, outcome);
		if (outcome_is_definite(outcome))
			continue;
		tally.all_definite = false;
		const struct config_detector *row = detector_row(detector);
		if (tries < row->retries) {
			tally.retry = true;
			if (row->retry_pause_ms > tally.pause_ms)
				tally.pause_ms = row->retry_pause_ms;
		}
	}
	return tally;
}

void ask_forget(struct asking *asking)
{
	free_findings(TAKE(asking->earlier), asking->earlier_count);
	asking->earlier_count = 0;
}

void ask_conclude(struct asking *asking)
{
	struct version *version = asking->job->version;
	version->attempt = this_attempt(asking);
	version->tries = asking->other_row ? 1 : version->tries + 1;
	if (asking->other_row)
		version->id = 0; /* the loop ends the row that is left */
	struct tally tally = count_outcomes(asking, version->tries);
	version->verdict = tally.worst;
	version->finished_ns = clock_wall_ns();
	version->wait = WAIT_NOTHING;
	version->due_ns = 0;
	if (tally.all_definite || tally.worst == OUTCOME_MALICIOUS) {
		version->state = VERSION_DONE;
		version->reason = REASON_NONE;
	} else if (tally.retry) {
		version->state = VERSION_QUEUED;
		version->wait = WAIT_RETRY;
		version->due_ns = version->finished_ns + tally.pause_ms * CLOCK_NS_PER_MS;
		version->finished_ns = 0;
		version->verdict = OUTCOMES;
	} else {
		version->state = VERSION_UNSCANNED;
		version->reason = REASON_FAILED;
	}
}
