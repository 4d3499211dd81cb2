/* SPDX-License-Identifier: MIT */
#include "analysis/clock_breaks.h"

#include <math.h>

/* ---- Stamps since the newest reading ------------------------------------------------------ */

void ptpmon_stamp_groups_clear(struct ptpmon_stamp_groups *groups)
{
    groups->count = 0;
    groups->stamps_each = 1;
    groups->stamps_last = 0;
}

static void widen(struct ptpmon_stamp_group *group, const struct ptpmon_stamp_group *other)
{
    group->first = other->first < group->first ? other->first : group->first;
    group->last = other->last > group->last ? other->last : group->last;
    group->least_received = fmin(group->least_received, other->least_received);
    group->greatest_received = fmax(group->greatest_received, other->greatest_received);
    group->least_sent = fmin(group->least_sent, other->least_sent);
    group->greatest_sent = fmax(group->greatest_sent, other->greatest_sent);
}

static struct ptpmon_stamp_group group_of(uint64_t event_time, double distance, bool received)
{
    struct ptpmon_stamp_group group = {event_time, event_time, INFINITY, -INFINITY, INFINITY, -INFINITY};
    if (received)
        group.least_received = group.greatest_received = distance;
    else
        group.least_sent = group.greatest_sent = distance;
    return group;
}

static void halve(struct ptpmon_stamp_groups *groups)
{
    for (size_t i = 0; i < groups->count / 2; i++) {
        struct ptpmon_stamp_group group = groups->groups[2 * i];
        widen(&group, &groups->groups[2 * i + 1]);
        groups->groups[i] = group;
    }
    groups->count /= 2;
    groups->stamps_each *= 2;
    groups->stamps_last = groups->stamps_each;
}

void ptpmon_stamp_groups_add(struct ptpmon_stamp_groups *groups, uint64_t event_time, double distance, bool received)
{
    struct ptpmon_stamp_group group = group_of(event_time, distance, received);
    if (groups->count > 0 && groups->stamps_last < groups->stamps_each) {
        widen(&groups->groups[groups->count - 1], &group);
        groups->stamps_last++;
        return;
    }
    if (groups->count == PTPMON_BREAK_STAMPS && groups->stamps_each <= UINT32_MAX / 2)
        halve(groups);
    if (groups->count == PTPMON_BREAK_STAMPS) {
        widen(&groups->groups[groups->count - 1], &group);
        return;
    }
    groups->groups[groups->count++] = group;
    groups->stamps_last = 1;
}

double ptpmon_stamp_groups_noise(const struct ptpmon_stamp_groups *groups)
{
    double noise = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const struct ptpmon_stamp_group *group = &groups->groups[i];
        noise = fmax(noise, fmax(fmax(-group->least_received, group->greatest_received),
                                 fmax(-group->least_sent, group->greatest_sent)));
    }
    return noise;
}

/* ---- Breaks ------------------------------------------------------------------------------- */

static size_t place(const struct ptpmon_clock_breaks *breaks, size_t i)
{
    return (breaks->first + i) % PTPMON_BREAKS_KEPT;
}

struct ptpmon_clock_break *ptpmon_clock_breaks_add(struct ptpmon_clock_breaks *breaks, uint64_t begin, uint64_t end,
                                                   uint32_t segment)
{
    if (breaks->count == PTPMON_BREAKS_KEPT) {
        breaks->forgotten_until = breaks->kept[breaks->first].end;
        breaks->forgotten_segment = breaks->kept[breaks->first].segment;
        breaks->first = place(breaks, 1);
        breaks->count--;
    }
    struct ptpmon_clock_break *broken = &breaks->kept[place(breaks, breaks->count++)];
    *broken = (struct ptpmon_clock_break){.begin = begin, .end = end, .segment = segment};
    return broken;
}

enum side { BEFORE, AFTER, EITHER };

static bool all_near(const struct ptpmon_stamp_group *group, double level, const struct ptpmon_clock_break *broken)
{
    double early = broken->early, late = broken->late;
    bool received = group->least_received > group->greatest_received ||
                    (level - group->greatest_received >= -early && level - group->least_received <= late);
    bool sent = group->least_sent > group->greatest_sent ||
                (group->least_sent - level >= -early && group->greatest_sent - level <= late);
    return received && sent;
}

/* On which side of the jump stamps are that lie so far off the line before it. */
static enum side side_of(const struct ptpmon_clock_break *broken, const struct ptpmon_stamp_group *group)
{
    if (all_near(group, 0, broken))
        return BEFORE;
    return all_near(group, broken->jump, broken) ? AFTER : EITHER;
}

static void not_before(struct ptpmon_clock_break *broken, uint64_t first)
{
    if (first < broken->first_not_before)
        broken->first_not_before = first;
    if (broken->before >= first)
        broken->before = first > broken->begin ? first - 1 : broken->begin;
}

static void not_after(struct ptpmon_clock_break *broken, uint64_t last)
{
    if (last > broken->last_not_after)
        broken->last_not_after = last;
    if (broken->after <= last)
        broken->after = broken->located_end;
}

static void take_group(struct ptpmon_clock_break *broken, const struct ptpmon_stamp_group *group)
{
    enum side side = side_of(broken, group);
    if (side != BEFORE)
        not_before(broken, group->first);
    if (side != AFTER)
        not_after(broken, group->last);
    if (side == BEFORE && group->last < broken->first_not_before && group->last > broken->before)
        broken->before = group->last;
    if (side == AFTER && group->first > broken->last_not_after && group->first < broken->after)
        broken->after = group->first;
}

void ptpmon_clock_break_locate(struct ptpmon_clock_break *broken, const struct ptpmon_clock_line *line, double jump,
                               double early, double late, const struct ptpmon_stamp_groups *stamps)
{
    broken->located = true;
    broken->located_end = broken->end;
    broken->line = *line;
    broken->jump = jump;
    broken->early = early;
    broken->late = late;
    broken->before = broken->begin;
    broken->after = broken->end;
    broken->first_not_before = UINT64_MAX;
    broken->last_not_after = 0;
    for (size_t i = 0; i < stamps->count; i++)
        if (stamps->groups[i].first >= broken->begin && stamps->groups[i].last <= broken->end)
            take_group(broken, &stamps->groups[i]);
}

void ptpmon_clock_break_extend(struct ptpmon_clock_break *broken, uint64_t end)
{
    broken->end = end;
}

uint64_t ptpmon_clock_break_from(const struct ptpmon_clock_break *broken)
{
    return broken->located ? broken->before : broken->begin;
}

uint64_t ptpmon_clock_break_to(const struct ptpmon_clock_break *broken)
{
    return broken->located && broken->end == broken->located_end ? broken->after : broken->end;
}

static size_t begun_before(const struct ptpmon_clock_breaks *breaks, uint64_t event_time)
{
    size_t low = 0, high = breaks->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ptpmon_clock_break_from(&breaks->kept[place(breaks, middle)]) < event_time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct ptpmon_clock_break *ptpmon_clock_breaks_before(const struct ptpmon_clock_breaks *breaks,
                                                            uint64_t event_time)
{
    size_t count = begun_before(breaks, event_time);
    return count > 0 ? &breaks->kept[place(breaks, count - 1)] : NULL;
}

/* The break whose readings are around this event time; NULL: none. */
static struct ptpmon_clock_break *break_around(struct ptpmon_clock_breaks *breaks, uint64_t event_time)
{
    for (size_t i = breaks->count; i-- > 0;) {
        struct ptpmon_clock_break *broken = &breaks->kept[place(breaks, i)];
        if (broken->end < event_time)
            return NULL;
        if (broken->begin <= event_time)
            return broken;
    }
    return NULL;
}

void ptpmon_clock_breaks_stamp(struct ptpmon_clock_breaks *breaks, uint64_t event_time, int64_t stamp_ns, bool received)
{
    struct ptpmon_clock_break *broken = break_around(breaks, event_time);
    if (!broken || !broken->located || event_time > broken->located_end)
        return;
    double distance = ptpmon_clock_line_distance(&broken->line, event_time, stamp_ns);
    struct ptpmon_stamp_group group = group_of(event_time, distance, received);
    take_group(broken, &group);
}
