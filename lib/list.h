/* SPDX-License-Identifier: MIT */
/* Doubly linked lists whose links lie in the elements: adding and removing cannot fail. */
#ifndef PTPMON_LIB_LIST_H
#define PTPMON_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A list's head, or the link in an element. A head or a link that is in no list points to itself. */
struct ptpmon_list {
    struct ptpmon_list *next, *previous;
};

#define PTPMON_CONTAINER_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void ptpmon_list_init(struct ptpmon_list *link)
{
    link->next = link->previous = link;
}

static inline bool ptpmon_list_is_empty(const struct ptpmon_list *list)
{
    return list->next == list;
}

/* Adds the link at the end of the list (seen from another element: before that element). */
static inline void ptpmon_list_append(struct ptpmon_list *list, struct ptpmon_list *link)
{
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

static inline void ptpmon_list_remove(struct ptpmon_list *link)
{
    link->next->previous = link->previous;
    link->previous->next = link->next;
    ptpmon_list_init(link);
}

#endif
