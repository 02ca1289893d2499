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

#include "core/app/away.h"
#include "core/app/conclude.h"
#include "core/app/earlier.h"
#include "core/app/engine.h"
#include "core/app/hashing.h"
#include "core/app/known.h"
#include "core/app/real_type.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/store/reader.h"
#include "core/store/rescan.h"

bool ask_any_wanted(const struct engine *engine, const struct version *version)
{
	for (size_t i = 0; i < engine->detector_count; i++) {
		if (detector_wants(engine->detectors[i], &version->entry, NULL))
			return true;
	}
	return false;
}

void ask_return_lent(struct scanner *scanner)
{
	earlier_free(TAKE(scanner->lent), scanner->lent_count);
	scanner->lent_count = 0;
}

/* Is this detector to be asked about this version? */
static bool is_asked(const struct asking *asking, const struct detector *detector)
{
	const struct store_rescan *rescan = asking->job->rescan;
	const char *name = detector_name(detector);
	if (!real_type_wanted(detector, asking->job->version))
		return false;
	if (!rescan || !rescan->detector || strcmp(rescan->detector, name) == 0)
		return true;
	/* lists tell who is spared by now, and whoever was is asked once they do so no more */
	return known_is_list(detector) || earlier_was_spared(asking, name) ||
	       (asking->standings && known_skips(asking, detector_row(detector)));
}

static unsigned this_attempt(const struct asking *asking)
{
	return asking->other_row ? 1 : asking->job->version->attempt + 1;
}

static void set_digest(struct finding *finding, const struct detector *detector,
		       const struct version *version, const char digest[65])
{
	struct slice name = { 0 };
	name.at = version_name(version, &name.len);
	(void)memccpy(finding->digest, digest, '\0', sizeof finding->digest);
	detector_key(detector, finding->digest, &version->entry, name, finding->key);
}

/* False: the detector is away, and its digest not known. */
static bool wanted_finding(const struct asking *asking, const struct detector *detector,
			   struct finding *out, struct error *why)
{
	const struct version *version = asking->job->version;
	struct finding finding = { .outcome = OUTCOMES, .attempt = this_attempt(asking) };
	char digest[65];
	bool known = detector_digest(detector, digest, why);
	if (known)
		set_digest(&finding, detector, version, digest);
	finding.detector = xstrdup(detector_name(detector));
	*out = finding;
	return known;
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
	asking->read = asking->read || class->needs & (DETECT_NEEDS_FD | DETECT_NEEDS_PATH);
	asking->took_path = asking->took_path || class->needs & DETECT_NEEDS_PATH;
	struct answer answer = { .outcome = OUTCOMES };
	wanted->started_ns = clock_wall_ns();
	struct mono began = mono_now();
	detector_scan(detector, &request, &answer);
	/* a duration is one, whatever somebody did to the wall clock meanwhile */
	wanted->finished_ns = wanted->started_ns + mono_now().ns - began.ns;
	bool cancelled = answer.cancelled;
	*away = TAKE(answer.away);
	asking->failure = answer.unable;
	if (*answer.digest)
		set_digest(wanted, detector, version, answer.digest);
	wanted->outcome = answer.outcome;
	wanted->signature = TAKE(answer.signature);
	wanted->detail = TAKE(answer.detail);
	answer_done(&answer);
	if (cancelled)
		return ASK_CANCELLED;
	return asking->failure ? ASK_FAILED : ASK_ASKED;
}

int64_t ask_waited_ms(const struct version *version)
{
	if (version->away_since_ns == 0)
		return 0;
	int64_t waited_ns = clock_steady_ns() - version->away_since_ns;
	return waited_ns > 0 ? waited_ns / CLOCK_NS_PER_MS : 0;
}

/* Is this detector, which is away, waited for (on)? */
static bool waits_for(const struct config_detector *row, const struct version *version)
{
	return row->required && ask_waited_ms(version) < row->wait_ms;
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
		earlier_look_back(asking, standing->row, wanted, &standing->failures);
	const struct detector *by = known_skips(asking, standing->row);
	/* a list that names a file by now takes back what was said of it before */
	bool answered = stands && outcome_is_definite(stands->outcome) && !asking->job->rescan;
	if (by && !answered) {
		known_skip(asking, standing, wanted, by);
		return ASK_ASKED;
	}
	if (stands) {
		standing->outcome = stands->outcome;
		real_type_note(asking->job->version, detector, stands->detail);
		return ASK_ASKED;
	}
	enum outcome outcome = OUTCOMES;
	if (earlier_take_over(asking, wanted, &outcome)) {
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
	const struct version *version = asking->job->version;
	const size_t before = version->finding_count;
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
	away_tell(asking->engine, at);
	finding_done(&wanted);
	if (version->finding_count > before)
		real_type_note(asking->job->version, detector, version->findings[before].detail);
	return result;
}

/* Lists of known good files spare others, and real types route them. */
enum turn {
	TURN_LISTS,
	TURN_TYPES,
	TURN_OTHERS,
};

static enum turn turn_of(const struct detector *detector)
{
	if (known_is_list(detector))
		return TURN_LISTS;
	return detector_class(detector)->types ? TURN_TYPES : TURN_OTHERS;
}

static enum ask_result ask_these(struct asking *asking, enum turn turn)
{
	const struct engine *engine = asking->engine;
	enum ask_result result = ASK_ASKED;
	for (size_t i = 0; i < engine->detector_count && result == ASK_ASKED; i++) {
		if (turn_of(engine->detectors[i]) == turn && is_asked(asking, engine->detectors[i]))
			result = ask_one(asking, i);
	}
	return result;
}

enum ask_result ask_all(struct asking *asking)
{
	if (!ask_any_wanted(asking->engine, asking->job->version))
		return ASK_NO_DETECTOR;
	int loaded = earlier_load(asking);
	if (loaded < 0) {
		asking->failure = -loaded;
		return ASK_FAILED;
	}
	asking->standings = xcalloc(asking->engine->detector_count, sizeof *asking->standings);
	if (!asking->job->rescan) /* else the content is the one that it was told of */
		free(TAKE(asking->job->version->real_mime));
	enum ask_result result = ASK_ASKED;
	for (int turn = TURN_LISTS; turn <= TURN_OTHERS && result == ASK_ASKED; turn++)
		result = ask_these(asking, (enum turn)turn);
	if (result != ASK_ASKED)
		ask_forget(asking);
	return result;
}

enum ask_result ask_any_stale(struct asking *asking)
{
	int loaded = earlier_load(asking);
	if (loaded < 0) {
		asking->failure = -loaded;
		return ASK_FAILED;
	}
	enum ask_result result = ASK_NO_DETECTOR;
	for (size_t i = 0; i < asking->engine->detector_count && result != ASK_ASKED; i++) {
		const struct detector *detector = asking->engine->detectors[i];
		struct finding wanted = { .outcome = OUTCOMES };
		struct error why = { 0 };
		if (is_asked(asking, detector) &&
		    (!wanted_finding(asking, detector, &wanted, &why) ||
		     !earlier_is_fresh(asking, &wanted)))
			result = ASK_ASKED;
		finding_done(&wanted);
	}
	ask_forget(asking);
	return result;
}

void ask_forget(struct asking *asking)
{
	earlier_forget(asking);
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
		conclude(asking->standings, asking->engine->detector_count, ask_waited_ms(version));
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
	return detector_in_vain(detector, entry, why) || !detector_digest(detector, digest, why);
}

bool ask_waits_on(const struct engine *engine, struct version *version)
{
	if (version->away_since_ns == 0)
		return false;
	for (size_t i = 0; i < engine->detector_count; i++) {
		const struct detector *detector = engine->detectors[i];
		struct error why = { 0 };
		if (!real_type_wanted(detector, version) ||
		    !waits_for(detector_row(detector), version) ||
		    !is_away(detector, &version->entry, &why))
			continue;
		struct standing standing = { .row = detector_row(detector),
					     .outcome = OUTCOMES,
					     .away = true };
		struct conclusion conclusion = conclude(&standing, 1, ask_waited_ms(version));
		AUTO_STR words = STR_INIT;
		put_away(&words, standing.row, why.text);
		conclude_write(&conclusion, version);
		version->has_sha256 = false; /* the row's own stays */
		set_note(version, &words);
		return true;
	}
	return false;
}
