/*
 * review: see review.h.
 *
 * The row says what the rules of its time said, and stays true whatever happens here: a rescan adds
 * answers. So a detector that fails now leaves the verdict to its last definite answer, and the
 * failure stands beside it: as a scan row, and as "failed" in the queue once no attempt is left.
 */
#include "core/app/review.h"

#include <string.h>

#include "core/app/ask.h"
#include "core/app/conclude.h"
#include "core/app/earlier.h"
#include "core/app/engine.h"
#include "core/app/real_type.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"
#include "core/store/rescan.h"

bool review_may_be(const struct job *job, const struct identity *now, const struct config *config)
{
	const struct identity *row = &job->version->identity;
	bool told_by_hash = config->hash && job->prior_has_sha256;
	return now->size == row->size && (told_by_hash || now->mtime_ns == row->mtime_ns);
}

bool review_is_content(const struct job *job)
{
	const struct version *version = job->version;
	return !version->has_sha256 || !job->prior_has_sha256 ||
	       memcmp(version->sha256, job->prior_sha256, sizeof version->sha256) == 0;
}

static void end(struct job *job, enum rescan_end how, const char *note)
{
	struct store_rescan *rescan = job->rescan;
	rescan->end = how;
	free(rescan->note);
	rescan->note = xstrdup(note);
}

static void end_later(struct job *job, int64_t pause_ms)
{
	end(job, RESCAN_WAITING, NULL);
	job->rescan->due_ns = clock_steady_ns() + pause_ms * CLOCK_NS_PER_MS;
}

static void note_failure(struct str *failures, const struct standing *standing)
{
	str_printf(failures, "%s%s: %s", failures->len ? ", " : "", standing->row->name,
		   outcome_name(standing->outcome));
}

/* Who has no answer. What was skipped where that is no hindrance was answered in its way. */
static void gather_failures(const struct asking *asking, bool done, struct str *failures)
{
	for (size_t i = 0; i < asking->engine->detector_count; i++) {
		const struct standing *standing = &asking->standings[i];
		if (standing->row && !standing->abstains && standing->outcome < OUTCOMES &&
		    !outcome_is_definite(standing->outcome) &&
		    (standing->outcome != OUTCOME_SKIPPED || !done))
			note_failure(failures, standing);
	}
}

/* The newest definite answers of all that want the version, asked now or not. OUTCOMES: none. */
static enum outcome worst_answer(const struct asking *asking)
{
	enum outcome worst = OUTCOMES;
	enum outcome aside = OUTCOMES; /* as in conclude() */
	for (size_t i = 0; i < asking->engine->detector_count; i++) {
		const struct detector *detector = asking->engine->detectors[i];
		if (!real_type_wanted(detector, asking->job->version))
			continue;
		const struct standing *standing = &asking->standings[i];
		const struct finding *before = earlier_newest(asking, detector_name(detector));
		if (standing->row && standing->abstains)
			aside = outcome_worst(aside, standing->outcome);
		else if (standing->row && outcome_is_definite(standing->outcome))
			worst = outcome_worst(worst, standing->outcome);
		else if (before)
			worst = outcome_worst(worst, before->outcome);
	}
	if (worst == OUTCOMES && outcome_is_definite(aside))
		return aside;
	return worst;
}

static void wait_for_time(struct job *job, const struct conclusion *conclusion)
{
	struct store_rescan *rescan = job->rescan;
	end_later(job, conclusion->pause_ms);
	if (!conclusion->away)
		rescan->away_since_ns = 0;
	else if (rescan->away_since_ns == 0)
		rescan->away_since_ns = clock_steady_ns();
}

void review_conclude(struct asking *asking)
{
	struct job *job = asking->job;
	struct version *version = job->version;
	AUTO_STR failures = STR_INIT;
	struct conclusion conclusion =
		conclude(asking->standings, asking->engine->detector_count, ask_waited_ms(version));
	enum outcome worst = worst_answer(asking);
	if (version->finding_count > 0) {
		version->attempt++;
		job->rescan->tries++;
		version->finished_ns = clock_wall_ns();
	}
	if (worst < OUTCOMES)
		version->verdict = worst;
	gather_failures(asking, conclusion.done, &failures);
	if (conclusion.again)
		wait_for_time(job, &conclusion);
	else if (failures.len > 0 && conclusion.worst != OUTCOME_MALICIOUS)
		end(job, RESCAN_FAILED, str_text(&failures));
	else
		end(job, RESCAN_ANSWERED, NULL);
}

static bool end_as_told(struct job *job, const struct config *config)
{
	switch (job->result) {
	case JOB_GONE:
		end(job, RESCAN_GONE, job->result_errno ? error_text(job->result_errno) : NULL);
		return true;
	case JOB_CHANGED:
		/* the watcher tells of what is there now; it has, or gets, a row of its own */
		end(job, RESCAN_REPLACED, NULL);
		return true;
	case JOB_LINKED:
		end(job, RESCAN_FAILED,
		    "a symbolic link is in the way; nothing below a root is followed");
		return true;
	case JOB_WRITER:
	case JOB_UNSETTLED:
	case JOB_LATER:
		end_later(job, config->rescan_interval_ms);
		return true;
	case JOB_CANCELLED:
	case JOB_HELD:	  /* before the look */
	case JOB_SIDECAR: /* never of a file that has a row */
		return false;
	}
	return false;
}

bool review_broke_off(struct job *job, bool told, const struct config *config)
{
	struct version *version = job->version;
	bool record = true;
	if (told) {
		record = end_as_told(job, config);
	} else if (version->state == VERSION_QUEUED) {
		end(job, RESCAN_WAITING, NULL); /* a detector that is away is waited for on */
		job->rescan->due_ns = version->due_ns;
		job->rescan->away_since_ns = version->away_since_ns;
	} else if (version->reason == REASON_NO_DETECTOR) {
		end(job, RESCAN_ANSWERED, NULL); /* nobody is to be asked any more */
	} else {
		AUTO_STR note = STR_INIT;
		str_printf(&note, "%s%s%s", version_reason_name(version->reason),
			   version->note ? ": " : "", version->note ? version->note : "");
		end(job, RESCAN_FAILED, str_text(&note));
	}
	version->state = VERSION_DONE;
	version->reason = REASON_NONE;
	return record;
}
