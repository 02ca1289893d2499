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

Test(flight, knows_who_goes_on_with_a_row_at_another_path)
{
	struct flight flight;
	flight_init(&flight);
	const struct identity identity = { .fsid = 1, .inode = 2, .btime_ns = 3 };
	struct job *job = add(&flight, "/r/new");
	flight_set_seen(&flight, job, &identity);
	cr_assert_not(flight_has_row(&flight, &identity, 7));
	job->row = 7;
	cr_assert(flight_has_row(&flight, &identity, 7));
	cr_assert_not(flight_has_row(&flight, &identity, 8));
	flight_done(&flight);
}
