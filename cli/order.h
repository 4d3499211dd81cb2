/* SPDX-License-Identifier: MIT */
/* Brings observations of several interfaces into one order of event time, by holding each for a while. */
#ifndef PTPMON_CLI_ORDER_H
#define PTPMON_CLI_ORDER_H

#include "time_heap.h"

#include <ptpmon.h>

struct order {
    struct time_heap held;
};

/* `context` goes with the observation. */
void order_add(struct order *order, const ptpmon_observation *observation, void *context);

/* Takes out the earliest if it is not later than `until`. */
bool order_take(struct order *order, uint64_t until, ptpmon_observation *observation, void **context);

void order_free(struct order *order);

#endif
