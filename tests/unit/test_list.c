/* list: an intrusive ring. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/list.h"

struct item {
	char name;
	struct list link;
};

static void fill(struct list *head, struct item *items, const char *names)
{
	list_init(head);
	for (size_t i = 0; names[i]; i++) {
		items[i].name = names[i];
		list_append(head, &items[i].link);
	}
}

/* The names in the ring, forwards; asserts that backwards is the same. */
static const char *names_of(const struct list *head)
{
	static char text[32];
	size_t len = 0;
	LIST_FOREACH(at, head)
		text[len++] = LIST_OF(at, struct item, link)->name;
	text[len] = '\0';
	size_t back = len;
	for (const struct list *at = head->previous; at != head; at = at->previous)
		cr_assert_eq(LIST_OF(at, struct item, link)->name, text[--back]);
	cr_assert_eq(back, 0u);
	return text;
}

Test(list, appends_in_order_and_shifts_from_the_front)
{
	struct list head;
	struct item items[3];
	fill(&head, items, "abc");
	cr_assert_str_eq(names_of(&head), "abc");
	struct list *first = list_shift(&head);
	cr_assert_eq(LIST_OF(first, struct item, link)->name, 'a');
	cr_assert(list_empty(first), "what is taken out points at itself");
	cr_assert_str_eq(names_of(&head), "bc");
}

Test(list, an_empty_ring_has_nothing_to_shift)
{
	struct list head;
	list_init(&head);
	cr_assert(list_empty(&head));
	cr_assert_null(list_shift(&head));
	cr_assert_str_eq(names_of(&head), "");
}

Test(list, unlinks_anywhere_and_twice)
{
	static const struct {
		size_t victim;
		const char *rest;
	} cases[] = { { 0, "bcd" }, { 1, "acd" }, { 3, "abc" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct list head;
		struct item items[4];
		fill(&head, items, "abcd");
		list_unlink(&items[cases[i].victim].link);
		list_unlink(&items[cases[i].victim].link);
		cr_assert_str_eq(names_of(&head), cases[i].rest);
	}
}

Test(list, splices_to_the_end_and_empties_the_source)
{
	static const struct {
		const char *to, *from, *whole;
	} cases[] = {
		{ "ab", "cd", "abcd" }, { "", "cd", "cd" }, { "ab", "", "ab" }, { "", "", "" }
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct list to, from;
		struct item a[4], b[4];
		fill(&to, a, cases[i].to);
		fill(&from, b, cases[i].from);
		list_splice(&to, &from);
		cr_assert_str_eq(names_of(&to), cases[i].whole);
		cr_assert(list_empty(&from));
	}
}

Test(list, splices_to_the_beginning)
{
	static const struct {
		const char *to, *from, *whole;
	} cases[] = {
		{ "ab", "cd", "cdab" }, { "", "cd", "cd" }, { "ab", "", "ab" }, { "", "", "" }
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct list to, from;
		struct item a[4], b[4];
		fill(&to, a, cases[i].to);
		fill(&from, b, cases[i].from);
		list_splice_before(&to, &from);
		cr_assert_str_eq(names_of(&to), cases[i].whole);
		cr_assert(list_empty(&from));
	}
}
