/* removal: words as stored, in both directions; lists that own what they hold. */
#include <criterion/criterion.h>

#include "core/store/removal.h"

Test(removal, each_word_finds_its_value)
{
	for (int i = 0; i < REMOVAL_ACTIONS; i++)
		cr_expect(removal_action_by_name(removal_action_name((enum removal_action)i)) ==
			  (enum removal_action)i);
	for (int i = 0; i < REMOVAL_CAUSES; i++)
		cr_expect(removal_cause_by_name(removal_cause_name((enum removal_cause)i)) ==
			  (enum removal_cause)i);
	for (int i = 0; i < REMOVAL_STATES; i++)
		cr_expect(removal_state_by_name(removal_state_name((enum removal_state)i)) ==
			  (enum removal_state)i);
	cr_expect(removal_state_by_name("lost") == REMOVAL_STATES);
	cr_expect(removal_cause_by_name(NULL) == REMOVAL_CAUSES);
}

Test(removal, a_list_takes_what_is_added)
{
	struct removals list = { 0 };
	struct removal one = { .id = 1, .note = xstrdup("words") };
	removals_add(&list, &one);
	cr_expect(one.note == NULL);
	struct removal two = { .id = 2, .place = xstrdup("/p") };
	removals_add(&list, &two);
	cr_assert(list.count == 2);
	cr_expect_str_eq(list.items[0].note, "words");
	cr_expect_str_eq(list.items[1].place, "/p");
	removals_done(&list);
	cr_expect(list.count == 0 && list.items == NULL);
}

Test(removal, what_is_in_vain_is_tried_again_later_and_later)
{
	struct removal removal = { 0 };
	static const int64_t pauses_s[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600 };
	for (size_t i = 0; i < sizeof pauses_s / sizeof *pauses_s; i++) {
		removal_put_off(&removal, 5, "no way");
		cr_expect_eq(removal.due_ns, 5 + pauses_s[i] * 1000000000, "%zu", i);
		cr_expect_eq(removal.tries, i + 1);
	}
	cr_expect_str_eq(removal.note, "no way");
	removal_done(&removal);
}
