/*
 * Doubly linked list whose links live in the members. A zeroed link is in no list; a list head must be list_init'ed.
 * Members are owned by whoever says so in the struct that holds the head.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool list_in(const struct list *link)
{
	return link->next != NULL;
}

static inline void list_add(struct list *head, struct list *link) /* at the end */
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_add_first(struct list *head, struct list *link)
{
	list_add(head->next, link);
}

static inline void list_drop(struct list *link) /* also when in no list */
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = link->prev = NULL;
}

static inline struct list *list_pop(struct list *head) /* the first, NULL if none */
{
	struct list *first = head->next;
	if (first == head)
		return NULL;
	list_drop(first);
	return first;
}

#define list_of(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* The body may drop the current link. */
#define list_each(link, head)                                                                                          \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);                              \
	     link = link##_next, link##_next = link->next)
