/* SPDX-License-Identifier: MIT */
#include "item.h"

#include <stdlib.h>

static bool before(const struct ptpmon_item *a, const struct ptpmon_item *b)
{
    return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

static int compare(const void *left, const void *right)
{
    const struct ptpmon_item *a = *(struct ptpmon_item *const *)left, *b = *(struct ptpmon_item *const *)right;
    return before(b, a) - before(a, b);
}

void ptpmon_item_list_sort(struct ptpmon_item_list *list, struct ptpmon_item **scratch)
{
    size_t count = 0;
    struct ptpmon_item *item;
    while ((item = ptpmon_item_list_take(list)))
        scratch[count++] = item;
    qsort(scratch, count, sizeof *scratch, compare);
    for (size_t i = 0; i < count; i++)
        ptpmon_item_list_append(list, scratch[i]);
}

void ptpmon_item_heap_push(struct ptpmon_item_heap *heap, struct ptpmon_item *item)
{
    size_t at = heap->count++;
    while (at > 0 && before(item, heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = item;
}

struct ptpmon_item *ptpmon_item_heap_top(const struct ptpmon_item_heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

struct ptpmon_item *ptpmon_item_heap_pop(struct ptpmon_item_heap *heap)
{
    struct ptpmon_item *top = ptpmon_item_heap_top(heap);
    if (!top)
        return NULL;
    struct ptpmon_item *last = heap->items[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!before(heap->items[child], last))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
    return top;
}
