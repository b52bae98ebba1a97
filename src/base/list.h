/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A doubly linked ring of nodes that live inside their owners. */
#ifndef BTRFLY_BASE_LIST_H
#define BTRFLY_BASE_LIST_H

#include "base/types.h"

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *l) { l->prev = l->next = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add(struct list *l, struct list *node) { list_insert(node, l, l->next); }
static inline void list_add_tail(struct list *l, struct list *node) { list_insert(node, l->prev, l); }

/* Afterwards the node is a ring of its own, so a second removal does no harm. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move everything on @from to the end of @l; @from is empty afterwards. */
static inline void list_splice_tail(struct list *l, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = l->prev;
	l->prev->next = from->next;
	from->prev->next = l;
	l->prev = from->prev;
	list_init(from);
}

#define LIST_ENTRY(ptr, type, member) CONTAINER_OF(ptr, type, member)
#define LIST_FOR_EACH(pos, l) for (struct list *pos = (l)->next; pos != (l); pos = pos->next)

/* The body may remove @pos. */
#define LIST_FOR_EACH_SAFE(pos, l)                                                                 \
	for (struct list *pos = (l)->next, *pos##_next = pos->next; pos != (l);                    \
	     pos = pos##_next, pos##_next = pos->next)

#endif
