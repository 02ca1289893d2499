/*
 * ask: see ask.h.
 *
 * For each detector, in this order: a definite finding of an earlier attempt on this very version
 * stands; a definite finding under the same reuse key on the same content is taken over (of a twin
 * in flight, of the row that this is a sighting of, of the history); else the detector is asked.
 * Lists of known good files come first, because they tell which detectors are not asked (known.h).
 */
#include "core/app/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/app/conclude.h"
#include "core/app/engine.h"
#include "core/app/hashing.h"
#include "core/app/known.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
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

/* The newest definite finding of the wanted detector among some, NULL when there is none. */
static const struct finding *pick(const struct finding *findings, size_t count,
				  const struct finding *wanted)
{
	for (size_t i = count; i-- > 0;) {
		const struct finding *finding = &findings[i];
		if (outcome_is_definite(finding->outcome) &&
		    memcmp(finding->key, wanted->key, sizeof wanted->key) == 0 &&
		    strcmp(finding->detector, wanted->detector) == 0)
			return finding;
	}
	return NULL;
}

static unsigned this_attempt(const struct asking *asking)
{
	return asking->other_row ? 1 : asking->job->version->attempt + 1;
}

/* False: the detector is away, and its digest not known. */
static bool wanted_finding(const struct asking *asking, const struct detector *detector,
			   struct finding *out, struct error *why)
{
	const struct version *version = asking->job->version;
	struct finding finding = { .outcome = OUTCOMES, .attempt = this_attempt(asking) };
	struct slice name = { 0 };
	name.at = version_name(version, &name.len);
	bool known = detector_digest(detector, finding.digest, why);
	if (known)
		detector_key(detector, finding.digest, &version->entry, name, finding.key);
	finding.detector = xstrdup(detector_name(detector));
	*out = finding;
	return known;
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
static bool reuse(struct asking *asking, struct finding *wanted, enum outcome *outcome)
{
	struct scanner *scanner = asking->scanner;
	struct version *version = asking->job->version;
	const struct finding *found = pick(scanner->lent, scanner->lent_count, wanted);
	if (!found && asking->job->sighting_of)
		found = pick(asking->earlier, asking->earlier_count, wanted);
	if (found) {
		*outcome = found->outcome;
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
		asking->failure = -result;
		return false;
	}
	*outcome = kept.outcome;
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
				struct finding *wanted, char **away)
{
	struct job *job = asking->job;
	struct version *version = job->version;
	const struct detector_class *class = detector_class(detector);
	AUTO_CLOSE int own = -1;
	int hashed =
		hashing_provide(asking->scanner->hasher, job, detector_needs(detector), asking->fd);
	if (hashed < 0) {
		asking->failure = -hashed;
		return hashed == -ESTALE ? ASK_OTHER : ASK_FAILED;
	}
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
		.root_offset = job->below,
		.entry = &version->entry,
		.fd = own,
		.size = version->identity.size,
		.attempt = wanted->attempt,
		.deadline = mono_add_ms(mono_now(), detector_row(detector)->timeout_ms),
		.cancel_fd = asking->scanner->app->cancel_fd,
	};
	hashing_fill(job, &request);
	asking->took_path = asking->took_path || class->needs & DETECT_NEEDS_PATH;
	struct answer answer = { .outcome = OUTCOMES };
	wanted->started_ns = clock_wall_ns();
	detector_scan(detector, &request, &answer);
	wanted->finished_ns = clock_wall_ns();
	bool cancelled = answer.cancelled;
	*away = TAKE(answer.away);
	asking->failure = answer.unable;
	wanted->outcome = answer.outcome;
	wanted->signature = TAKE(answer.signature);
	wanted->detail = TAKE(answer.detail);
	answer_done(&answer);
	if (cancelled)
		return ASK_CANCELLED;
	return asking->failure ? ASK_FAILED : ASK_ASKED;
}

static int64_t waited_ms(const struct version *version)
{
	if (version->away_since_ns == 0)
		return 0;
	int64_t waited_ns = clock_wall_ns() - version->away_since_ns;
	return waited_ns > 0 ? waited_ns / CLOCK_NS_PER_MS : 0;
}

/* Is this detector, which is away, waited for (on)? */
static bool waits_for(const struct config_detector *row, const struct version *version)
{
	return row->required && waited_ms(version) < row->wait_ms;
}

static void put_away(struct str *out, const struct config_detector *row, const char *words)
{
	str_printf(out, "%s is away: %s", row->name, words);
}

/* The detector is away: the version waits for it, or has waited long enough. */
static void be_away(struct asking *asking, struct standing *standing, struct finding *wanted,
		    const char *words)
{
	struct version *version = asking->job->version;
	AUTO_STR text = STR_INIT;
	put_away(&text, standing->row, words);
	if (waits_for(standing->row, version)) {
		standing->away = true;
		if (asking->away.len == 0)
			str_puts(&asking->away, str_text(&text));
		return;
	}
	struct answer answer = { 0 };
	answer_fail(&answer, OUTCOME_ERROR, "%s", str_text(&text));
	wanted->outcome = answer.outcome;
	free(wanted->detail);
	wanted->detail = TAKE(answer.detail);
	answer_done(&answer);
	wanted->started_ns = wanted->finished_ns = clock_wall_ns();
	standing->outcome = OUTCOME_ERROR;
	standing->final = true;
	version_add_finding(version, wanted);
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

/* Of the attempts since this row was queued: how often the detector failed, and what it said last
 * that needs no asking again. NULL: nothing. */
static const struct finding *look_back(const struct asking *asking,
				       const struct config_detector *row,
				       const struct finding *wanted, unsigned *failures)
{
	const struct version *version = asking->job->version;
	const struct finding *last = NULL;
	if (!asking->earlier_stands)
		return NULL;
	for (size_t i = 0; i < asking->earlier_count; i++) {
		const struct finding *finding = &asking->earlier[i];
		if (strcmp(finding->detector, wanted->detector) != 0 ||
		    finding->attempt + version->tries <= version->attempt)
			continue;
		last = finding;
		if (finding->outcome == OUTCOME_ERROR || finding->outcome == OUTCOME_TIMEOUT)
			(*failures)++;
	}
	const struct finding *stands = pick(asking->earlier, asking->earlier_count, wanted);
	if (stands || !last)
		return stands;
	bool skipped = last->outcome == OUTCOME_SKIPPED &&
		       memcmp(last->key, wanted->key, sizeof wanted->key) == 0;
	return skipped || conclude_exhausted(row, *failures) ? last : NULL;
}

/* Asks; or finds that it is away. */
static enum ask_result ask_now(struct asking *asking, const struct detector *detector,
			       struct standing *standing, struct finding *wanted)
{
	AUTO_FREE char *away = NULL;
	enum ask_result result = question(asking, detector, wanted, &away);
	if (result != ASK_ASKED)
		return result;
	if (away) {
		be_away(asking, standing, wanted, away);
		return ASK_ASKED;
	}
	standing->outcome = wanted->outcome;
	if (!outcome_is_definite(wanted->outcome))
		standing->failures++;
	version_add_finding(asking->job->version, wanted);
	return ASK_ASKED;
}

static enum ask_result ask_wanted(struct asking *asking, const struct detector *detector,
				  struct standing *standing, struct finding *wanted)
{
	const struct finding *stands =
		look_back(asking, standing->row, wanted, &standing->failures);
	const struct detector *by = known_skips(asking, standing->row);
	if (by && !(stands && outcome_is_definite(stands->outcome))) {
		known_skip(asking, standing, wanted, by);
		return ASK_ASKED;
	}
	if (stands) {
		standing->outcome = stands->outcome;
		return ASK_ASKED;
	}
	enum outcome outcome = OUTCOMES;
	if (reuse(asking, wanted, &outcome)) {
		standing->outcome = outcome;
		return ASK_ASKED;
	}
	return asking->failure ? ASK_FAILED : ask_now(asking, detector, standing, wanted);
}

static enum ask_result ask_one(struct asking *asking, size_t at)
{
	const struct detector *detector = asking->engine->detectors[at];
	struct standing *standing = &asking->standings[at];
	struct finding wanted = { .outcome = OUTCOMES };
	struct error why = { 0 };
	enum ask_result result = ASK_ASKED;
	*standing = (struct standing){ .row = detector_row(detector), .outcome = OUTCOMES };
	const struct detector *by = known_skips(asking, standing->row);
	bool known = wanted_finding(asking, detector, &wanted, &why);
	if (known)
		result = ask_wanted(asking, detector, standing, &wanted);
	else if (by)
		known_skip(asking, standing, &wanted, by);
	else
		be_away(asking, standing, &wanted, why.text);
	if (known_is_list(detector) && standing->outcome == OUTCOME_UNKNOWN)
		standing->abstains = true;
	finding_done(&wanted);
	return result;
}

static enum ask_result ask_these(struct asking *asking, bool lists)
{
	const struct engine *engine = asking->engine;
	enum ask_result result = ASK_ASKED;
	for (size_t i = 0; i < engine->detector_count && result == ASK_ASKED; i++) {
		if (known_is_list(engine->detectors[i]) == lists &&
		    detector_wants(engine->detectors[i], &asking->job->version->entry))
			result = ask_one(asking, i);
	}
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
	asking->standings = xcalloc(asking->engine->detector_count, sizeof *asking->standings);
	enum ask_result result = ask_these(asking, true);
	if (result == ASK_ASKED)
		result = ask_these(asking, false);
	if (result != ASK_ASKED)
		ask_forget(asking);
	return result;
}

void ask_forget(struct asking *asking)
{
	free_findings(TAKE(asking->earlier), asking->earlier_count);
	asking->earlier_count = 0;
	free(TAKE(asking->standings));
	str_done(&asking->away);
}

static void set_note(struct version *version, struct str *words)
{
	free(version->note);
	version->note = words->len ? str_take(words) : NULL;
}

void ask_conclude(struct asking *asking)
{
	struct version *version = asking->job->version;
	if (asking->other_row) {
		version->id = 0; /* the loop ends the row that is left */
		version->attempt = 0;
		version->tries = 0;
		version->away_since_ns = 0;
	}
	if (version->finding_count > 0) {
		version->attempt++;
		version->tries++;
	}
	struct conclusion conclusion =
		conclude(asking->standings, asking->engine->detector_count, waited_ms(version));
	conclude_write(&conclusion, version);
	/* a row that waits has the hash of its outcomes, or none */
	if (version->state == VERSION_QUEUED && version->attempt == 0)
		version->has_sha256 = false;
	set_note(version, &asking->away);
}

/* What is found out without asking about the file. */
static bool is_away(const struct detector *detector, const struct entry *entry, struct error *why)
{
	char digest[65];
	return detector_away(detector, entry, why) || !detector_digest(detector, digest, why);
}

bool ask_waits_on(const struct engine *engine, struct version *version)
{
	if (version->away_since_ns == 0)
		return false;
	for (size_t i = 0; i < engine->detector_count; i++) {
		const struct detector *detector = engine->detectors[i];
		struct error why = { 0 };
		if (!detector_wants(detector, &version->entry) ||
		    !waits_for(detector_row(detector), version) ||
		    !is_away(detector, &version->entry, &why))
			continue;
		struct standing standing = { .row = detector_row(detector),
					     .outcome = OUTCOMES,
					     .away = true };
		struct conclusion conclusion = conclude(&standing, 1, waited_ms(version));
		AUTO_STR words = STR_INIT;
		put_away(&words, standing.row, why.text);
		conclude_write(&conclusion, version);
		version->has_sha256 = false; /* the row's own stays */
		set_note(version, &words);
		return true;
	}
	return false;
}
