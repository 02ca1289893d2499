/* earlier: see earlier.h. */
#include "core/app/earlier.h"

#include <string.h>

#include "core/app/ask.h"
#include "core/app/conclude.h"
#include "core/app/engine.h"
#include "core/app/job.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "core/config/config.h"
#include "core/store/reader.h"

#define DAY_NS (INT64_C(86400) * CLOCK_NS_PER_S)

void earlier_free(struct finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		finding_done(&findings[i]);
	free(findings);
}

void earlier_forget(struct asking *asking)
{
	earlier_free(TAKE(asking->earlier), asking->earlier_count);
	asking->earlier_count = 0;
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

const struct finding *earlier_newest(const struct asking *asking, const char *detector)
{
	for (size_t i = asking->earlier_count; i-- > 0;) {
		const struct finding *finding = &asking->earlier[i];
		if (outcome_is_definite(finding->outcome) &&
		    strcmp(finding->detector, detector) == 0)
			return finding;
	}
	return NULL;
}

/* The newest answer, definite or skipped. */
static const struct finding *last_word(const struct asking *asking, const char *detector)
{
	for (size_t i = asking->earlier_count; i-- > 0;) {
		const struct finding *finding = &asking->earlier[i];
		bool answer = outcome_is_definite(finding->outcome) ||
			      finding->outcome == OUTCOME_SKIPPED;
		if (answer && strcmp(finding->detector, detector) == 0)
			return finding;
	}
	return NULL;
}

bool earlier_was_spared(const struct asking *asking, const char *detector)
{
	static const uint8_t no_key[sizeof((struct finding *)0)->key];
	const struct finding *last = last_word(asking, detector);
	return last && last->outcome == OUTCOME_SKIPPED &&
	       memcmp(last->key, no_key, sizeof no_key) == 0;
}

bool earlier_is_fresh(const struct asking *asking, const struct finding *wanted)
{
	const struct finding *last = last_word(asking, wanted->detector);
	return last && (memcmp(last->key, wanted->key, sizeof wanted->key) == 0 ||
			earlier_was_spared(asking, wanted->detector));
}

/* The earlier answer that needs no asking again. A rescan wants the rules in force to have had the
 * last word: an answer by the same rules that came before one by others does not stand. */
static const struct finding *stands(const struct asking *asking, const struct finding *wanted)
{
	if (!asking->job->rescan)
		return pick(asking->earlier, asking->earlier_count, wanted);
	const struct finding *newest = earlier_newest(asking, wanted->detector);
	return newest && memcmp(newest->key, wanted->key, sizeof wanted->key) == 0 ? newest : NULL;
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

bool earlier_take_over(struct asking *asking, struct finding *wanted, enum outcome *outcome)
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
	struct store_reuse_question question = {
		.sha256 = version->sha256,
		.wanted = wanted,
		.since_ns = clock_wall_ns() - (int64_t)asking->engine->config->reuse_days * DAY_NS,
		/* copies that are as old as this one may have been looked at again just now */
		.seen_ns = asking->job->rescan ? version->first_seen_ns : INT64_MAX,
	};
	int result = store_reuse(scanner->reader, &question, &kept, &hit, &err);
	if (result < 0) {
		unread_tell(scanner->app, &err);
		asking->failure = -result;
		return false;
	}
	*outcome = kept.outcome;
	if (hit)
		take_over(version, wanted, &kept);
	finding_done(&kept);
	return hit;
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

int earlier_load(struct asking *asking)
{
	const struct job *job = asking->job;
	struct error err = { 0 };
	/* a rescan: scan.c has seen to it that the content is the row's */
	asking->earlier_stands = job->rescan != NULL;
	int result = job->rescan ? 0 : look_at_row(asking, &err);
	int64_t id = job->sighting_of;
	if (asking->earlier_stands)
		id = job->version->id;
	if (result == 0 && id)
		result = store_findings(asking->scanner->reader, id, &asking->earlier,
					&asking->earlier_count, &err);
	if (result < 0)
		unread_tell(asking->scanner->app, &err);
	else if (asking->earlier_stands && !job->rescan && !job->version->has_sha256)
		drop_older_than_change(asking);
	return result;
}

const struct finding *earlier_look_back(const struct asking *asking,
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
	const struct finding *found = stands(asking, wanted);
	if (found || !last)
		return found;
	bool skipped = last->outcome == OUTCOME_SKIPPED &&
		       memcmp(last->key, wanted->key, sizeof wanted->key) == 0;
	return skipped || conclude_exhausted(row, *failures) ? last : NULL;
}
