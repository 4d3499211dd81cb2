/* SPDX-License-Identifier: MIT */
#include "clock_map.h"

#include <stdlib.h>
#include <string.h>

static int64_t offset_of(const struct ptpmon_clock_reading *reading)
{
    return reading->realtime - reading->system;
}

static ptpmon_instant passed_by(const struct ptpmon_clock_map *map)
{
    const struct ptpmon_clock_reading *newest = ptpmon_clock_map_newest(map);
    if (map->count == 1)
        return newest->realtime;
    ptpmon_instant without_step = ptpmon_instant_add(newest->system, offset_of(newest - 1));
    return without_step > newest->realtime ? without_step : newest->realtime;
}

/* Due after every change of the readings, of which there is at least one. */
static void look_at_readings(struct ptpmon_clock_map *map)
{
    map->steps_back = false;
    for (size_t i = 1; i < map->count; i++)
        map->steps_back |= map->readings[i].realtime <= map->readings[i - 1].realtime;
    map->passed = passed_by(map);
}

static void drop(struct ptpmon_clock_map *map, size_t first, size_t count)
{
    if (count == 0)
        return;
    memmove(&map->readings[first], &map->readings[first + count],
            (map->count - first - count) * sizeof map->readings[0]);
    map->count -= count;
    look_at_readings(map);
}

/* Without a reading its neighbours serve its time: the one between which the offset changes least is missed least. */
static void drop_least_useful(struct ptpmon_clock_map *map)
{
    size_t least = 1;
    int64_t least_change = INT64_MAX;
    for (size_t i = 1; i + 1 < map->count; i++) {
        int64_t change = llabs(offset_of(&map->readings[i + 1]) - offset_of(&map->readings[i - 1]));
        if (change < least_change) {
            least = i;
            least_change = change;
        }
    }
    drop(map, least, 1);
}

bool ptpmon_clock_map_add(struct ptpmon_clock_map *map, const PTP_CLOCKS_RECORD *clocks)
{
    struct ptpmon_clock_reading reading = {
        .system = ptpmon_instant_from_unsigned(clocks->system_timestamp),
        .realtime = ptpmon_instant_from_unsigned(clocks->realtime_ns),
    };
    const struct ptpmon_clock_reading *newest = ptpmon_clock_map_newest(map);
    if (reading.realtime == 0 || (newest && reading.system <= newest->system))
        return false;
    if (map->count == PTPMON_CLOCK_READINGS)
        drop_least_useful(map);
    map->readings[map->count++] = reading;
    look_at_readings(map);
    return true;
}

static ptpmon_instant moved_by(const struct ptpmon_clock_reading *reading, ptpmon_instant capture_time)
{
    return ptpmon_instant_add(reading->system, capture_time - reading->realtime);
}

/* The nearest reading of one before and one after, where capture times rise with event times; NULL: there are no two
 * such, or they rise not. */
static const struct ptpmon_clock_reading *nearest_of_two(const struct ptpmon_clock_map *map,
                                                         ptpmon_instant capture_time)
{
    size_t low = 0, high = map->count;
    if (map->steps_back || high < 2 || capture_time < map->readings[0].realtime)
        return NULL;
    if (capture_time >= map->readings[high - 2].realtime) /* mostly */
        low = high - 2;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (map->readings[middle].realtime <= capture_time)
            low = middle;
        else
            high = middle;
    }
    const struct ptpmon_clock_reading *before = &map->readings[low], *after = before + 1;
    bool in_reach = high < map->count && after->realtime - capture_time < PTPMON_CLOCK_REACH_NS;
    return in_reach && after->realtime - capture_time < capture_time - before->realtime ? after : before;
}

static bool find_among_all(const struct ptpmon_clock_map *map, ptpmon_instant capture_time, ptpmon_instant earliest,
                           ptpmon_instant *event_time)
{
    bool found = false, found_in_reach = false;
    int64_t found_distance = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct ptpmon_clock_reading *reading = &map->readings[i];
        int64_t since = capture_time - reading->realtime;
        ptpmon_instant moved = moved_by(reading, capture_time);
        bool in_reach = since > -PTPMON_CLOCK_REACH_NS;
        int64_t distance = llabs(since);
        if (moved < earliest || (found_in_reach && !in_reach))
            continue;
        if (found && found_in_reach == in_reach && distance >= found_distance)
            continue;
        found = true;
        found_in_reach = in_reach;
        found_distance = distance;
        *event_time = moved;
    }
    return found;
}

bool ptpmon_clock_map_find(const struct ptpmon_clock_map *map, ptpmon_instant capture_time, ptpmon_instant earliest,
                           ptpmon_instant *event_time)
{
    const struct ptpmon_clock_reading *nearest = nearest_of_two(map, capture_time);
    ptpmon_instant moved = nearest ? moved_by(nearest, capture_time) : PTPMON_INSTANT_MIN;
    if (!nearest || moved < earliest)
        return find_among_all(map, capture_time, earliest, event_time);
    *event_time = moved;
    return true;
}

void ptpmon_clock_map_forget(struct ptpmon_clock_map *map, ptpmon_instant event_time)
{
    size_t unneeded = 0;
    while (unneeded + 1 < map->count && map->readings[unneeded + 1].system <= event_time)
        unneeded++;
    drop(map, 0, unneeded);
}
