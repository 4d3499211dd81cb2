/* SPDX-License-Identifier: MIT */
/* What the correlator holds of an event or a frame, and containers of them that need no memory of their own. */
#ifndef PTPMON_LIB_ITEM_H
#define PTPMON_LIB_ITEM_H

#include "instant.h"

#include <ptpmon.h>

/* An item is in one container at a time. Two cache lines: replays are made of little else. */
struct ptpmon_item {
    ptpmon_instant time;      /* event time; of a frame that is not placed in event time yet: its capture time */
    uint64_t serial;          /* order of arrival on its side, unique */
    struct ptpmon_item *next; /* in a heap: the next child of the same parent */
    union {
        struct ptpmon_item *previous;    /* in a queue */
        struct ptpmon_item *first_child; /* in a heap */
    };
    union {
        struct ptpmon_item *partner; /* matched: the other one; NULL: none (yet) */
        ptpmon_instant promised;     /* frame not placed yet: event time that was promised to be over when it came */
    };
    bool is_frame : 1;
    bool is_guess : 1;      /* frame: placed in event time before the clocks were known well enough */
    bool decided_early : 1; /* once decided, as are outcome and reason */
    bool no_stack_time : 1; /* event: its software stamp, if any, is of another clock than captures have */
    uint8_t outcome, reason, cross_check;
    uint32_t resolution_ns; /* frame: of frame_time_ns, at least 1 */
    int64_t frame_time_ns;
    uint64_t frame_number;
    PTP_TIMESTAMP_EVENT message; /* the event, or what the frame says */
};

_Static_assert(sizeof(struct ptpmon_item) <= 128, "an item is two cache lines");

/* What a frame's message says lies behind its item, where the correlator was told to keep it. */
#define PTPMON_ITEM_WITH_MESSAGE (sizeof(struct ptpmon_item) + sizeof(ptpmon_message))

static inline ptpmon_message *ptpmon_item_message(struct ptpmon_item *item)
{
    return (ptpmon_message *)(void *)(item + 1);
}

/* Whether the first item comes before the second one. No two items are equal. */
typedef bool (*ptpmon_item_order)(const struct ptpmon_item *, const struct ptpmon_item *);

/* The order of time. */
static inline bool ptpmon_item_before(const struct ptpmon_item *a, const struct ptpmon_item *b)
{
    return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

/* ---- Lists, in the order in which items were appended ------------------------------------- */

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

/* Takes O(n) where the list is in order, O(n log n) at most. */
void ptpmon_item_list_sort(struct ptpmon_item_list *list, ptpmon_item_order before);

/* Queues are seconds long and so leave the cache: what comes next is fetched while the item before is worked on. */
static inline void ptpmon_item_prefetch(const struct ptpmon_item *item)
{
    __builtin_prefetch(&item->message);
    __builtin_prefetch(item->next);
}

/* ---- Priority queues by time, lowest first ------------------------------------------------ */

/*
 * Zeroed to begin with. What comes in order, or nearly, waits in a chain; what comes far out of order
 * in a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986). Each takes O(1) for an item, and O(log n)
 * on average for one that was out of order.
 */
struct ptpmon_item_queue {
    struct ptpmon_item *first, *last;
    struct ptpmon_item *root; /* of the heap */
};

/* The lowest item; NULL: the queue is empty. */
static inline struct ptpmon_item *ptpmon_item_queue_top(const struct ptpmon_item_queue *queue)
{
    if (!queue->root || (queue->first && ptpmon_item_before(queue->first, queue->root)))
        return queue->first;
    return queue->root;
}

/* The rare cases of pushing and taking. */
void ptpmon_item_queue_insert(struct ptpmon_item_queue *queue, struct ptpmon_item *item);
void ptpmon_item_queue_pop_root(struct ptpmon_item_queue *queue);

static inline void ptpmon_item_queue_push(struct ptpmon_item_queue *queue, struct ptpmon_item *item)
{
    if (queue->last && ptpmon_item_before(item, queue->last)) {
        ptpmon_item_queue_insert(queue, item);
        return;
    }
    item->next = NULL;
    item->previous = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = item;
    queue->last = item;
}

/* Takes the lowest item out: what ptpmon_item_queue_top() has told. */
static inline void ptpmon_item_queue_take(struct ptpmon_item_queue *queue, struct ptpmon_item *top)
{
    struct ptpmon_item *next = top->next;
    if (top == queue->root) {
        ptpmon_item_queue_pop_root(queue);
        return;
    }
    queue->first = next;
    if (next) {
        next->previous = NULL;
        ptpmon_item_prefetch(next);
    } else {
        queue->last = NULL;
    }
}

/* Takes the lowest item out; NULL: the queue is empty. */
static inline struct ptpmon_item *ptpmon_item_queue_pop(struct ptpmon_item_queue *queue)
{
    struct ptpmon_item *top = ptpmon_item_queue_top(queue);
    if (top)
        ptpmon_item_queue_take(queue, top);
    return top;
}

#endif
