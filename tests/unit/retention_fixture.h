/*
 * retention_fixture: a round of retention over a yard (dispose_fixture.h), part by part.
 */
#ifndef CARVED_TESTS_UNIT_RETENTION_FIXTURE_H
#define CARVED_TESTS_UNIT_RETENTION_FIXTURE_H

#include "core/dispose/ages.h"
#include "core/dispose/round.h"
#include "dispose_fixture.h"

struct rounds {
	struct yard y;
	struct ages *ages;
	struct retention retention;
	struct choice choice;
	struct round round;
	struct error err;
	/* what the peer was asked and told */
	struct str shed;
	bool refuses, ends;
	struct retention_report report;
};

static inline bool rounds_shed(void *context, const int64_t *ids, size_t count)
{
	struct rounds *r = context;
	for (size_t i = 0; i < count && !r->refuses; i++)
		str_printf(&r->shed, "%s%lld", r->shed.len ? " " : "", (long long)ids[i]);
	return !r->refuses;
}

static inline void rounds_changed(void *context, const struct retention_report *report)
{
	((struct rounds *)context)->report = *report;
}

static inline bool rounds_ends(void *context)
{
	return ((struct rounds *)context)->ends;
}

static inline struct retention_peer rounds_peer(struct rounds *r)
{
	return (struct retention_peer){ rounds_shed, rounds_changed, rounds_ends, r, r->ages };
}

static inline void rounds_init(struct rounds *r)
{
	*r = (struct rounds){ 0 };
	yard_init(&r->y);
	world_open(&r->y.w);
	cr_assert(ages_new(&r->ages, r->y.w.db, &r->err) == 0);
	r->retention.peer = rounds_peer(r);
	r->retention.next.ns = INT64_MAX;
	cr_assert(kept_reader_open(&r->retention.reader, r->y.w.db, &r->err) == 0);
	lanes_init(&r->retention.all, 0);
	r->round = (struct round){ .retention = &r->retention,
				   .config = &r->y.config,
				   .limits = &r->y.config.retention,
				   .view = { &r->y.config, r->retention.reader },
				   .choice = &r->choice,
				   .err = &r->err };
}

static inline void rounds_done(struct rounds *r)
{
	store_removals_done(&r->choice.intents);
	lanes_done(&r->retention.all);
	fulldisk_forget(&r->retention);
	kept_reader_free(r->retention.reader);
	ages_free(r->ages);
	str_done(&r->shed);
	yard_done(&r->y);
}

/* A file that is done, number n from 1 on, the older the smaller; as many bytes as its name has. */
static inline void rounds_put(struct rounds *r, const char *name, int64_t n)
{
	yard_file(&r->y, name, name);
	struct version *version = yard_version(&r->y, name, OUTCOME_CLEAN);
	version->first_seen_ns = n;
	world_put(&r->y.w, version);
}

/* A file that holds the text, of which nothing was said. Owned by the caller. */
static inline struct version *rounds_unanswered(struct rounds *r, const char *name,
						const char *text, int64_t n)
{
	yard_file(&r->y, name, text);
	struct version *version = yard_version(&r->y, name, OUTCOME_CLEAN);
	finding_done(&version->findings[0]);
	version->finding_count = 0;
	version->first_seen_ns = n;
	return version;
}

/* As rounds_put(), which ended without an answer. */
static inline void rounds_put_failed(struct rounds *r, const char *name, int64_t n)
{
	struct version *version = rounds_unanswered(r, name, name, n);
	world_fail(version, REASON_FAILED);
	world_put(&r->y.w, version);
}

/* A file that holds the text and waits for its scan. */
static inline void rounds_put_waiting(struct rounds *r, const char *name, const char *text,
				      const char *mime, int64_t n)
{
	struct version *version = rounds_unanswered(r, name, text, n);
	version->state = VERSION_QUEUED;
	version->verdict = OUTCOMES;
	version->finished_ns = 0;
	snprintf(version->entry.mime, sizeof version->entry.mime, "%s", mime);
	world_put(&r->y.w, version);
}

/* As rounds_put(), which waits for its scan. */
static inline void rounds_put_queued(struct rounds *r, const char *name, const char *mime,
				     int64_t n)
{
	rounds_put_waiting(r, name, name, mime, n);
}

/* What was chosen so far, "1age 2age", and none of it any more. */
static inline void rounds_expect(struct rounds *r, const char *wanted)
{
	AUTO_STR text = STR_INIT;
	struct removals *list = &r->choice.intents.list;
	for (size_t i = 0; i < list->count; i++) {
		str_printf(&text, "%s%lld%s", i ? " " : "", (long long)list->items[i].version_id,
			   removal_cause_name(list->items[i].cause));
		cr_expect_eq(list->items[i].action, REMOVAL_DELETE);
		cr_expect_gt(list->items[i].intended_ns, 0);
	}
	cr_expect_str_eq(str_text(&text), wanted);
	removals_done(list);
}

#endif
