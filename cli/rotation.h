/* SPDX-License-Identifier: MIT */
/*
 * When to go on to the next files of a recording. They become due by size or by time; the cut then
 * waits for a pause, so that no message has its event in one file and its frame or its late stamp in
 * the next, but not for ever. Times are event time, ns.
 */
#ifndef PTPMON_CLI_ROTATION_H
#define PTPMON_CLI_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

struct rotation_limits {
    uint64_t bytes, time_ns; /* 0 = not by this; both 0 = never */
};

/* Takes "100M" or "10m" into the limits; false = neither a size nor a time, or too little of it. */
bool rotation_parse(const char *text, struct rotation_limits *limits);

struct rotation {
    struct rotation_limits limits;
    uint64_t began_at;
    uint64_t due_at; /* 0 = not yet */
};

/* What a decision rests on. */
struct rotation_view {
    uint64_t now;
    uint64_t bytes;          /* in the files so far */
    uint64_t last_event;     /* time of the last frame seen */
    uint64_t complete_until; /* up to then no TX event waits for its stamp */
};

/* New files have begun. */
void rotation_begin(struct rotation *rotation, uint64_t now);

/* True: cut now. Ask often. */
bool rotation_cuts(struct rotation *rotation, const struct rotation_view *view);

#endif
