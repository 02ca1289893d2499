/*
 * list: an intrusive doubly-linked ring. The head is a struct list of its own; an element that is
 * in no list points at itself. Not thread-safe.
 */
#ifndef CARVED_CORE_BASE_LIST_H
#define CARVED_CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *previous;
};

/** The structure that holds link as its member. */
#define LIST_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/** Walks the ring; the current element must not be unlinked by the body. */
/* at is declared here: NOLINTBEGIN(bugprone-macro-parentheses) */
#define LIST_FOREACH(at, head) \
	for (struct list *at = (head)->next; (at) != (head); (at) = (at)->next)

/* NOLINTEND(bugprone-macro-parentheses) */

static inline void list_init(struct list *head)
{
	head->next = head;
	head->previous = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/** Puts link, which is in no list, at the end of the ring. */
static inline void list_append(struct list *head, struct list *link)
{
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

/** Takes link out of whatever ring it is in; harmless when it is in none. */
static inline void list_unlink(struct list *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

/** The first element, taken out; NULL when there is none. */
static inline struct list *list_shift(struct list *head)
{
	if (list_empty(head))
		return NULL;
	struct list *first = head->next;
	list_unlink(first);
	return first;
}

/** Moves all elements of from to the beginning of to. */
static inline void list_splice_before(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->previous->next = to->next;
	to->next->previous = from->previous;
	from->next->previous = to;
	to->next = from->next;
	list_init(from);
}

/** Moves all elements of from to the end of to. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->previous = to->previous;
	to->previous->next = from->next;
	from->previous->next = to;
	to->previous = from->previous;
	list_init(from);
}

#endif
