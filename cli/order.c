/* SPDX-License-Identifier: MIT */
#include "order.h"

#include "cli.h"

#include <stdlib.h>

struct held {
    void *context;
    ptpmon_observation observation;
};

void order_add(struct order *order, const ptpmon_observation *observation, void *context)
{
    struct held *held = cli_allocate(1, sizeof *held);
    *held = (struct held){context, *observation};
    time_heap_add(&order->held, ptpmon_observation_identity(observation)->system_timestamp, held);
}

bool order_take(struct order *order, uint64_t until, ptpmon_observation *observation, void **context)
{
    struct held *held = time_heap_take(&order->held, until);
    if (held == NULL)
        return false;
    *observation = held->observation;
    *context = held->context;
    free(held);
    return true;
}

void order_free(struct order *order)
{
    struct held *held;
    while ((held = time_heap_take(&order->held, UINT64_MAX)) != NULL)
        free(held);
    time_heap_free(&order->held);
}
