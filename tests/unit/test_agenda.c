/* agenda: batches end, in order, once; what is found belongs to the batch that found it. */
#include <criterion/criterion.h>

#include "watcher/agenda.h"

static struct node nodes[10];

static void prepare(struct agenda *agenda)
{
	agenda_init(agenda);
	for (int i = 0; i < 10; i++) {
		nodes[i] = (struct node){ 0 };
		link_init(&nodes[i].link);
	}
}

/* Takes the next one and finishes it. */
static const struct node *list_one(struct agenda *agenda)
{
	uint64_t batch;
	struct node *node = agenda_pop(agenda);
	while (!node && !agenda_idle(agenda)) {
		(void)agenda_turn(agenda, &batch);
		node = agenda_pop(agenda);
	}
	return node;
}

Test(agenda, what_is_pushed_is_listed_once_and_its_batch_ends)
{
	struct agenda agenda;
	uint64_t batch = 0;
	prepare(&agenda);
	uint64_t filling = agenda_filling(&agenda);
	agenda_push(&agenda, &nodes[0], false, 5);
	agenda_push(&agenda, &nodes[0], true, 6);
	cr_assert(!agenda_idle(&agenda));
	cr_assert_eq(agenda_since(&agenda), 5);
	cr_assert_eq(list_one(&agenda), &nodes[0]);
	cr_assert(nodes[0].flags & NODE_FORCE, "the stronger wish holds");
	cr_assert_null(agenda_pop(&agenda));
	agenda.current = &nodes[0];
	cr_assert(!agenda_turn(&agenda, &batch), "not while one is being listed");
	cr_assert_eq(agenda_since(&agenda), 5);
	agenda.current = NULL;
	cr_assert(agenda_turn(&agenda, &batch));
	cr_assert_eq(batch, filling);
	cr_assert(!agenda_turn(&agenda, &batch));
	cr_assert(agenda_idle(&agenda));
	cr_assert_eq(agenda_since(&agenda), UINT64_MAX);
}

Test(agenda, batch_ends_though_events_keep_coming)
{
	struct agenda agenda;
	uint64_t batch = 0;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 1);
	cr_assert_eq(list_one(&agenda), &nodes[0]);
	agenda_push_found(&agenda, &nodes[1], false);
	agenda_push(&agenda, &nodes[2], false, 9);
	cr_assert_eq(agenda_since(&agenda), 1);
	cr_assert_eq(agenda_pop(&agenda), &nodes[1]);
	cr_assert(agenda_turn(&agenda, &batch));
	cr_assert_eq(batch, 1);
	cr_assert_eq(agenda_since(&agenda), 9);
	cr_assert_eq(list_one(&agenda), &nodes[2]);
	cr_assert(agenda_turn(&agenda, &batch));
	cr_assert_eq(batch, 2);
}

Test(agenda, what_waits_already_keeps_its_turn)
{
	struct agenda agenda;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 1);
	agenda_push(&agenda, &nodes[1], false, 1);
	cr_assert_eq(list_one(&agenda), &nodes[1]);
	agenda_push(&agenda, &nodes[0], true, 2);
	cr_assert_eq(agenda.count[0] + agenda.count[1], 1);
	cr_assert_eq(agenda_pop(&agenda), &nodes[0]);
}

Test(agenda, one_being_listed_is_listed_again)
{
	struct agenda agenda;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 1);
	agenda.current = agenda_pop(&agenda);
	if (!agenda.current) {
		uint64_t batch;
		(void)agenda_turn(&agenda, &batch);
		agenda.current = agenda_pop(&agenda);
	}
	agenda_push(&agenda, &nodes[0], true, 4);
	agenda_push(&agenda, &nodes[0], false, 8);
	cr_assert(agenda.again && agenda.again_force);
	cr_assert_eq(agenda.again_since, 4);
	cr_assert(!(nodes[0].flags & NODE_QUEUED));
}

Test(agenda, oldest_position_of_a_batch_counts_whatever_the_order_of_its_directories)
{
	struct agenda agenda;
	uint64_t batch;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 1);
	agenda.current = (struct node *)list_one(&agenda);
	agenda_push(&agenda, &nodes[1], false, 9);
	agenda.current = NULL;
	agenda_push(&agenda, &nodes[0], false, 4); /* it was to be listed again since 4 */
	while (agenda_turn(&agenda, &batch))
		;
	cr_assert_eq(agenda_since(&agenda), 4);
}

Test(agenda, what_a_listing_finds_does_not_wait_for_the_next_batch)
{
	struct agenda agenda;
	uint64_t batch = 0;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 1);
	agenda.current = (struct node *)list_one(&agenda);
	agenda_push(&agenda, &nodes[1], true, 2);
	agenda_push_found(&agenda, &nodes[1], false);
	agenda.current = NULL;
	cr_assert(!agenda_turn(&agenda, &batch), "the first listing's find is not listed yet");
	cr_assert_eq(agenda_pop(&agenda), &nodes[1]);
	cr_assert(nodes[1].flags & NODE_FORCE);
	cr_assert(agenda_turn(&agenda, &batch));
	cr_assert_eq(batch, 1);
	cr_assert(agenda_idle(&agenda));
}

Test(agenda, removed_and_detached_ones_are_not_listed)
{
	struct agenda agenda;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], true, 1);
	agenda_remove(&agenda, &nodes[0]);
	agenda_remove(&agenda, &nodes[0]);
	cr_assert_eq(nodes[0].flags, 0);
	nodes[1].flags = NODE_DETACHED;
	agenda_push(&agenda, &nodes[1], true, 1);
	cr_assert(agenda_idle(&agenda));
}

Test(agenda, wanted_batch_ends_even_if_it_stays_empty)
{
	struct agenda agenda;
	uint64_t batch = 0;
	prepare(&agenda);
	uint64_t wanted = agenda_want(&agenda);
	cr_assert(!agenda_idle(&agenda));
	cr_assert(agenda_turn(&agenda, &batch));
	cr_assert_eq(batch, wanted);
	cr_assert(agenda_idle(&agenda));
}

Test(agenda, name_that_lost_its_turn_gets_another_one_in_the_same_batch_but_not_for_ever)
{
	struct agenda agenda;
	uint64_t batch = 0;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 5);
	cr_assert_eq(list_one(&agenda), &nodes[0]);
	agenda_pull(&agenda, &nodes[1], 3, 2);
	cr_assert_eq(agenda_since(&agenda), 3);
	cr_assert(!agenda_turn(&agenda, &batch), "the batch is not through without it");
	cr_assert_eq(agenda_pop(&agenda), &nodes[1]);
	agenda_pull(&agenda, &nodes[2], 6, 2);
	cr_assert_eq(agenda_pop(&agenda), &nodes[2]);
	agenda_pull(&agenda, &nodes[3], 7, 2);
	cr_assert_null(agenda_pop(&agenda), "that was too much");
	cr_assert(agenda_turn(&agenda, &batch));
	agenda_pull(&agenda, &nodes[4], 8, 2);
	cr_assert(nodes[3].flags & NODE_QUEUED && nodes[4].flags & NODE_QUEUED);
	cr_assert_null(agenda_pop(&agenda), "a batch that has ended stays so");
	cr_assert_neq(list_one(&agenda), NULL);
	cr_assert_neq(list_one(&agenda), NULL);
	agenda_pull(&agenda, &nodes[5], 9, 2);
	cr_assert_eq(agenda_pop(&agenda), &nodes[5], "and the next one may be given some too");
}

Test(agenda, turn_is_handed_on_with_its_position)
{
	struct agenda agenda;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], true, 5);
	struct slot slot = agenda_slot(&agenda, &nodes[0]);
	agenda_remove(&agenda, &nodes[0]);
	agenda_push(&agenda, &nodes[1], false, 9);
	agenda_give(&agenda, &nodes[1], &slot);
	cr_assert_eq(agenda_since(&agenda), 5);
	cr_assert_eq(list_one(&agenda), &nodes[1]);
	cr_assert(nodes[1].flags & NODE_FORCE);
	cr_assert_null(agenda_pop(&agenda), "once");
}

Test(agenda, of_two_turns_the_earlier_one_is_kept)
{
	struct agenda agenda;
	uint64_t batch;
	prepare(&agenda);
	agenda_push(&agenda, &nodes[0], false, 5);
	agenda_push(&agenda, &nodes[2], false, 5);
	cr_assert_eq(list_one(&agenda), &nodes[2]);
	struct slot slot = agenda_slot(&agenda, &nodes[0]);
	agenda_push(&agenda, &nodes[1], false, 9);
	agenda_remove(&agenda, &nodes[0]);
	agenda_give(&agenda, &nodes[1], &slot);
	cr_assert(!agenda_turn(&agenda, &batch), "the batch is not through without it");
	cr_assert_eq(agenda_pop(&agenda), &nodes[1]);
	slot = agenda_slot(&agenda, &nodes[0]);
	agenda_give(&agenda, &nodes[3], &slot);
	slot = agenda_slot(&agenda, NULL);
	agenda_give(&agenda, &nodes[3], &slot);
	cr_assert(!(nodes[3].flags & NODE_QUEUED), "none is to be had from one that has none");
}
