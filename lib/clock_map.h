/* SPDX-License-Identifier: MIT */
/*
 * From capture time to event time, by the CLOCKS records of the monitor.
 *
 * An instant is moved by the reading that is nearest in capture time. Between two readings
 * CLOCK_REALTIME may have been stepped; each side of the step then follows its own reading. After a
 * step backwards some capture times exist twice: what the caller knows of the earliest possible event
 * time tells the two passes apart, otherwise the first is taken.
 *
 * The choice is final once a reading after the instant is known, or PTPMON_CLOCK_SETTLE_NS have
 * passed without one: so it does not depend on when a caller asks.
 */
#ifndef PTPMON_LIB_CLOCK_MAP_H
#define PTPMON_LIB_CLOCK_MAP_H

#include "instant.h"

#include <avb/avb_ptp_events.h>
#include <stdbool.h>
#include <stddef.h>

/* A reading this long after an instant is used for it only where none precedes it. The monitor reads every second. */
#define PTPMON_CLOCK_REACH_NS INT64_C(1000000000)

/* When a reading in reach would surely have come; the rest is for drift between the clocks. */
#define PTPMON_CLOCK_SETTLE_NS (PTPMON_CLOCK_REACH_NS + PTPMON_CLOCK_REACH_NS / 10)

#define PTPMON_CLOCK_READINGS 256

struct ptpmon_clock_reading {
    ptpmon_instant system, realtime;
};

/* Zeroed to begin with. In order of `system`; when it is full, the reading goes whose absence matters least. */
struct ptpmon_clock_map {
    struct ptpmon_clock_reading readings[PTPMON_CLOCK_READINGS];
    size_t count;
    bool steps_back;       /* somewhere realtime does not rise */
    ptpmon_instant passed; /* see ptpmon_clock_map_passed(); while there is a reading */
};

/* False: passed over, for it holds no realtime or is not newer than the last. */
bool ptpmon_clock_map_add(struct ptpmon_clock_map *map, const PTP_CLOCKS_RECORD *clocks);

/* The last reading; NULL: none. */
static inline const struct ptpmon_clock_reading *ptpmon_clock_map_newest(const struct ptpmon_clock_map *map)
{
    return map->count > 0 ? &map->readings[map->count - 1] : NULL;
}

/* Instants of before this capture time lie before the newest reading, on one side of a step between the last two or
 * the other. PTPMON_INSTANT_MIN: there is no reading. */
static inline ptpmon_instant ptpmon_clock_map_passed(const struct ptpmon_clock_map *map)
{
    return map->count > 0 ? map->passed : PTPMON_INSTANT_MIN;
}

/* Readings by which the instant would lie before `earliest` are left out; false where none is left, then `event_time`
 * is untouched. PTPMON_INSTANT_MIN leaves none out. */
bool ptpmon_clock_map_find(const struct ptpmon_clock_map *map, ptpmon_instant capture_time, ptpmon_instant earliest,
                           ptpmon_instant *event_time);

/* Drops the readings that no instant from `event_time` on needs. */
void ptpmon_clock_map_forget(struct ptpmon_clock_map *map, ptpmon_instant event_time);

#endif
