/* SPDX-License-Identifier: MIT */
#include "time_heap.h"

#include "cli.h"

#include <stdlib.h>

struct time_heap_item {
    uint64_t time, number;
    void *what;
};

static bool is_earlier(const struct time_heap_item *a, const struct time_heap_item *b)
{
    return a->time != b->time ? a->time < b->time : a->number < b->number;
}

static void exchange(struct time_heap_item *a, struct time_heap_item *b)
{
    struct time_heap_item kept = *a;
    *a = *b;
    *b = kept;
}

void time_heap_add(struct time_heap *heap, uint64_t time, void *what)
{
    heap->items = cli_grow(heap->items, heap->count, &heap->capacity, sizeof *heap->items);
    size_t i = heap->count++;
    heap->items[i] = (struct time_heap_item){.time = time, .number = heap->added++, .what = what};
    for (; i > 0 && is_earlier(&heap->items[i], &heap->items[(i - 1) / 2]); i = (i - 1) / 2)
        exchange(&heap->items[i], &heap->items[(i - 1) / 2]);
}

/* Moves the top down to its place. */
static void sink_top(struct time_heap *heap)
{
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap->count; child++) {
            if (is_earlier(&heap->items[child], &heap->items[least]))
                least = child;
        }
        if (least == i)
            return;
        exchange(&heap->items[i], &heap->items[least]);
        i = least;
    }
}

void *time_heap_take(struct time_heap *heap, uint64_t until)
{
    if (heap->count == 0 || heap->items[0].time > until)
        return NULL;
    void *what = heap->items[0].what;
    heap->items[0] = heap->items[--heap->count];
    sink_top(heap);
    return what;
}

void time_heap_free(struct time_heap *heap)
{
    free(heap->items);
    *heap = (struct time_heap){0};
}
