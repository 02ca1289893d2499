#include <criterion/criterion.h>

#include "core/app/flight.h"

static struct job *add(struct flight *flight, const char *path)
{
	return flight_add(flight, NULL, path, strlen(path));
}

Test(flight, finds_a_job_by_its_path)
{
	struct flight flight;
	flight_init(&flight);
	struct job *job = add(&flight, "/r/a");
	add(&flight, "/r/ab");
	cr_assert_eq(flight_at(&flight, "/r/a", 4), job);
	cr_assert_null(flight_at(&flight, "/r/b", 4));
	cr_assert_eq(flight_total(&flight), 2);
	flight_done(&flight);
}

Test(flight, a_row_that_a_job_hid_is_told_of_when_it_leaves_its_path)
{
	struct flight flight;
	flight_init(&flight);
	struct job *gone = add(&flight, "/r/a");
	struct job *moved = add(&flight, "/r/b");
	struct job *other = add(&flight, "/r/c");
	gone->hides_row = true;
	moved->hides_row = true;
	flight_drop(&flight, other);
	cr_assert_not(flight.row_shows);
	flight_drop(&flight, gone);
	cr_assert(flight.row_shows);
	flight.row_shows = false;
	flight_repath(&flight, moved, "/r/d", 4);
	cr_assert(flight.row_shows);
	flight.row_shows = false;
	flight_drop(&flight, moved);
	cr_assert_not(flight.row_shows, "what it hid was told of");
	flight_done(&flight);
}

Test(flight, finds_another_job_of_the_same_file_and_never_itself)
{
	struct flight flight;
	flight_init(&flight);
	struct identity identity = {
		.fsid = 1, .inode = 2, .btime_ns = 3, .size = 4, .mtime_ns = 5
	};
	struct job *a = add(&flight, "/r/a");
	struct job *b = add(&flight, "/r/b");
	flight_set_seen(&flight, a, &identity);
	cr_assert_null(flight_same_file(&flight, &identity, a));
	cr_assert_eq(flight_same_file(&flight, &identity, b), a);
	identity.size = 9; /* another version of the same file */
	cr_assert_eq(flight_same_file(&flight, &identity, b), a);
	identity.btime_ns = 9;
	cr_assert_null(flight_same_file(&flight, &identity, b));
	flight_done(&flight);
}

Test(flight, orders_waiting_jobs_by_when_they_are_due)
{
	struct flight flight;
	flight_init(&flight);
	const int64_t dues[] = { 30, 10, 20, 10 };
	const char *const names[] = { "/c", "/a", "/b", "/a2" };
	for (size_t i = 0; i < 4; i++)
		flight_wait(&flight, add(&flight, names[i]), (struct mono){ dues[i] });
	const char *const wanted[] = { "/a", "/a2", "/b", "/c" };
	for (size_t i = 0; i < 4; i++) {
		struct job *job = flight_first(&flight, JOB_WAITING);
		cr_assert_str_eq(job->version->path, wanted[i]);
		flight_drop(&flight, job);
	}
	cr_assert_eq(flight.counts[JOB_WAITING], 0);
	flight_done(&flight);
}

Test(flight, counts_states_and_follows_a_new_path)
{
	struct flight flight;
	flight_init(&flight);
	struct job *job = add(&flight, "/r/old");
	flight_move(&flight, job, JOB_LIMBO);
	cr_assert_eq(flight.counts[JOB_LIMBO], 1);
	flight_repath(&flight, job, "/r/new", 6);
	cr_assert_null(flight_at(&flight, "/r/old", 6));
	cr_assert_eq(flight_at(&flight, "/r/new", 6), job);
	struct job *parked = add(&flight, "/r/link");
	flight_park(&flight, parked, job);
	cr_assert_eq(flight.counts[JOB_PARKED], 1);
	flight_wait(&flight, parked, (struct mono){ 1 });
	cr_assert(list_empty(&job->parked));
	cr_assert_eq(flight.counts[JOB_PARKED], 0);
	flight_drop(&flight, job);
	flight_done(&flight);
}

Test(flight, no_two_jobs_go_on_with_one_row)
{
	struct flight flight;
	flight_init(&flight);
	struct job *waits = add(&flight, "/r/old");
	struct job *claims = add(&flight, "/r/new");
	struct job *works = add(&flight, "/r/other");
	flight_move(&flight, waits, JOB_LIMBO);
	cr_assert_null(flight_row_holder(&flight, 7));
	cr_assert(flight_claim_row(&flight, waits, 7));
	cr_assert(flight_claim_row(&flight, waits, 7), "its own again");
	waits->recorded = true;
	waits->version->id = 7;
	cr_assert(flight_claim_row(&flight, claims, 7));
	cr_assert_eq(flight_row_holder(&flight, 7), claims);
	cr_assert_null(flight_row_holder(&flight, 8));
	cr_assert(waits->row_taken && !waits->recorded && !waits->row && !waits->version->id);
	cr_assert(flight_claim_row(&flight, works, 8));
	flight_move(&flight, works, JOB_RUNNING);
	cr_assert_not(flight_claim_row(&flight, claims, 8), "a worker is at it");
	cr_assert_eq(claims->row, 7);
	flight_drop(&flight, claims);
	cr_assert_null(flight_row_holder(&flight, 7));
	flight_done(&flight);
}
