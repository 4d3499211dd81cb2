/* SPDX-License-Identifier: MIT */
/* What the correlator holds of an event or a frame, and two containers of them that cannot fail. */
#ifndef PTPMON_LIB_ITEM_H
#define PTPMON_LIB_ITEM_H

#include "instant.h"

#include <ptpmon.h>

struct ptpmon_item {
    ptpmon_instant time; /* event time; of a frame that is not placed in event time yet: its capture time */
    uint64_t serial;     /* order of arrival on its side, unique */
    bool is_frame;
    PTP_TIMESTAMP_EVENT message; /* the event, or what the frame says */
    int64_t frame_time_ns;
    uint64_t frame_number;
    ptpmon_instant promised; /* frame: event time that was promised to be over when it came */
    bool is_guess;           /* frame: placed in event time before the clocks were known well enough */

    struct ptpmon_item *next; /* in an item list */
    /* Once decided. */
    ptpmon_outcome outcome;
    ptpmon_reason reason;
    bool decided_early;
    struct ptpmon_item *partner; /* matched: the other one */
};

struct ptpmon_item_list {
    struct ptpmon_item *first, *last;
    size_t count;
};

static inline void ptpmon_item_list_append(struct ptpmon_item_list *list, struct ptpmon_item *item)
{
    item->next = NULL;
    if (list->last)
        list->last->next = item;
    else
        list->first = item;
    list->last = item;
    list->count++;
}

/* The first item, taken out; NULL: the list is empty. */
static inline struct ptpmon_item *ptpmon_item_list_take(struct ptpmon_item_list *list)
{
    struct ptpmon_item *item = list->first;
    if (!item)
        return NULL;
    list->first = item->next;
    if (!list->first)
        list->last = NULL;
    list->count--;
    item->next = NULL;
    return item;
}

/* Sorts by (time, serial); `scratch` has room for all items. */
void ptpmon_item_list_sort(struct ptpmon_item_list *list, struct ptpmon_item **scratch);

/* A priority queue by (time, serial), lowest first. The owner sees to it that `items` has room. */
struct ptpmon_item_heap {
    struct ptpmon_item **items;
    size_t count;
};

void ptpmon_item_heap_push(struct ptpmon_item_heap *heap, struct ptpmon_item *item);
/* NULL: empty. */
struct ptpmon_item *ptpmon_item_heap_top(const struct ptpmon_item_heap *heap);
struct ptpmon_item *ptpmon_item_heap_pop(struct ptpmon_item_heap *heap);

#endif
