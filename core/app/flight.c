/* flight: see flight.h. */
#include "core/app/flight.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/rescan.h"

void flight_init(struct flight *flight)
{
	*flight = (struct flight){ 0 };
	for (size_t i = 0; i < JOB_STATES; i++)
		list_init(&flight->lists[i]);
}

static void job_free(struct job *job)
{
	version_free(job->version);
	store_rescan_free(job->rescan);
	free(job->absolute);
	free(job->hashes);
	free(job);
}

static void free_visited(void *context, struct job *job)
{
	(void)context;
	job_free(job);
}

void flight_done(struct flight *flight)
{
	flight_each(flight, free_visited, NULL);
	table_done(&flight->by_path);
	table_done(&flight->by_inode);
	table_done(&flight->by_row);
	flight_init(flight);
}

struct job *flight_add(struct flight *flight, struct app *app, const char *path, size_t len)
{
	struct job *job = xcalloc(1, sizeof *job);
	job->app = app;
	job->version = version_new(path, len);
	list_init(&job->pool_job.link);
	list_init(&job->twin_link);
	list_init(&job->result_link);
	list_init(&job->op.link);
	list_init(&job->state_link);
	list_init(&job->parked);
	job->state = JOB_STATES;
	job->admitted = mono_now();
	table_insert(&flight->by_path, &job->by_path, table_hash(path, len));
	return job;
}

void flight_each(struct flight *flight, void (*visit)(void *context, struct job *job),
		 void *context)
{
	for (size_t i = 0; i < flight->by_path.bucket_count; i++) {
		struct table_link *link = flight->by_path.buckets[i];
		while (link) {
			struct table_link *next = link->next; /* visit may free the job */
			visit(context, TABLE_OF(link, struct job, by_path));
			link = next;
		}
	}
}

static void leave_list(struct flight *flight, struct job *job)
{
	if (job->state == JOB_STATES)
		return;
	list_unlink(&job->state_link);
	flight->counts[job->state]--;
	job->state = JOB_STATES;
}

static void leave_inode_table(struct flight *flight, struct job *job)
{
	if (job->in_inode_table)
		table_remove(&flight->by_inode, &job->by_inode);
	job->in_inode_table = false;
}

static uint64_t row_hash(int64_t row)
{
	return table_hash(&row, sizeof row);
}

struct job *flight_row_holder(const struct flight *flight, int64_t row)
{
	struct table_link *link = table_first(&flight->by_row, row_hash(row));
	for (; link; link = table_next(link)) {
		struct job *job = TABLE_OF(link, struct job, by_row);
		if (job->row == row)
			return job;
	}
	return NULL;
}

static void set_row(struct flight *flight, struct job *job, int64_t row)
{
	if (job->row)
		table_remove(&flight->by_row, &job->by_row);
	job->row = row;
	if (row)
		table_insert(&flight->by_row, &job->by_row, row_hash(row));
}

static void leave_path(struct flight *flight, struct job *job)
{
	flight->row_shows = flight->row_shows || job->hides_row;
	job->hides_row = false;
	table_remove(&flight->by_path, &job->by_path);
}

void flight_drop(struct flight *flight, struct job *job)
{
	assert(list_empty(&job->parked));
	leave_list(flight, job);
	leave_inode_table(flight, job);
	set_row(flight, job, 0);
	leave_path(flight, job);
	job_free(job);
}

void flight_move(struct flight *flight, struct job *job, enum job_state state)
{
	assert(state != JOB_PARKED && state != JOB_WAITING);
	leave_list(flight, job);
	list_append(&flight->lists[state], &job->state_link);
	flight->counts[state]++;
	job->state = state;
}

void flight_park(struct flight *flight, struct job *job, struct job *behind)
{
	leave_list(flight, job);
	list_append(&behind->parked, &job->state_link);
	flight->counts[JOB_PARKED]++;
	job->state = JOB_PARKED;
}

void flight_wait(struct flight *flight, struct job *job, struct mono due)
{
	leave_list(flight, job);
	job->due = due;
	struct list *head = &flight->lists[JOB_WAITING];
	struct list *at = head->previous;
	/* dues mostly grow, so the place is near the end */
	while (at != head && LIST_OF(at, struct job, state_link)->due.ns > due.ns)
		at = at->previous;
	job->state_link.previous = at;
	job->state_link.next = at->next;
	at->next->previous = &job->state_link;
	at->next = &job->state_link;
	flight->counts[JOB_WAITING]++;
	job->state = JOB_WAITING;
}

struct job *flight_at(const struct flight *flight, const char *path, size_t len)
{
	struct table_link *link = table_first(&flight->by_path, table_hash(path, len));
	for (; link; link = table_next(link)) {
		struct job *job = TABLE_OF(link, struct job, by_path);
		if (job->version->path_len == len && memcmp(job->version->path, path, len) == 0)
			return job;
	}
	return NULL;
}

static uint64_t inode_hash(const struct identity *identity)
{
	const uint64_t key[] = { identity->fsid, identity->inode, (uint64_t)identity->btime_ns };
	return table_hash(key, sizeof key);
}

struct job *flight_same_file(const struct flight *flight, const struct identity *identity,
			     const struct job *not_this)
{
	struct table_link *link = table_first(&flight->by_inode, inode_hash(identity));
	for (; link; link = table_next(link)) {
		struct job *job = TABLE_OF(link, struct job, by_inode);
		if (job == not_this || !identity_same_file(&job->seen, identity))
			continue;
		/* one that is parked itself leads nobody, and two must not wait for each other */
		if (job->state != JOB_PARKED)
			return job;
	}
	return NULL;
}

bool flight_row_is_known(uint64_t committed, const struct job *job)
{
	return job->row || job->interim <= committed;
}

bool flight_claim_row(struct flight *flight, struct job *job, int64_t row)
{
	struct job *holder = flight_row_holder(flight, row);
	if (holder && holder == job)
		return true;
	if (holder && (holder->state == JOB_RUNNING || holder->state == JOB_SAVING))
		return false;
	if (holder) {
		set_row(flight, holder, 0);
		holder->version->id = 0;
		holder->version->attempt = 0;
		holder->version->tries = 0;
		holder->version->away_since_ns = 0;
		holder->recorded = false;
		holder->row_taken = true;
	}
	set_row(flight, job, row);
	return true;
}

void flight_set_seen(struct flight *flight, struct job *job, const struct identity *identity)
{
	if (job->in_inode_table && identity_same_file(&job->seen, identity)) {
		job->seen = *identity;
		return;
	}
	leave_inode_table(flight, job);
	job->seen = *identity;
	table_insert(&flight->by_inode, &job->by_inode, inode_hash(identity));
	job->in_inode_table = true;
}

void flight_repath(struct flight *flight, struct job *job, const char *path, size_t len)
{
	assert(job->state != JOB_RUNNING && job->state != JOB_SAVING);
	uint64_t hash =
		table_hash(path, len); /* before the old path, which path may point into, goes */
	leave_path(flight, job);
	version_set_path(job->version, path, len);
	table_insert(&flight->by_path, &job->by_path, hash);
}

size_t flight_total(const struct flight *flight)
{
	return flight->by_path.count;
}

struct job *flight_first(const struct flight *flight, enum job_state state)
{
	const struct list *head = &flight->lists[state];
	return list_empty(head) ? NULL : LIST_OF(head->next, struct job, state_link);
}
