/* SPDX-License-Identifier: MIT */
#include "pairing.h"

#include <stdlib.h>

/* What is left of a pool after pairs were found. */
struct rest {
    size_t events, frames;
    bool stamped; /* an event has a software stamp, but no frame has its time */
    bool received, sent;
};

static void join_pair(struct ptpmon_item *event, struct ptpmon_item *frame, ptpmon_reason reason)
{
    event->partner = frame;
    frame->partner = event;
    event->outcome = frame->outcome = PTPMON_MATCHED;
    event->reason = frame->reason = reason;
}

/* The number that the network stack gave a received message. */
static int64_t stack_time(const struct ptpmon_item *item)
{
    return item->is_frame ? item->frame_time_ns : (int64_t)item->message.software_timestamp;
}

static bool has_stack_time(const struct ptpmon_item *item)
{
    if (item->message.direction == AVB_DIRECTION_TX)
        return false;
    return item->is_frame || item->message.software_timestamp != 0;
}

static int compare_stack_times(const void *left, const void *right)
{
    const struct ptpmon_item *a = *(struct ptpmon_item *const *)left, *b = *(struct ptpmon_item *const *)right;
    int64_t time_a = stack_time(a), time_b = stack_time(b);
    if (time_a != time_b)
        return time_a < time_b ? -1 : 1;
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static size_t sort_by_stack_time(const struct ptpmon_item_list *list, struct ptpmon_item **sorted)
{
    size_t count = 0;
    for (struct ptpmon_item *item = list->first; item; item = item->next) {
        if (has_stack_time(item))
            sorted[count++] = item;
    }
    qsort(sorted, count, sizeof *sorted, compare_stack_times);
    return count;
}

/* Rule 1. Returns whether it found a pair. */
static bool pair_by_software_time(const struct ptpmon_pool *pool, struct ptpmon_item **scratch)
{
    struct ptpmon_item **events = scratch, **frames = scratch + pool->events.count;
    size_t event_count = sort_by_stack_time(&pool->events, events);
    size_t frame_count = event_count > 0 ? sort_by_stack_time(&pool->frames, frames) : 0;
    bool found = false;
    for (size_t i = 0, j = 0; i < event_count && j < frame_count;) {
        int64_t event_time = stack_time(events[i]), frame_time = stack_time(frames[j]);
        if (event_time == frame_time) {
            join_pair(events[i], frames[j], PTPMON_BY_SOFTWARE_TIME);
            found = true;
        }
        i += event_time <= frame_time;
        j += frame_time <= event_time;
    }
    return found;
}

static size_t count_rest(const struct ptpmon_item_list *list, struct rest *rest)
{
    size_t count = 0;
    for (const struct ptpmon_item *item = list->first; item; item = item->next) {
        if (item->partner)
            continue;
        count++;
        rest->received |= item->message.direction == AVB_DIRECTION_RX;
        rest->sent |= item->message.direction == AVB_DIRECTION_TX;
        rest->stamped |= !item->is_frame && has_stack_time(item);
    }
    return count;
}

static void refuse(const struct ptpmon_item_list *list, ptpmon_reason reason)
{
    for (struct ptpmon_item *item = list->first; item; item = item->next) {
        if (item->partner)
            continue;
        item->outcome = PTPMON_AMBIGUOUS;
        item->reason = reason;
    }
}

static enum ptpmon_coverage_at look(const struct ptpmon_pairing *pairing, const struct ptpmon_coverage *side,
                                    ptpmon_instant from, ptpmon_instant to)
{
    return ptpmon_coverage_at(side, ptpmon_instant_add(from, -pairing->edge_ns),
                              ptpmon_instant_add(to, pairing->edge_ns));
}

/* Rule 3: why has the other side nothing? `found`: rule 1 found a pair of this key. */
static void settle_alone(const struct ptpmon_pairing *pairing, struct ptpmon_item *item, bool found)
{
    static const ptpmon_reason reasons[2][4] = {
        {
            [PTPMON_COVERED] = PTPMON_NOT_CAPTURED,
            [PTPMON_COVERAGE_BEFORE] = PTPMON_BEFORE_CAPTURE,
            [PTPMON_COVERAGE_AFTER] = PTPMON_AFTER_CAPTURE,
            [PTPMON_COVERAGE_LOST] = PTPMON_CAPTURE_LOST,
        },
        {
            [PTPMON_COVERED] = PTPMON_NO_EVENT,
            [PTPMON_COVERAGE_BEFORE] = PTPMON_BEFORE_MONITOR,
            [PTPMON_COVERAGE_AFTER] = PTPMON_AFTER_MONITOR,
            [PTPMON_COVERAGE_LOST] = PTPMON_EVENT_LOST,
        },
    };
    const struct ptpmon_coverage *other_side = item->is_frame ? pairing->monitor : pairing->capture;
    enum ptpmon_coverage_at there = look(pairing, other_side, item->time, item->time);
    item->reason = reasons[item->is_frame][there];
    item->outcome = item->is_frame ? PTPMON_FRAME_WITHOUT_EVENT : PTPMON_EVENT_WITHOUT_FRAME;
    if (there == PTPMON_COVERAGE_BEFORE || there == PTPMON_COVERAGE_AFTER) {
        item->outcome = PTPMON_OUTSIDE;
    } else if (there == PTPMON_COVERED && found) {
        item->outcome = PTPMON_DUPLICATE;
        item->reason = PTPMON_SAME_KEY_MATCHED;
    }
}

static void settle_all_alone(const struct ptpmon_pairing *pairing, const struct ptpmon_item_list *list, bool found)
{
    for (struct ptpmon_item *item = list->first; item; item = item->next) {
        if (!item->partner)
            settle_alone(pairing, item, found);
    }
}

static bool is_single_pair(const struct ptpmon_pool *pool)
{
    return pool->events.count == 1 && pool->frames.count == 1;
}

/* Whether the only two of a key can be of two messages, of which each side lacks the other. */
static bool may_be_of_two(const struct ptpmon_pairing *pairing, const struct ptpmon_pool *pool, bool both_incomplete)
{
    return (both_incomplete || pool->decided_early) &&
           llabs(pool->events.first->time - pool->frames.first->time) > pairing->edge_ns;
}

/* Whether the rest of a pool, as many events as frames, may be paired in order of time. */
static bool order_holds(const struct ptpmon_pairing *pairing, const struct ptpmon_pool *pool, const struct rest *rest,
                        bool found)
{
    bool monitor_complete = look(pairing, pairing->monitor, pool->first, pool->last) == PTPMON_COVERED;
    bool capture_complete = look(pairing, pairing->capture, pool->first, pool->last) == PTPMON_COVERED;
    /* A frame is captured before its event when received and after it when sent: mixed, the order is not the same. */
    if (pool->is_remainder || (rest->received && rest->sent))
        return false;
    if (is_single_pair(pool))
        return !may_be_of_two(pairing, pool, !monitor_complete && !capture_complete);
    /* Where stamps equal capture times, a stamp that equals none belongs to a frame that is not there. */
    if (pool->decided_early || pool->has_guess || (found && rest->stamped))
        return false;
    return monitor_complete && capture_complete;
}

static struct ptpmon_item *first_unpaired(struct ptpmon_item *item)
{
    while (item && item->partner)
        item = item->next;
    return item;
}

/* Rule 2. */
static void pair_in_order(const struct ptpmon_pool *pool)
{
    ptpmon_reason reason = is_single_pair(pool) ? PTPMON_BY_KEY : PTPMON_BY_ORDER;
    struct ptpmon_item *event = first_unpaired(pool->events.first);
    struct ptpmon_item *frame = first_unpaired(pool->frames.first);
    while (event && frame) {
        join_pair(event, frame, reason);
        event = first_unpaired(event);
        frame = first_unpaired(frame);
    }
}

void ptpmon_pair(const struct ptpmon_pairing *pairing, const struct ptpmon_pool *pool)
{
    bool found = pair_by_software_time(pool, pairing->scratch);
    struct rest rest = {0};
    rest.events = count_rest(&pool->events, &rest);
    rest.frames = count_rest(&pool->frames, &rest);
    if (rest.events == 0 || rest.frames == 0) {
        settle_all_alone(pairing, &pool->events, found);
        settle_all_alone(pairing, &pool->frames, found);
    } else if (rest.events == rest.frames && order_holds(pairing, pool, &rest, found)) {
        pair_in_order(pool);
    } else {
        ptpmon_reason reason = rest.events == rest.frames ? PTPMON_ORDER_UNPROVEN : PTPMON_COUNTS_DIFFER;
        refuse(&pool->events, reason);
        refuse(&pool->frames, reason);
    }
}
