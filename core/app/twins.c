/* twins: see twins.h. */
#include "core/app/twins.h"

#include <assert.h>
#include <string.h>

#include "core/app/job.h"
#include "core/base/lock.h"
#include "core/base/mem.h"

struct twin {
	struct table_link link;
	uint8_t sha256[32];
	struct list followers; /* jobs, by twin_link */
	bool answered;
	struct finding *findings;
	size_t finding_count;
};

struct twins {
	struct lock lock;
	/* guarded by lock, as are the twins in it */
	struct table table;
};

struct twins *twins_new(void)
{
	struct twins *twins = xcalloc(1, sizeof *twins);
	lock_init(&twins->lock);
	return twins;
}

static void twin_free(struct twin *twin)
{
	if (!twin)
		return;
	for (size_t i = 0; i < twin->finding_count; i++)
		finding_done(&twin->findings[i]);
	free(twin->findings);
	free(twin);
}

void twins_free(struct twins *twins)
{
	if (!twins)
		return;
	for (size_t i = 0; i < twins->table.bucket_count; i++) {
		for (struct table_link *link = twins->table.buckets[i], *next; link; link = next) {
			next = link->next;
			twin_free(TABLE_OF(link, struct twin, link));
		}
	}
	table_done(&twins->table);
	lock_done(&twins->lock);
	free(twins);
}

static uint64_t hash_of(const uint8_t sha256[32])
{
	/* the content is an attacker's, so its hash is a key like any other */
	return table_hash(sha256, 32);
}

static struct twin *find(struct twins *twins, const uint8_t sha256[32])
{
	assert(lock_mine(&twins->lock));
	struct table_link *link = table_first(&twins->table, hash_of(sha256));
	for (; link; link = table_next(link)) {
		struct twin *twin = TABLE_OF(link, struct twin, link);
		if (memcmp(twin->sha256, sha256, 32) == 0)
			return twin;
	}
	return NULL;
}

static struct finding *copy_findings(const struct finding *findings, size_t count)
{
	struct finding *copy = xcalloc(count, sizeof *copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = finding_copy(&findings[i]);
	return copy;
}

static void lead(struct twins *twins, struct job *job)
{
	struct twin *twin = xcalloc(1, sizeof *twin);
	memcpy(twin->sha256, job->version->sha256, 32);
	list_init(&twin->followers);
	table_insert(&twins->table, &twin->link, hash_of(twin->sha256));
	job->twin = twin;
}

enum twins_result twins_enter(struct twins *twins, struct job *job, struct finding **findings,
			      size_t *count)
{
	assert(!job->twin);
	enum twins_result result = TWINS_LEAD;
	lock_take(&twins->lock);
	struct twin *twin = find(twins, job->version->sha256);
	if (!twin) {
		lead(twins, job);
	} else if (twin->answered) {
		*findings = copy_findings(twin->findings, twin->finding_count);
		*count = twin->finding_count;
		result = TWINS_ANSWERED;
	} else if (job->twin_failed) {
		result = TWINS_ALONE;
	} else {
		list_append(&twin->followers, &job->twin_link);
		result = TWINS_PARKED;
	}
	lock_drop(&twins->lock);
	return result;
}

void twins_answer(struct twins *twins, struct job *leader, struct list *followers)
{
	lock_take(&twins->lock);
	struct twin *twin = leader->twin;
	if (twin) {
		assert(!twin->answered);
		twin->answered = true;
		twin->findings =
			copy_findings(leader->version->findings, leader->version->finding_count);
		twin->finding_count = leader->version->finding_count;
		list_splice(followers, &twin->followers);
	}
	lock_drop(&twins->lock);
}

static void remove_twin(struct twins *twins, struct job *job, struct list *followers)
{
	lock_take(&twins->lock);
	struct twin *twin = TAKE(job->twin);
	if (twin) {
		table_remove(&twins->table, &twin->link);
		list_splice(followers, &twin->followers);
	}
	lock_drop(&twins->lock);
	twin_free(twin);
}

void twins_fail(struct twins *twins, struct job *job, struct list *followers)
{
	remove_twin(twins, job, followers);
	LIST_FOREACH(at, followers)
		LIST_OF(at, struct job, twin_link)->twin_failed = true;
}

void twins_leave(struct twins *twins, struct job *job)
{
	struct list none;
	list_init(&none);
	remove_twin(twins, job, &none);
	assert(list_empty(&none));
}
