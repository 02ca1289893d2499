#include <criterion/criterion.h>

#include "core/app/flight.h"
#include "core/app/twins.h"

struct fixture {
	struct flight flight;
	struct twins *twins;
	struct finding *findings;
	size_t count;
};

static void set_up(struct fixture *f)
{
	*f = (struct fixture){ .twins = twins_new() };
	flight_init(&f->flight);
}

static struct job *job_of(struct fixture *f, const char *path, uint8_t content)
{
	struct job *job = flight_add(&f->flight, NULL, path, strlen(path));
	memset(job->version->sha256, content, 32);
	job->version->has_sha256 = true;
	return job;
}

static void tear_down(struct fixture *f)
{
	flight_done(&f->flight);
	twins_free(f->twins);
}

Test(twins, followers_get_the_answer_of_their_leader)
{
	struct fixture f;
	set_up(&f);
	struct job *leader = job_of(&f, "/a", 1);
	struct job *other = job_of(&f, "/b", 2);
	struct job *follower = job_of(&f, "/c", 1);
	cr_assert_eq(twins_enter(f.twins, leader, &f.findings, &f.count), TWINS_LEAD);
	cr_assert_eq(twins_enter(f.twins, other, &f.findings, &f.count), TWINS_LEAD);
	cr_assert_eq(twins_enter(f.twins, follower, &f.findings, &f.count), TWINS_PARKED);
	struct finding finding = { .detector = xstrdup("d"), .outcome = OUTCOME_MALICIOUS };
	version_add_finding(leader->version, &finding);
	struct list followers;
	list_init(&followers);
	twins_answer(f.twins, leader, &followers);
	cr_assert_eq(list_shift(&followers), &follower->twin_link);
	cr_assert(list_empty(&followers));
	/* until the commit the answer is here */
	cr_assert_eq(twins_enter(f.twins, follower, &f.findings, &f.count), TWINS_ANSWERED);
	cr_assert_eq(f.count, 1);
	cr_assert_eq(f.findings[0].outcome, OUTCOME_MALICIOUS);
	finding_done(&f.findings[0]);
	free(f.findings);
	twins_leave(f.twins, leader);
	cr_assert_eq(twins_enter(f.twins, follower, &f.findings, &f.count), TWINS_LEAD);
	twins_leave(f.twins, follower);
	twins_leave(f.twins, other);
	tear_down(&f);
}

Test(twins, a_leader_that_fails_gives_its_followers_back)
{
	struct fixture f;
	set_up(&f);
	struct job *leader = job_of(&f, "/a", 1);
	struct job *follower = job_of(&f, "/b", 1);
	twins_enter(f.twins, leader, &f.findings, &f.count);
	twins_enter(f.twins, follower, &f.findings, &f.count);
	struct list followers;
	list_init(&followers);
	twins_fail(f.twins, leader, &followers);
	cr_assert_eq(list_shift(&followers), &follower->twin_link);
	cr_assert_eq(twins_enter(f.twins, follower, &f.findings, &f.count), TWINS_LEAD);
	twins_fail(f.twins, leader, &followers); /* leads no more: harmless */
	twins_leave(f.twins, follower);
	tear_down(&f);
}

Test(twins, who_waited_in_vain_waits_for_nobody_any_more)
{
	struct fixture f;
	set_up(&f);
	struct job *leader = job_of(&f, "/a", 1);
	struct job *one = job_of(&f, "/b", 1);
	struct job *two = job_of(&f, "/c", 1);
	struct job *late = job_of(&f, "/d", 1);
	twins_enter(f.twins, leader, &f.findings, &f.count);
	twins_enter(f.twins, one, &f.findings, &f.count);
	twins_enter(f.twins, two, &f.findings, &f.count);
	struct list followers;
	list_init(&followers);
	twins_fail(f.twins, leader, &followers);
	cr_assert_eq(twins_enter(f.twins, one, &f.findings, &f.count), TWINS_LEAD);
	cr_assert_eq(twins_enter(f.twins, two, &f.findings, &f.count), TWINS_ALONE);
	cr_assert_eq(twins_enter(f.twins, late, &f.findings, &f.count), TWINS_PARKED);
	list_init(&followers);
	twins_answer(f.twins, one, &followers);
	cr_assert_eq(list_shift(&followers), &late->twin_link, "one that only comes waits");
	cr_assert_eq(twins_enter(f.twins, two, &f.findings, &f.count), TWINS_ANSWERED);
	free(f.findings);
	twins_leave(f.twins, two); /* does not lead */
	twins_leave(f.twins, one);
	tear_down(&f);
}
