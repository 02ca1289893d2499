/* round: what the parts of retention share. */
#include "retention_fixture.h"

Test(round, is_full_when_as_many_are_chosen_as_go_at_once)
{
	struct rounds r;
	rounds_init(&r);
	for (int64_t id = 1; id <= CHOOSE_AT_ONCE; id++) {
		cr_expect(!round_is_full(&r.round));
		round_intend(&r.round, id, CAUSE_AGE);
	}
	cr_expect(round_is_full(&r.round));
	cr_expect_eq(round_chosen(&r.round), CHOOSE_AT_ONCE);
	round_sooner(&r.round, (struct mono){ 50 });
	round_sooner(&r.round, (struct mono){ 70 });
	cr_expect_eq(r.retention.next.ns, 50);
	cr_expect_eq(round_less(5, 3), 2);
	cr_expect_eq(round_less(3, 5), 0);
	rounds_done(&r);
}
