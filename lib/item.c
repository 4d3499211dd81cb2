/* SPDX-License-Identifier: MIT */
#include "item.h"

/* ---- Sorting lists: a merge sort of the runs that are in order already --------------------- */

/* Takes the first items of a chain, as far as they are in order. */
static struct ptpmon_item *take_run(struct ptpmon_item **chain, ptpmon_item_order before)
{
    struct ptpmon_item *run = *chain, *end = run;
    while (end->next && before(end, end->next))
        end = end->next;
    *chain = end->next;
    end->next = NULL;
    return run;
}

static struct ptpmon_item *merge(struct ptpmon_item *a, struct ptpmon_item *b, ptpmon_item_order before)
{
    struct ptpmon_item *merged = NULL, **end = &merged;
    while (a && b) {
        struct ptpmon_item **lower = before(a, b) ? &a : &b;
        *end = *lower;
        end = &(*lower)->next;
        *lower = *end;
    }
    *end = a ? a : b;
    return merged;
}

void ptpmon_item_list_sort(struct ptpmon_item_list *list, ptpmon_item_order before)
{
    if (list->count < 2)
        return;
    struct ptpmon_item *sorted[64] = {0}; /* [i]: of 2^i runs, or nothing */
    struct ptpmon_item *chain = list->first, *all = NULL;
    size_t used = 0;
    while (chain) {
        struct ptpmon_item *run = take_run(&chain, before);
        size_t i = 0;
        for (; sorted[i]; i++) {
            run = merge(sorted[i], run, before);
            sorted[i] = NULL;
        }
        sorted[i] = run;
        used = i < used ? used : i + 1;
    }
    for (size_t i = 0; i < used; i++)
        all = merge(sorted[i], all, before);
    list->first = list->last = all;
    while (list->last && list->last->next)
        list->last = list->last->next;
}

/* ---- Heaps -------------------------------------------------------------------------------- */

/* Two heaps become one; NULL is an empty one. */
static struct ptpmon_item *meld(struct ptpmon_item *a, struct ptpmon_item *b)
{
    if (!a || !b)
        return a ? a : b;
    struct ptpmon_item *lower = ptpmon_item_before(a, b) ? a : b, *higher = lower == a ? b : a;
    higher->next = lower->first_child;
    lower->first_child = higher;
    return lower;
}

static struct ptpmon_item *take_child(struct ptpmon_item **children)
{
    struct ptpmon_item *child = *children;
    if (child) {
        *children = child->next;
        child->next = NULL;
    }
    return child;
}

/* The heap of all the children: melded pair by pair, then the pairs, last one first. */
static struct ptpmon_item *meld_all(struct ptpmon_item *children)
{
    struct ptpmon_item *pairs = NULL, *heap = NULL;
    while (children) {
        struct ptpmon_item *first = take_child(&children);
        struct ptpmon_item *pair = meld(first, take_child(&children));
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs)
        heap = meld(heap, take_child(&pairs));
    return heap;
}

/* ---- Queues ------------------------------------------------------------------------------- */

/* How far from its end the chain is looked through for an item's place. Two sides that are each in order, but see
 * messages some microseconds apart, need a few steps. */
#define STEPS_MAX 16

void ptpmon_item_queue_insert(struct ptpmon_item_queue *queue, struct ptpmon_item *item)
{
    struct ptpmon_item *after = queue->last; /* what will come right after the item */
    for (unsigned steps = 0; steps < STEPS_MAX; steps++, after = after->previous) {
        if (after->previous && ptpmon_item_before(item, after->previous))
            continue;
        item->previous = after->previous;
        item->next = after;
        *(after->previous ? &after->previous->next : &queue->first) = item;
        after->previous = item;
        return;
    }
    item->next = item->first_child = NULL;
    queue->root = meld(queue->root, item);
}

void ptpmon_item_queue_pop_root(struct ptpmon_item_queue *queue)
{
    queue->root = meld_all(queue->root->first_child);
}
