/* SPDX-License-Identifier: MIT */
/* Gives back in order of time what comes about in order. */
#ifndef PTPMON_CLI_TIME_HEAP_H
#define PTPMON_CLI_TIME_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed to begin with. */
struct time_heap {
    struct time_heap_item *items; /* the earliest first */
    size_t count, capacity;
    uint64_t added; /* so far: what is equal in time stays in the order in which it came */
};

/* `what` must not be NULL, and stays the caller's. */
void time_heap_add(struct time_heap *heap, uint64_t time, void *what);

/* Takes out the earliest if it is not later than `until`, else NULL. */
void *time_heap_take(struct time_heap *heap, uint64_t until);

/* What is still in it is not touched. */
void time_heap_free(struct time_heap *heap);

#endif
