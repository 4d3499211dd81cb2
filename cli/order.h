/* SPDX-License-Identifier: MIT */
/* Brings observations of several interfaces into one order of event time, by holding each for a while. */
#ifndef PTPMON_CLI_ORDER_H
#define PTPMON_CLI_ORDER_H

#include "observer.h"

#include <stddef.h>

struct order {
    struct order_item *items; /* a heap, the earliest first */
    size_t count, capacity;
    uint64_t added; /* so far: what is equal in time stays in the order in which it came */
};

/* `context` goes with the observation. */
void order_add(struct order *order, const struct observation *observation, void *context);

/* Takes out the earliest if it is not later than `until`. */
bool order_take(struct order *order, uint64_t until, struct observation *observation, void **context);

void order_free(struct order *order);

#endif
