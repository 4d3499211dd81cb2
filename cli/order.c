/* SPDX-License-Identifier: MIT */
#include "order.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>

struct order_item {
    uint64_t time, number;
    void *context;
    struct observation observation;
};

static bool is_earlier(const struct order_item *a, const struct order_item *b)
{
    return a->time != b->time ? a->time < b->time : a->number < b->number;
}

static void exchange(struct order_item *a, struct order_item *b)
{
    struct order_item kept = *a;
    *a = *b;
    *b = kept;
}

void order_add(struct order *order, const struct observation *observation, void *context)
{
    if (order->count == order->capacity) {
        size_t capacity = order->capacity * 2 + 64;
        struct order_item *larger = cli_allocate(capacity, sizeof *larger);
        if (order->count > 0)
            memcpy(larger, order->items, order->count * sizeof *larger);
        free(order->items);
        order->items = larger;
        order->capacity = capacity;
    }
    size_t i = order->count++;
    order->items[i] = (struct order_item){
        .time = observation_identity(observation)->system_timestamp,
        .number = order->added++,
        .context = context,
        .observation = *observation,
    };
    for (; i > 0 && is_earlier(&order->items[i], &order->items[(i - 1) / 2]); i = (i - 1) / 2)
        exchange(&order->items[i], &order->items[(i - 1) / 2]);
}

/* Moves the top down to its place. */
static void sink_top(struct order *order)
{
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < order->count; child++) {
            if (is_earlier(&order->items[child], &order->items[least]))
                least = child;
        }
        if (least == i)
            return;
        exchange(&order->items[i], &order->items[least]);
        i = least;
    }
}

bool order_take(struct order *order, uint64_t until, struct observation *observation, void **context)
{
    if (order->count == 0 || order->items[0].time > until)
        return false;
    *observation = order->items[0].observation;
    *context = order->items[0].context;
    order->items[0] = order->items[--order->count];
    sink_top(order);
    return true;
}

void order_free(struct order *order)
{
    free(order->items);
    *order = (struct order){0};
}
