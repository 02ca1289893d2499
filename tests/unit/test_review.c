/* review: what becomes of a look at a version that is done. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/app/review.h"
#include "core/app/state.h"
#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/store/rescan.h"

static struct config config;
static struct job job;

static void setup(void)
{
	config = (struct config){ .hash = true, .rescan_interval_ms = 1000 };
	job = (struct job){ .version = version_new("/r/a", 4) };
	job.version->state = VERSION_DONE;
	job.version->identity = (struct identity){ .size = 10, .mtime_ns = 20 };
	job.rescan = xcalloc(1, sizeof *job.rescan);
}

static void teardown(void)
{
	version_free(job.version);
	store_rescan_free(job.rescan);
}

TestSuite(review, .init = setup, .fini = teardown);

Test(review, another_size_is_another_content_another_time_only_where_no_hash_tells)
{
	struct identity now = job.version->identity;
	cr_expect(review_may_be(&job, &now, &config));
	now.mtime_ns++;
	cr_expect(!review_may_be(&job, &now, &config), "the row has no hash");
	job.prior_has_sha256 = true;
	cr_expect(review_may_be(&job, &now, &config));
	config.hash = false;
	cr_expect(!review_may_be(&job, &now, &config));
	config.hash = true;
	now.size++;
	cr_expect(!review_may_be(&job, &now, &config));
}

Test(review, a_hash_is_compared_where_there_are_two)
{
	cr_expect(review_is_content(&job));
	job.version->has_sha256 = true;
	job.version->sha256[31] = 1;
	cr_expect(review_is_content(&job));
	job.prior_has_sha256 = true;
	cr_expect(!review_is_content(&job));
	job.prior_sha256[31] = 1;
	cr_expect(review_is_content(&job));
}

Test(review, what_a_worker_told_ends_it_or_lets_it_wait)
{
	static const struct {
		enum job_result result;
		enum rescan_end end;
	} cases[] = {
		{ JOB_GONE, RESCAN_GONE },     { JOB_CHANGED, RESCAN_REPLACED },
		{ JOB_LINKED, RESCAN_FAILED }, { JOB_WRITER, RESCAN_WAITING },
		{ JOB_LATER, RESCAN_WAITING }, { JOB_UNSETTLED, RESCAN_WAITING },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		job.result = cases[i].result;
		job.rescan->due_ns = 0;
		cr_expect(review_broke_off(&job, true, &config));
		cr_expect(job.rescan->end == cases[i].end, "%zu", i);
		cr_expect((job.rescan->due_ns > clock_wall_ns()) ==
			  (cases[i].end == RESCAN_WAITING));
		cr_expect((job.rescan->note != NULL) == (cases[i].end == RESCAN_FAILED));
	}
	job.result = JOB_CANCELLED;
	cr_expect(!review_broke_off(&job, true, &config));
}

Test(review, what_would_be_unscanned_stays_done_and_says_why_it_failed)
{
	job.version->state = VERSION_UNSCANNED;
	job.version->reason = REASON_OVERSIZE;
	job.version->note = xstrdup("12 bytes");
	cr_expect(review_broke_off(&job, false, &config));
	cr_expect(job.rescan->end == RESCAN_FAILED);
	cr_expect(strcmp(job.rescan->note, "oversize: 12 bytes") == 0, "%s", job.rescan->note);
	cr_expect(job.version->state == VERSION_DONE && job.version->reason == REASON_NONE);
	job.version->reason = REASON_NO_DETECTOR;
	cr_expect(review_broke_off(&job, false, &config));
	cr_expect(job.rescan->end == RESCAN_ANSWERED && !job.rescan->note);
}
