/* outcome: see outcome.h. */
#include "core/base/outcome.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"

static const char *const names[] = {
	[OUTCOME_MALICIOUS] = "malicious", [OUTCOME_SUSPICIOUS] = "suspicious",
	[OUTCOME_ERROR] = "error",	   [OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_SKIPPED] = "skipped",	   [OUTCOME_UNKNOWN] = "unknown",
	[OUTCOME_CLEAN] = "clean",
};

static_assert(sizeof names / sizeof *names == OUTCOMES, "each outcome has a name");

const char *outcome_name(enum outcome outcome)
{
	assert(outcome < OUTCOMES);
	return names[outcome];
}

enum outcome outcome_by_name(const char *name)
{
	for (unsigned i = 0; i < OUTCOMES; i++) {
		if (strcmp(names[i], name) == 0)
			return (enum outcome)i;
	}
	return OUTCOMES;
}

bool outcome_is_definite(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_MALICIOUS:
	case OUTCOME_SUSPICIOUS:
	case OUTCOME_UNKNOWN:
	case OUTCOME_CLEAN:
		return true;
	case OUTCOME_ERROR:
	case OUTCOME_TIMEOUT:
	case OUTCOME_SKIPPED:
	case OUTCOMES:
		return false;
	}
	return false;
}

enum outcome outcome_worst(enum outcome a, enum outcome b)
{
	return a < b ? a : b;
}

void finding_done(struct finding *finding)
{
	free(finding->detector);
	free(finding->signature);
	free(finding->detail);
	*finding = (struct finding){ .outcome = OUTCOMES };
}

struct finding finding_copy(const struct finding *finding)
{
	struct finding copy = *finding;
	copy.detector = xstrdup(finding->detector);
	copy.signature = xstrdup(finding->signature);
	copy.detail = xstrdup(finding->detail);
	return copy;
}
