/* SPDX-License-Identifier: MIT */
/* What is still to happen, in order of time; what is due at one time, in the order in which it was put down. */
#ifndef PTPMON_LIB_SIMULATOR_AGENDA_H
#define PTPMON_LIB_SIMULATOR_AGENDA_H

#include "fixed.h"

#include <stddef.h>

typedef void (*sim_action)(void *object, void *argument);

struct sim_item {
    sim_time at;
    uint64_t order;
    sim_action act;
    void *object, *argument;
    bool is_timer; /* something new begins, rather than what has begun goes on */
};

/* Zeroed to begin with. */
struct sim_agenda {
    struct sim_item *items; /* a binary heap */
    size_t count, capacity;
    uint64_t order;
};

/* `order` is filled in. False: out of memory; then it is not put down. */
bool ptpmon_sim_agenda_add(struct sim_agenda *agenda, const struct sim_item *item);
/* False: nothing is left. */
bool ptpmon_sim_agenda_take(struct sim_agenda *agenda, struct sim_item *item);
void ptpmon_sim_agenda_free(struct sim_agenda *agenda);

#endif
