/* SPDX-License-Identifier: MIT */
#include "agenda.h"

#include <stdlib.h>

#define FIRST_CAPACITY 256

static bool is_before(const struct sim_item *a, const struct sim_item *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static bool make_room(struct sim_agenda *agenda)
{
    if (agenda->count < agenda->capacity)
        return true;
    size_t capacity = agenda->capacity != 0 ? agenda->capacity * 2 : FIRST_CAPACITY;
    struct sim_item *items = realloc(agenda->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    agenda->items = items;
    agenda->capacity = capacity;
    return true;
}

bool ptpmon_sim_agenda_add(struct sim_agenda *agenda, const struct sim_item *added)
{
    if (!make_room(agenda))
        return false;
    struct sim_item item = *added;
    item.order = agenda->order++;
    size_t hole = agenda->count++;
    while (hole > 0 && is_before(&item, &agenda->items[(hole - 1) / 2])) {
        agenda->items[hole] = agenda->items[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    agenda->items[hole] = item;
    return true;
}

bool ptpmon_sim_agenda_take(struct sim_agenda *agenda, struct sim_item *item)
{
    if (agenda->count == 0)
        return false;
    *item = agenda->items[0];
    const struct sim_item *last = &agenda->items[--agenda->count];
    size_t hole = 0;
    for (size_t child; (child = 2 * hole + 1) < agenda->count; hole = child) {
        if (child + 1 < agenda->count && is_before(&agenda->items[child + 1], &agenda->items[child]))
            child++;
        if (!is_before(&agenda->items[child], last))
            break;
        agenda->items[hole] = agenda->items[child];
    }
    agenda->items[hole] = *last;
    return true;
}

void ptpmon_sim_agenda_free(struct sim_agenda *agenda)
{
    free(agenda->items);
    *agenda = (struct sim_agenda){0};
}
