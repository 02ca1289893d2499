/*
 * pace: see pace.h.
 *
 * One slot for each second of the last minute; a slot tells which second it is of, so that nothing
 * needs a timer. Detectors are few, and found by their names one after the other.
 */
#include "core/app/pace.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/store/version.h"

struct slot {
	int64_t second; /* of the monotonic clock; 0: never used */
	uint64_t files, bytes, answers;
};

struct pace {
	int64_t began; /* second */
	struct slot slots[PACE_SECONDS];
	struct pace_detector *detectors;
	char **names; /* of these; owned */
	size_t count;
};

static int64_t second_of(struct mono at)
{
	return at.ns / CLOCK_NS_PER_S;
}

struct pace *pace_new(struct mono now)
{
	struct pace *pace = xcalloc(1, sizeof *pace);
	pace->began = second_of(now);
	return pace;
}

void pace_free(struct pace *pace)
{
	if (!pace)
		return;
	for (size_t i = 0; i < pace->count; i++)
		free(pace->names[i]);
	free(pace->names);
	free(pace->detectors);
	free(pace);
}

static struct slot *slot_of(struct pace *pace, struct mono now)
{
	int64_t second = second_of(now);
	struct slot *slot = &pace->slots[second % PACE_SECONDS];
	if (slot->second != second)
		*slot = (struct slot){ .second = second };
	return slot;
}

void pace_ended(struct pace *pace, const struct version *version, struct mono now)
{
	struct slot *slot = slot_of(pace, now);
	slot->files++;
	if (version->state == VERSION_DONE && version->identity.size > 0)
		slot->bytes += (uint64_t)version->identity.size;
}

static struct pace_detector *find(const struct pace *pace, const char *name)
{
	for (size_t i = 0; i < pace->count; i++) {
		if (strcmp(pace->detectors[i].name, name) == 0)
			return &pace->detectors[i];
	}
	return NULL;
}

static struct pace_detector *find_or_add(struct pace *pace, const char *name)
{
	struct pace_detector *detector = find(pace, name);
	if (detector)
		return detector;
	pace->detectors = xrealloc(pace->detectors, pace->count + 1, sizeof *pace->detectors);
	pace->names = xrealloc(pace->names, pace->count + 1, sizeof *pace->names);
	pace->names[pace->count] = xstrdup(name);
	detector = &pace->detectors[pace->count];
	*detector = (struct pace_detector){ .name = pace->names[pace->count] };
	pace->count++;
	return detector;
}

static void count(struct pace *pace, const struct finding *finding)
{
	struct pace_detector *detector = find_or_add(pace, finding->detector);
	int64_t took = finding->finished_ns - finding->started_ns;
	detector->answers++;
	detector->errors += finding->outcome == OUTCOME_ERROR;
	detector->timeouts += finding->outcome == OUTCOME_TIMEOUT;
	if (took <= 0)
		return;
	detector->total_ns += took;
	if (took > detector->longest_ns)
		detector->longest_ns = took;
}

void pace_answered(struct pace *pace, const struct version *version, struct mono now)
{
	for (size_t i = 0; i < version->finding_count; i++) {
		const struct finding *finding = &version->findings[i];
		if (finding->cached || finding->outcome == OUTCOME_SKIPPED)
			continue;
		slot_of(pace, now)->answers++;
		count(pace, finding);
	}
}

struct pace_sum pace_last_minute(const struct pace *pace, struct mono now)
{
	int64_t second = second_of(now);
	struct pace_sum sum = { .seconds = second - pace->began + 1 };
	if (sum.seconds > PACE_SECONDS)
		sum.seconds = PACE_SECONDS;
	for (size_t i = 0; i < PACE_SECONDS; i++) {
		const struct slot *slot = &pace->slots[i];
		if (slot->second == 0 || slot->second <= second - PACE_SECONDS)
			continue;
		sum.files += slot->files;
		sum.bytes += slot->bytes;
		sum.answers += slot->answers;
	}
	return sum;
}

struct pace_detector pace_of(const struct pace *pace, const char *name)
{
	const struct pace_detector *detector = find(pace, name);
	return detector ? *detector : (struct pace_detector){ .name = name };
}

static void per_second(struct str *out, const char *name, uint64_t sum, int64_t seconds)
{
	str_printf(out, ",\"%s_per_second\":%.2f", name, (double)sum / (double)seconds);
}

void pace_json(const struct pace *pace, struct mono now, struct str *out)
{
	struct pace_sum sum = pace_last_minute(pace, now);
	str_printf(out, "{\"seconds\":%lld,\"files\":%llu,\"bytes\":%llu,\"answers\":%llu",
		   (long long)sum.seconds, (unsigned long long)sum.files,
		   (unsigned long long)sum.bytes, (unsigned long long)sum.answers);
	per_second(out, "files", sum.files, sum.seconds);
	per_second(out, "bytes", sum.bytes, sum.seconds);
	per_second(out, "answers", sum.answers, sum.seconds);
	str_putc(out, '}');
}
