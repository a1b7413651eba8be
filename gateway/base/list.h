/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* list.h: intrusive doubly linked list. The head is a link too. list_remove() is idempotent on an initialised link. */

struct list {
    struct list *next;
    struct list *prev;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

/** A zeroed link (fresh from mem_new) counts as not linked. */
static inline bool list_is_linked(const struct list *link)
{
    return link->next && link->next != link;
}

static inline bool list_is_empty(const struct list *head)
{
    return !head->next || head->next == head;
}

static inline void list_append(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_prepend(struct list *head, struct list *link)
{
    list_append(head->next, link);
}

static inline void list_remove(struct list *link)
{
    if (link->next) {
        link->next->prev = link->prev;
        link->prev->next = link->next;
    }
    link->next = link->prev = link;
}

static inline struct list *list_first(const struct list *head)
{
    return list_is_empty(head) ? NULL : head->next;
}

/** Move all links of `from` to the end of `to`; `from` is empty then. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

/** Safe against removal of the current link (not of the next one). */
#define list_each(link, tmp, head)                                                                                     \
    for ((link) = (head)->next, (tmp) = (link) ? (link)->next : NULL; (link) && (link) != (head);                      \
         (link) = (tmp), (tmp) = (link)->next)
