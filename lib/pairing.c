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
    event->reason = frame->reason = (uint8_t)reason;
}

static enum ptpmon_coverage_at look(const struct ptpmon_pairing *pairing, const struct ptpmon_coverage *side,
                                    ptpmon_instant from, ptpmon_instant to)
{
    return ptpmon_coverage_at(side, ptpmon_instant_add(from, -pairing->edge_ns),
                              ptpmon_instant_add(to, pairing->edge_ns));
}

static bool is_complete(const struct ptpmon_pairing *pairing, const struct ptpmon_coverage *side,
                        const struct ptpmon_pool *pool)
{
    return look(pairing, side, pool->first, pool->last) == PTPMON_COVERED;
}

static bool both_complete(const struct ptpmon_pairing *pairing, const struct ptpmon_pool *pool)
{
    return is_complete(pairing, pairing->monitor, pool) && is_complete(pairing, pairing->capture, pool);
}

/* The number that the network stack gave a received message. */
static int64_t stack_time(const struct ptpmon_item *item)
{
    return item->is_frame ? item->frame_time_ns : (int64_t)item->message.software_timestamp;
}

static bool has_stack_time(const struct ptpmon_item *item)
{
    if (item->message.direction == AVB_DIRECTION_TX || item->no_stack_time)
        return false;
    return item->is_frame || item->message.software_timestamp != 0;
}

/* The order of stack times; items that have none come last, in order of time. */
static bool before_on_stack(const struct ptpmon_item *a, const struct ptpmon_item *b)
{
    if (has_stack_time(a) != has_stack_time(b))
        return has_stack_time(a);
    if (!has_stack_time(a))
        return ptpmon_item_before(a, b);
    return stack_time(a) != stack_time(b) ? stack_time(a) < stack_time(b) : a->serial < b->serial;
}

static struct ptpmon_item *stamped(struct ptpmon_item *item)
{
    return item && has_stack_time(item) ? item : NULL;
}

static bool is_same_time(const struct ptpmon_item *event, const struct ptpmon_item *frame)
{
    int64_t event_time = stack_time(event), frame_time = stack_time(frame);
    uint64_t distance = event_time > frame_time ? (uint64_t)event_time - (uint64_t)frame_time
                                                : (uint64_t)frame_time - (uint64_t)event_time;
    return distance < frame->resolution_ns;
}

/* Events and frames of the same time, or linked through others of the same time as one and the other. */
struct cluster {
    struct ptpmon_item *first_event, *last_event, *first_frame, *last_frame;
    size_t events, frames;
    bool is_exact; /* the capture resolves ns: all have one time */
};

static void extend_cluster(struct cluster *cluster)
{
    struct ptpmon_item *event, *frame;
    for (;;) {
        event = stamped(cluster->last_event->next);
        frame = stamped(cluster->last_frame->next);
        if (event && is_same_time(event, cluster->last_frame)) {
            cluster->last_event = event;
            cluster->events++;
        } else if (frame && is_same_time(cluster->last_event, frame)) {
            cluster->last_frame = frame;
            cluster->frames++;
            cluster->is_exact &= frame->resolution_ns == 1;
        } else {
            return;
        }
    }
}

static struct cluster cluster_at(struct ptpmon_item *event, struct ptpmon_item *frame)
{
    struct cluster cluster = {event, event, frame, frame, 1, 1, frame->resolution_ns == 1};
    extend_cluster(&cluster);
    return cluster;
}

/* Rounding keeps the order, so where nothing is missing the first event is the first frame's. Where something is, it
 * cannot be told whose frame is there, unless nothing tells them apart anyway. */
static bool is_in_order(const struct cluster *cluster, bool complete)
{
    const struct ptpmon_item *event = cluster->first_event, *frame = cluster->first_frame;
    if (cluster->is_exact)
        return true;
    if (cluster->events != cluster->frames || (cluster->events > 1 && !complete))
        return false;
    for (size_t i = 0; i < cluster->events; i++, event = event->next, frame = frame->next) {
        if (!is_same_time(event, frame))
            return false;
    }
    return true;
}

static void pair_cluster(const struct cluster *cluster)
{
    size_t pairs = cluster->events < cluster->frames ? cluster->events : cluster->frames;
    struct ptpmon_item *event = cluster->first_event, *frame = cluster->first_frame;
    for (size_t i = 0; i < pairs; i++, event = event->next, frame = frame->next)
        join_pair(event, frame, PTPMON_BY_SOFTWARE_TIME);
}

/* Both lists are in the order of stack times. Returns whether there was a pair. */
static bool pair_same_times(const struct ptpmon_pool *pool, bool complete)
{
    struct ptpmon_item *event = stamped(pool->events.first), *frame = stamped(pool->frames.first);
    bool found = false;
    while (event && frame) {
        if (is_same_time(event, frame)) {
            struct cluster cluster = cluster_at(event, frame);
            if (is_in_order(&cluster, complete)) {
                pair_cluster(&cluster);
                found = true;
            }
            event = stamped(cluster.last_event->next);
            frame = stamped(cluster.last_frame->next);
        } else if (stack_time(event) < stack_time(frame)) {
            event = stamped(event->next);
        } else {
            frame = stamped(frame->next);
        }
    }
    return found;
}

/* Equal ns prove a pair. Times that were rounded do so only where all that may have the same time is there to be
 * compared. */
static bool stamps_prove(const struct ptpmon_pool *pool)
{
    bool rounded = false, all_stamped = true;
    for (const struct ptpmon_item *frame = pool->frames.first; frame; frame = frame->next)
        rounded |= frame->resolution_ns > 1;
    for (const struct ptpmon_item *event = pool->events.first; rounded && event; event = event->next)
        all_stamped &= has_stack_time(event);
    return !rounded || (all_stamped && !pool->decided_early);
}

/* Rule 1. Returns whether it found a pair. */
static bool pair_by_software_time(const struct ptpmon_pairing *pairing, struct ptpmon_pool *pool)
{
    if (!stamps_prove(pool))
        return false;
    ptpmon_item_list_sort(&pool->events, before_on_stack);
    ptpmon_item_list_sort(&pool->frames, before_on_stack);
    bool found = pair_same_times(pool, both_complete(pairing, pool));
    ptpmon_item_list_sort(&pool->events, ptpmon_item_before);
    ptpmon_item_list_sort(&pool->frames, ptpmon_item_before);
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
        item->reason = (uint8_t)reason;
    }
}

/* Rule 3: why has the other side nothing? `found`: rule 1 found a pair of this key. */
static void settle_alone(const struct ptpmon_pairing *pairing, struct ptpmon_item *item, bool found)
{
    static const uint8_t reasons[2][4] = {
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

/* Whether the only two of a key can be of two messages, of which each side lacks the other. */
static bool may_be_of_two(const struct ptpmon_pairing *pairing, const struct ptpmon_pool *pool)
{
    if (llabs(pool->events.first->time - pool->frames.first->time) <= pairing->edge_ns)
        return false;
    return pool->decided_early ||
           (!is_complete(pairing, pairing->monitor, pool) && !is_complete(pairing, pairing->capture, pool));
}

/* All the rules for one event and one frame, the common case. They are of one direction, or the frame's is unknown. */
static void pair_two(const struct ptpmon_pairing *pairing, struct ptpmon_pool *pool)
{
    struct ptpmon_item *event = pool->events.first, *frame = pool->frames.first;
    bool proves = frame->resolution_ns == 1 || !pool->decided_early; /* see stamps_prove() */
    if (proves && has_stack_time(event) && has_stack_time(frame) && is_same_time(event, frame)) {
        join_pair(event, frame, PTPMON_BY_SOFTWARE_TIME);
    } else if (!pool->is_remainder && !may_be_of_two(pairing, pool)) {
        join_pair(event, frame, PTPMON_BY_KEY);
    } else {
        refuse(&pool->events, PTPMON_ORDER_UNPROVEN);
        refuse(&pool->frames, PTPMON_ORDER_UNPROVEN);
    }
}

/* Whether the rest of a pool, as many events as frames, may be paired in order of time. */
static bool order_holds(const struct ptpmon_pairing *pairing, const struct ptpmon_pool *pool, const struct rest *rest,
                        bool found)
{
    /* A frame is captured before its event when received and after it when sent: mixed, the order is not the same. */
    if (pool->is_remainder || pool->decided_early || pool->has_guess || (rest->received && rest->sent))
        return false;
    /* Where stamps equal capture times, a stamp that equals none belongs to a frame that is not there. */
    if (found && rest->stamped)
        return false;
    return both_complete(pairing, pool);
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
    struct ptpmon_item *event = first_unpaired(pool->events.first);
    struct ptpmon_item *frame = first_unpaired(pool->frames.first);
    while (event && frame) {
        join_pair(event, frame, PTPMON_BY_ORDER);
        event = first_unpaired(event);
        frame = first_unpaired(frame);
    }
}

void ptpmon_pair(const struct ptpmon_pairing *pairing, struct ptpmon_pool *pool)
{
    if (pool->events.count == 1 && pool->frames.count == 1) {
        pair_two(pairing, pool);
        return;
    }
    bool found = pair_by_software_time(pairing, pool);
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
