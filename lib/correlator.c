/* SPDX-License-Identifier: MIT */
/*
 * The way of an item: events, and frames as soon as their event time is certain (clock_map.h), wait
 * in `upcoming`. Once both streams are complete up to some event time, the items of before it leave
 * in order of time for the group of their key; so it does not matter how the streams interleave. A
 * group whose window has passed is decided (pairing.h), and the results wait in order of time.
 */
#include "correlator.h"

#include "coverage.h"
#include "error.h"
#include "frame_key.h"
#include "hash_table.h"
#include "item.h"
#include "list.h"
#include "message.h"
#include "pairing.h"
#include "slab.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WINDOW_NS   1000000000u
#define MAX_WINDOW_NS       30000000000u
#define DEFAULT_MAX_PENDING 262144u

/* Receive queues, qdiscs and a busy CPU come between the times of a message on both sides: mostly tens of microseconds,
 * rarely milliseconds. */
#define EDGE_NS 10000000

/* What seems to be this much older than what was promised to be over is of after a step backwards of the clock; less
 * may be a caller who promises a little too much. */
#define STEP_NS 500000000

/* A key that keeps coming (a sender stuck on one sequenceId) must not hold back its results for ever: a group that has
 * lasted this many windows ends at the next pause. */
#define LONG_GROUP_WINDOWS 4

/* For how long a reading of the clocks of after that step is waited for. */
#define STEP_WAIT_NS (2 * PTPMON_CLOCK_SETTLE_NS)

/* Each has a bit of its own: RX 1, TX 2, UNKNOWN 256. */
#define DIRECTION_BIT(direction) ((direction) + 1u)

struct group {
    struct ptpmon_hash_node node;
    struct ptpmon_frame_key key;
    struct ptpmon_pool pool; /* all its items; they are shared out by direction when it is decided */
    struct ptpmon_list by_last;
    struct ptpmon_list queue; /* in groups, or while it is empty in remainders */
    unsigned directions;      /* of its items: a bit for each */
    bool is_ended;            /* it has lasted long enough, and a pause has come */
    bool is_unsorted;         /* an item came after its time had been gone through */
};

struct ptpmon_correlator {
    int64_t window_ns, edge_ns;
    uint32_t max_pending;
    bool messages;       /* items are PTPMON_ITEM_WITH_MESSAGE */
    bool no_stack_times; /* the software stamps of events are of another clock than captures have */
    struct ptpmon_clock_map clocks;
    struct ptpmon_coverage monitor, capture;
    struct ptpmon_pairing pairing;
    uint64_t serials[2]; /* of events, frames */

    struct ptpmon_slab items, group_blocks;
    struct ptpmon_item_queue unplaced;    /* frames whose event time is not certain yet, by capture time */
    struct ptpmon_item_list doubtful;     /* frames that would lie before what was promised to be over */
    struct ptpmon_item_queue upcoming[2]; /* events, frames, by event time */
    struct ptpmon_item_queue results;     /* by event time; a pair is represented by its event */
    size_t pending, undelivered;          /* items not decided; items in results */

    struct ptpmon_hash_table keys;
    struct ptpmon_list by_last;    /* groups, and remainders, by their last item */
    struct ptpmon_list groups;     /* by their first item */
    struct ptpmon_list remainders; /* groups that were decided early: what still comes of them must be known as such */
    size_t remainder_count;

    ptpmon_instant promised;  /* neither stream brings anything older */
    ptpmon_instant complete;  /* every item of before has an event time */
    ptpmon_instant grouped;   /* every item of before was given to its group, and no more will come */
    ptpmon_instant frontier;  /* items of before were given to their groups to make room, and more may come */
    ptpmon_instant forgotten; /* up to here there may have been remainders that are no longer known */
    bool finished;
    ptpmon_correlation counts;
};

/* ---- Life --------------------------------------------------------------------------------- */

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "correlator: no memory; advance and fetch results more often");
}

ptpmon_status ptpmon_correlator_open(const ptpmon_correlator_options *options, ptpmon_correlator **opened)
{
    static const ptpmon_correlator_options defaults = {0};
    if (!options)
        options = &defaults;
    if (options->window_ns > MAX_WINDOW_NS)
        return ptpmon_fail(PTPMON_INVALID, "correlator: a window of %llu ns is too long; at most %llu ns are allowed",
                           (unsigned long long)options->window_ns, (unsigned long long)MAX_WINDOW_NS);
    ptpmon_correlator *correlator = calloc(1, sizeof *correlator);
    if (!correlator)
        return no_memory();
    if (!ptpmon_hash_table_open(&correlator->keys)) {
        free(correlator);
        return no_memory();
    }
    correlator->messages = options->messages;
    ptpmon_slab_init(&correlator->items, options->messages ? PTPMON_ITEM_WITH_MESSAGE : sizeof(struct ptpmon_item));
    ptpmon_slab_init(&correlator->group_blocks, sizeof(struct group));
    correlator->window_ns = (int64_t)(options->window_ns ? options->window_ns : DEFAULT_WINDOW_NS);
    correlator->edge_ns = correlator->window_ns < EDGE_NS ? correlator->window_ns : EDGE_NS;
    correlator->max_pending = options->max_pending ? options->max_pending : DEFAULT_MAX_PENDING;
    ptpmon_coverage_init(&correlator->monitor, NULL);
    ptpmon_coverage_init(&correlator->capture, &correlator->clocks);
    correlator->pairing = (struct ptpmon_pairing){&correlator->monitor, &correlator->capture, correlator->edge_ns};
    ptpmon_list_init(&correlator->by_last);
    ptpmon_list_init(&correlator->groups);
    ptpmon_list_init(&correlator->remainders);
    correlator->promised = correlator->complete = PTPMON_INSTANT_MIN;
    correlator->grouped = correlator->frontier = correlator->forgotten = PTPMON_INSTANT_MIN;
    *opened = correlator;
    return PTPMON_OK;
}

void ptpmon_correlator_ignore_stamps(ptpmon_correlator *correlator)
{
    correlator->no_stack_times = true;
}

void ptpmon_correlator_close(ptpmon_correlator *correlator)
{
    if (!correlator)
        return;
    ptpmon_slab_close(&correlator->items);
    ptpmon_slab_close(&correlator->group_blocks);
    ptpmon_hash_table_close(&correlator->keys);
    free(correlator);
}

/* ---- Results ------------------------------------------------------------------------------ */

static uint32_t cross_check(const PTP_TIMESTAMP_EVENT *event, const PTP_TIMESTAMP_EVENT *frame)
{
    uint32_t differs = 0;
    if (memcmp(event->sourceMac, frame->sourceMac, sizeof event->sourceMac) != 0)
        differs |= PTPMON_SOURCE_MAC_DIFFERS;
    if ((event->stamp ^ frame->stamp) & AVB_STAMP_VLAN || event->vlanId != frame->vlanId)
        differs |= PTPMON_VLAN_DIFFERS;
    if (event->pcp != frame->pcp)
        differs |= PTPMON_PCP_DIFFERS;
    return differs;
}

static void count_match(ptpmon_correlation *counts, uint32_t differs)
{
    counts->matched++;
    if (differs == 0)
        return;
    counts->source_mac_differs += (differs & PTPMON_SOURCE_MAC_DIFFERS) != 0;
    counts->vlan_differs += (differs & PTPMON_VLAN_DIFFERS) != 0;
    counts->pcp_differs += (differs & PTPMON_PCP_DIFFERS) != 0;
}

static void count_result(ptpmon_correlation *counts, const struct ptpmon_item *item)
{
    switch (item->outcome) {
    case PTPMON_MATCHED:
        count_match(counts, item->cross_check);
        break;
    case PTPMON_DUPLICATE:
        ++*(item->is_frame ? &counts->duplicate_frames : &counts->duplicate_events);
        break;
    case PTPMON_AMBIGUOUS:
        ++*(item->is_frame ? &counts->ambiguous_frames : &counts->ambiguous_events);
        break;
    case PTPMON_OUTSIDE:
        ++*(item->is_frame ? &counts->outside_frames : &counts->outside_events);
        break;
    default:
        ++*(item->is_frame ? &counts->unmatched_frames : &counts->unmatched_events);
        break;
    }
    counts->by_reason[item->reason]++;
    counts->decided_early += item->decided_early;
}

static void deliver(ptpmon_correlator *correlator, struct ptpmon_item *item, bool decided_early)
{
    item->decided_early = decided_early;
    item->cross_check = item->partner ? (uint8_t)cross_check(&item->message, &item->partner->message) : 0;
    count_result(&correlator->counts, item);
    ptpmon_item_queue_push(&correlator->results, item);
}

static void deliver_pool(ptpmon_correlator *correlator, struct ptpmon_pool *pool)
{
    size_t count = pool->events.count + pool->frames.count;
    struct ptpmon_item *item;
    correlator->pending -= count;
    correlator->undelivered += count;
    while ((item = ptpmon_item_list_take(&pool->events)))
        deliver(correlator, item, pool->decided_early);
    while ((item = ptpmon_item_list_take(&pool->frames))) {
        if (!item->partner)
            deliver(correlator, item, pool->decided_early);
    }
}

/* `item` represents the result: an event and its partner, or what is alone. */
static void fill_result(ptpmon_result *result, struct ptpmon_item *item, bool messages)
{
    static const PTP_TIMESTAMP_EVENT none = {0};
    static const ptpmon_message nothing = {0};
    const struct ptpmon_item *event = item->is_frame ? NULL : item;
    struct ptpmon_item *frame = item->is_frame ? item : item->partner;
    memset(result, 0, offsetof(ptpmon_result, event));
    result->outcome = (ptpmon_outcome)item->outcome;
    result->reason = (ptpmon_reason)item->reason;
    result->has_event = event != NULL;
    result->has_frame = frame != NULL;
    result->has_message = messages && frame;
    result->decided_early = item->decided_early;
    result->cross_check = item->cross_check;
    result->event = event ? event->message : none;
    result->frame = frame ? frame->message : none;
    if (frame)
        result->frame.system_timestamp = frame->time > 0 ? (UINT64)frame->time : 0;
    result->frame_time_ns = frame ? frame->frame_time_ns : 0;
    result->frame_number = frame ? frame->frame_number : 0;
    result->message = result->has_message ? *ptpmon_item_message(frame) : nothing;
}

ptpmon_status ptpmon_correlator_next(ptpmon_correlator *correlator, ptpmon_result *result)
{
    struct ptpmon_item *item = ptpmon_item_queue_pop(&correlator->results);
    if (!item)
        return PTPMON_NOTHING;
    fill_result(result, item, correlator->messages);
    correlator->undelivered -= item->partner ? 2 : 1;
    if (item->partner)
        ptpmon_slab_give(&correlator->items, item->partner);
    ptpmon_slab_give(&correlator->items, item);
    return PTPMON_OK;
}

void ptpmon_correlator_counts(const ptpmon_correlator *correlator, ptpmon_correlation *counts)
{
    *counts = correlator->counts;
}

/* ---- Groups ------------------------------------------------------------------------------- */

static bool is_empty(const struct group *group)
{
    return group->pool.events.count == 0 && group->pool.frames.count == 0;
}

static bool window_has_passed(const ptpmon_correlator *correlator, const struct group *group)
{
    return group->pool.last < correlator->complete - correlator->window_ns;
}

static void decide_pool(ptpmon_correlator *correlator, struct ptpmon_pool *pool)
{
    ptpmon_pair(&correlator->pairing, pool);
    deliver_pool(correlator, pool);
}

/* Moves the items that were sent to another list. */
static struct ptpmon_item_list take_sent(struct ptpmon_item_list *list)
{
    struct ptpmon_item_list all = *list, sent = {0};
    struct ptpmon_item *item;
    *list = (struct ptpmon_item_list){0};
    while ((item = ptpmon_item_list_take(&all)))
        ptpmon_item_list_append(item->message.direction == AVB_DIRECTION_TX ? &sent : list, item);
    return sent;
}

static void decide(ptpmon_correlator *correlator, struct group *group)
{
    struct ptpmon_pool *pool = &group->pool;
    if (group->is_unsorted) {
        ptpmon_item_list_sort(&pool->events, ptpmon_item_before);
        ptpmon_item_list_sort(&pool->frames, ptpmon_item_before);
    }
    pool->decided_early = pool->is_remainder || !(group->is_ended || window_has_passed(correlator, group));
    if (group->directions == (DIRECTION_BIT(AVB_DIRECTION_RX) | DIRECTION_BIT(AVB_DIRECTION_TX))) {
        struct ptpmon_pool sent = *pool;
        sent.events = take_sent(&pool->events);
        sent.frames = take_sent(&pool->frames);
        decide_pool(correlator, &sent);
    }
    decide_pool(correlator, pool);
}

static void close_group(ptpmon_correlator *correlator, struct group *group)
{
    if (is_empty(group))
        correlator->remainder_count--;
    else
        decide(correlator, group);
    ptpmon_hash_table_remove(&correlator->keys, &group->node);
    ptpmon_list_remove(&group->by_last);
    ptpmon_list_remove(&group->queue);
    ptpmon_slab_give(&correlator->group_blocks, group);
}

/* A window has passed since the group was touched: what it takes to close it is fetched while others are closed. */
static void prefetch_group(const ptpmon_correlator *correlator, const struct ptpmon_list *by_last)
{
    if (by_last == &correlator->by_last)
        return;
    const struct group *group = PTPMON_CONTAINER_OF(by_last, struct group, by_last);
    if (group->pool.events.first)
        __builtin_prefetch(&group->pool.events.first->message);
    if (group->pool.frames.first)
        __builtin_prefetch(&group->pool.frames.first->message);
    __builtin_prefetch(PTPMON_CONTAINER_OF(group->by_last.next, struct group, by_last));
    __builtin_prefetch(group->by_last.next);
}

static void close_groups_that_are_due(ptpmon_correlator *correlator)
{
    while (!ptpmon_list_is_empty(&correlator->by_last)) {
        struct group *group = PTPMON_CONTAINER_OF(correlator->by_last.next, struct group, by_last);
        if (!window_has_passed(correlator, group))
            return;
        prefetch_group(correlator, group->by_last.next);
        close_group(correlator, group);
    }
}

static void forget_oldest_remainder(ptpmon_correlator *correlator)
{
    struct group *group = PTPMON_CONTAINER_OF(correlator->remainders.next, struct group, queue);
    ptpmon_instant until = ptpmon_instant_add(group->pool.last, correlator->window_ns);
    if (until > correlator->forgotten)
        correlator->forgotten = until;
    close_group(correlator, group);
}

static void decide_oldest_early(ptpmon_correlator *correlator)
{
    struct group *group = PTPMON_CONTAINER_OF(correlator->groups.next, struct group, queue);
    if (window_has_passed(correlator, group)) {
        close_group(correlator, group);
        return;
    }
    decide(correlator, group);
    group->pool.is_remainder = true;
    ptpmon_list_remove(&group->queue);
    ptpmon_list_append(&correlator->remainders, &group->queue);
    correlator->remainder_count++;
    if (correlator->remainder_count > correlator->max_pending)
        forget_oldest_remainder(correlator);
}

static struct group *find_group(const ptpmon_correlator *correlator, const struct ptpmon_frame_key *key, uint64_t hash)
{
    struct ptpmon_hash_node *node = ptpmon_hash_table_first(&correlator->keys, hash);
    for (; node; node = ptpmon_hash_table_next(node)) {
        struct group *group = PTPMON_CONTAINER_OF(node, struct group, node);
        if (ptpmon_frame_key_equal(&group->key, key))
            return group;
    }
    return NULL;
}

/* In a pause longer than the two sides see one message apart, no message lies across the cut. */
static bool ends_long_group(const ptpmon_correlator *correlator, const struct group *group, ptpmon_instant time)
{
    return time - group->pool.first > LONG_GROUP_WINDOWS * correlator->window_ns &&
           time - group->pool.last > correlator->edge_ns;
}

static bool is_within_window(const ptpmon_correlator *correlator, const struct group *group, ptpmon_instant time)
{
    return group->pool.first - time <= correlator->window_ns && time - group->pool.last <= correlator->window_ns;
}

/* A block for it was reserved. */
static struct group *new_group(ptpmon_correlator *correlator, const struct ptpmon_frame_key *key, uint64_t hash,
                               ptpmon_instant time)
{
    struct group *group = ptpmon_slab_take(&correlator->group_blocks);
    group->key = *key;
    group->pool = (struct ptpmon_pool){.first = time, .last = time, .is_remainder = time <= correlator->forgotten};
    group->directions = 0;
    group->is_ended = group->is_unsorted = false;
    ptpmon_hash_table_insert(&correlator->keys, &group->node, hash);
    ptpmon_list_append(&correlator->by_last, &group->by_last);
    ptpmon_list_append(&correlator->groups, &group->queue);
    return group;
}

static void add_to_group(struct group *group, struct ptpmon_item *item)
{
    struct ptpmon_pool *pool = &group->pool;
    ptpmon_item_list_append(item->is_frame ? &pool->frames : &pool->events, item);
    group->directions |= DIRECTION_BIT(item->message.direction);
    pool->has_guess |= item->is_guess;
    if (item->time < pool->first)
        pool->first = item->time;
    if (item->time > pool->last)
        pool->last = item->time;
}

static void revive(ptpmon_correlator *correlator, struct group *remainder)
{
    ptpmon_list_remove(&remainder->queue);
    ptpmon_list_append(&correlator->groups, &remainder->queue);
    correlator->remainder_count--;
}

static void move_to_end(struct ptpmon_list *list, struct ptpmon_list *link)
{
    ptpmon_list_remove(link);
    ptpmon_list_append(list, link);
}

/* An item that comes too late for its group. */
static void decide_late(ptpmon_correlator *correlator, struct ptpmon_item *item)
{
    struct group alone = {.pool = {.first = item->time, .last = item->time, .is_remainder = true}};
    add_to_group(&alone, item);
    decide(correlator, &alone);
}

static void join_group(ptpmon_correlator *correlator, struct group *group, struct ptpmon_item *item)
{
    if (is_empty(group))
        revive(correlator, group);
    if (item->time < correlator->frontier)
        group->is_unsorted = true;
    if (item->time >= group->pool.last)
        move_to_end(&correlator->by_last, &group->by_last);
    add_to_group(group, item);
}

/* Gives the item to the group of its key. */
static void group_item(ptpmon_correlator *correlator, struct ptpmon_item *item)
{
    struct ptpmon_frame_key key = ptpmon_frame_key_of(&item->message);
    uint64_t hash = ptpmon_frame_key_hash(&key, correlator->keys.seed);
    struct group *group = find_group(correlator, &key, hash);
    bool ends = group && !group->pool.is_remainder && ends_long_group(correlator, group, item->time);
    if (group && !ends && is_within_window(correlator, group, item->time)) {
        join_group(correlator, group, item);
        return;
    }
    if (group ? item->time < group->pool.first : item->time < correlator->grouped) {
        decide_late(correlator, item);
        return;
    }
    bool cut = group && !ends && !window_has_passed(correlator, group);
    if (group) {
        group->is_ended = ends;
        close_group(correlator, group);
    }
    group = new_group(correlator, &key, hash, item->time);
    group->pool.is_remainder |= cut;
    add_to_group(group, item);
}

/* The item that comes first of both sides; NULL: there is none. */
static struct ptpmon_item *next_upcoming(const ptpmon_correlator *correlator)
{
    struct ptpmon_item *event = ptpmon_item_queue_top(&correlator->upcoming[0]);
    struct ptpmon_item *frame = ptpmon_item_queue_top(&correlator->upcoming[1]);
    return frame && (!event || ptpmon_item_before(frame, event)) ? frame : event;
}

/* Gives the items of before `until` to their groups, in order of time. */
static ptpmon_status group_items(ptpmon_correlator *correlator, ptpmon_instant until)
{
    for (;;) {
        struct ptpmon_item *next = next_upcoming(correlator);
        if (!next || next->time >= until)
            break;
        if (!ptpmon_slab_reserve(&correlator->group_blocks))
            return no_memory();
        ptpmon_item_queue_take(&correlator->upcoming[next->is_frame], next);
        group_item(correlator, next);
    }
    if (until > correlator->frontier)
        correlator->frontier = until;
    return PTPMON_OK;
}

/* ---- Placing frames in event time --------------------------------------------------------- */

static ptpmon_instant earliest_plausible(ptpmon_instant promised)
{
    return ptpmon_instant_add(promised, -STEP_NS);
}

/* A frame that seems to have been captured after a step waits for a reading of after it. `by_force`: neither it nor a
 * frame that is followed by no reading yet can wait any longer. */
static void place(ptpmon_correlator *correlator, struct ptpmon_item *frame, bool by_force)
{
    ptpmon_instant capture_time = ptpmon_instant_clamp(frame->frame_time_ns);
    ptpmon_instant earliest = by_force ? PTPMON_INSTANT_MIN : earliest_plausible(frame->promised);
    frame->is_guess = by_force;
    if (!ptpmon_clock_map_find(&correlator->clocks, capture_time, earliest, &frame->time)) {
        ptpmon_item_list_append(&correlator->doubtful, frame);
        return;
    }
    frame->partner = NULL;
    ptpmon_item_queue_push(&correlator->upcoming[1], frame);
}

static void place_until(ptpmon_correlator *correlator, ptpmon_instant capture_time, bool by_force)
{
    struct ptpmon_item *frame;
    while ((frame = ptpmon_item_queue_top(&correlator->unplaced)) && frame->time < capture_time)
        place(correlator, ptpmon_item_queue_pop(&correlator->unplaced), by_force);
}

static void place_doubtful(ptpmon_correlator *correlator)
{
    struct ptpmon_item_list frames = correlator->doubtful;
    struct ptpmon_item *frame;
    correlator->doubtful = (struct ptpmon_item_list){0};
    while ((frame = ptpmon_item_list_take(&frames)))
        place(correlator, frame, false);
}

/* Gives up on the doubtful frames that came when no more than `promised` had been promised. */
static void place_forlorn(ptpmon_correlator *correlator, ptpmon_instant promised)
{
    struct ptpmon_item_list *frames = &correlator->doubtful;
    while (frames->first && frames->first->promised <= promised)
        place(correlator, ptpmon_item_list_take(frames), true);
}

static void take_clocks(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *record)
{
    PTP_CLOCKS_RECORD clocks;
    memcpy(&clocks, record, sizeof clocks);
    if (!ptpmon_clock_map_add(&correlator->clocks, &clocks))
        return;
    ptpmon_coverage_settle(&correlator->capture);
    place_until(correlator, ptpmon_clock_map_passed(&correlator->clocks), false);
    place_doubtful(correlator);
}

/* Places the frames for which no reading will come any more that could move them. */
static void place_settled(ptpmon_correlator *correlator)
{
    const struct ptpmon_clock_reading *newest = ptpmon_clock_map_newest(&correlator->clocks);
    if (!newest)
        return;
    ptpmon_instant settled = ptpmon_instant_add(correlator->promised, -PTPMON_CLOCK_SETTLE_NS);
    place_until(correlator, ptpmon_instant_add(settled, newest->realtime - newest->system + 1), false);
    place_forlorn(correlator, ptpmon_instant_add(correlator->promised, -STEP_WAIT_NS));
}

/* ---- Taking items ------------------------------------------------------------------------- */

static ptpmon_status make_room(ptpmon_correlator *correlator)
{
    if (!ptpmon_list_is_empty(&correlator->groups)) {
        decide_oldest_early(correlator);
        return PTPMON_OK;
    }
    place_until(correlator, INT64_MAX, true);
    place_forlorn(correlator, INT64_MAX);
    const struct ptpmon_item *oldest = next_upcoming(correlator);
    return group_items(correlator, ptpmon_instant_add(oldest->time, correlator->window_ns + 1));
}

__attribute__((noinline)) static ptpmon_status make_room_for_item(ptpmon_correlator *correlator)
{
    if (correlator->undelivered >= correlator->max_pending)
        return ptpmon_fail(PTPMON_INVALID,
                           "correlator: results of %zu items wait; fetch them with ptpmon_correlator_next first",
                           correlator->undelivered);
    while (correlator->pending >= correlator->max_pending) {
        ptpmon_status status = make_room(correlator);
        if (status != PTPMON_OK)
            return status;
    }
    return PTPMON_OK;
}

static inline ptpmon_status prepare_for_item(ptpmon_correlator *correlator)
{
    bool has_room = correlator->undelivered < correlator->max_pending && correlator->pending < correlator->max_pending;
    return has_room ? PTPMON_OK : make_room_for_item(correlator);
}

/* The item's message is set. */
static inline void begin_item(ptpmon_correlator *correlator, struct ptpmon_item *item, bool is_frame)
{
    item->serial = correlator->serials[is_frame]++ << 1 | is_frame;
    item->partner = NULL;
    item->is_frame = is_frame;
    item->is_guess = false;
    item->no_stack_time = !is_frame && correlator->no_stack_times;
    correlator->pending++;
}

static ptpmon_status take_event(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *event)
{
    ptpmon_status status = prepare_for_item(correlator);
    if (status != PTPMON_OK)
        return status;
    if (!ptpmon_slab_reserve(&correlator->items))
        return no_memory();
    struct ptpmon_item *item = ptpmon_slab_take(&correlator->items);
    item->message = *event;
    begin_item(correlator, item, false);
    item->time = ptpmon_instant_from_unsigned(event->system_timestamp);
    ptpmon_item_queue_push(&correlator->upcoming[0], item);
    correlator->counts.events++;
    return PTPMON_OK;
}

static void take_loss(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *record)
{
    PTP_LOSS_RECORD loss;
    memcpy(&loss, record, sizeof loss);
    bool is_counted = loss.frames_dropped + loss.stamps_dropped > 0;
    if (loss.frames_dropped > 0 || !is_counted)
        ptpmon_coverage_lost(&correlator->monitor, ptpmon_instant_from_unsigned(loss.since),
                             ptpmon_instant_from_unsigned(loss.system_timestamp), PTPMON_INSTANT_MIN);
}

static ptpmon_status refuse_if_finished(const ptpmon_correlator *correlator)
{
    return correlator->finished ? ptpmon_fail(PTPMON_INVALID, "correlator: finished; open another for more")
                                : PTPMON_OK;
}

ptpmon_status ptpmon_correlator_event(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *event)
{
    ptpmon_status status = refuse_if_finished(correlator);
    if (status != PTPMON_OK)
        return status;
    switch (event->direction) {
    case AVB_DIRECTION_RX:
    case AVB_DIRECTION_TX:
        return event->stamp & AVB_STAMP_LATE ? PTPMON_OK : take_event(correlator, event);
    case AVB_DIRECTION_CLOCKS:
        take_clocks(correlator, event);
        return PTPMON_OK;
    case AVB_DIRECTION_LOSS:
        take_loss(correlator, event);
        return PTPMON_OK;
    default:
        return PTPMON_OK;
    }
}

/* The item holds the frame's message already. */
static void take_frame(ptpmon_correlator *correlator, const ptpmon_frame *frame, struct ptpmon_item *item)
{
    begin_item(correlator, item, true);
    item->frame_time_ns = frame->time_ns;
    item->frame_number = frame->number;
    item->resolution_ns = frame->resolution_ns ? frame->resolution_ns : 1;
    item->promised = correlator->promised;
    item->time = ptpmon_instant_clamp(frame->time_ns);
    if (item->time < ptpmon_clock_map_passed(&correlator->clocks))
        place(correlator, item, false);
    else
        ptpmon_item_queue_push(&correlator->unplaced, item);
    correlator->counts.frames++;
}

/* Whatever the frame is, it is read into a block for an item: its bytes need not be moved from there. */
static ptpmon_status read_frame(ptpmon_correlator *correlator, const ptpmon_frame *frame)
{
    if (!ptpmon_slab_reserve(&correlator->items))
        return no_memory();
    struct ptpmon_item *item = ptpmon_slab_take(&correlator->items);
    ptpmon_message *message = correlator->messages ? ptpmon_item_message(item) : NULL;
    enum avb_frame_kind kind = ptpmon_message_read(frame, &item->message, message);
    ptpmon_status status = kind == AVB_FRAME_PTP ? prepare_for_item(correlator) : PTPMON_OK;
    if (kind == AVB_FRAME_PTP && status == PTPMON_OK)
        take_frame(correlator, frame, item);
    else
        ptpmon_slab_give(&correlator->items, item);
    if (status == PTPMON_OK)
        correlator->counts.frames_by_kind[kind]++;
    return status;
}

ptpmon_status ptpmon_correlator_frame(ptpmon_correlator *correlator, const ptpmon_frame *frame)
{
    ptpmon_status status = refuse_if_finished(correlator);
    if (status != PTPMON_OK)
        return status;
    if (!ptpmon_clock_map_newest(&correlator->clocks))
        return ptpmon_fail(PTPMON_INVALID, "correlator: a frame before the first CLOCKS record; feed events first");
    return read_frame(correlator, frame);
}

void ptpmon_correlator_monitor_ran(ptpmon_correlator *correlator, uint64_t from, uint64_t to)
{
    ptpmon_coverage_ran(&correlator->monitor, ptpmon_instant_from_unsigned(from), ptpmon_instant_from_unsigned(to));
}

void ptpmon_correlator_capture_ran(ptpmon_correlator *correlator, int64_t from, int64_t to)
{
    ptpmon_coverage_ran(&correlator->capture, ptpmon_instant_clamp(from), ptpmon_instant_clamp(to));
}

ptpmon_status ptpmon_correlator_capture_lost(ptpmon_correlator *correlator, int64_t from, int64_t to)
{
    ptpmon_status status = refuse_if_finished(correlator);
    if (status == PTPMON_OK)
        ptpmon_coverage_lost(&correlator->capture, ptpmon_instant_clamp(from), ptpmon_instant_clamp(to),
                             earliest_plausible(correlator->promised));
    return status;
}

/* ---- Progress ----------------------------------------------------------------------------- */

/* Every frame of before the newest reading is placed, and every one that is old enough to do without one. */
static ptpmon_instant complete_until(const ptpmon_correlator *correlator)
{
    const struct ptpmon_clock_reading *newest = ptpmon_clock_map_newest(&correlator->clocks);
    if (!newest || newest->system >= correlator->promised)
        return correlator->promised;
    ptpmon_instant settled = ptpmon_instant_add(correlator->promised, -PTPMON_CLOCK_SETTLE_NS);
    return newest->system > settled ? newest->system : settled;
}

static void forget_the_past(ptpmon_correlator *correlator)
{
    ptpmon_instant oldest = correlator->complete;
    if (!ptpmon_list_is_empty(&correlator->groups)) {
        const struct group *group = PTPMON_CONTAINER_OF(correlator->groups.next, struct group, queue);
        if (group->pool.first < oldest)
            oldest = group->pool.first;
    }
    oldest = ptpmon_instant_add(oldest, -correlator->edge_ns);
    ptpmon_coverage_forget(&correlator->monitor, oldest);
    ptpmon_coverage_forget(&correlator->capture, oldest);
    ptpmon_clock_map_forget(&correlator->clocks, ptpmon_instant_add(correlator->promised, -PTPMON_CLOCK_SETTLE_NS));
}

/* Decides what is complete. */
static ptpmon_status progress(ptpmon_correlator *correlator, ptpmon_instant complete)
{
    if (complete > correlator->complete)
        correlator->complete = complete;
    ptpmon_status status = group_items(correlator, correlator->complete);
    if (status == PTPMON_OK) {
        correlator->grouped = correlator->complete;
        close_groups_that_are_due(correlator);
    }
    return status;
}

ptpmon_status ptpmon_correlator_advance(ptpmon_correlator *correlator, uint64_t event_time)
{
    ptpmon_status status = refuse_if_finished(correlator);
    if (status != PTPMON_OK)
        return status;
    ptpmon_instant promised = ptpmon_instant_from_unsigned(event_time);
    if (promised > correlator->promised)
        correlator->promised = promised;
    place_settled(correlator);
    status = progress(correlator, complete_until(correlator));
    if (status == PTPMON_OK)
        forget_the_past(correlator);
    return status;
}

ptpmon_status ptpmon_correlator_finish(ptpmon_correlator *correlator)
{
    place_until(correlator, INT64_MAX, false);
    place_forlorn(correlator, INT64_MAX);
    ptpmon_status status = progress(correlator, INT64_MAX);
    correlator->finished = status == PTPMON_OK;
    return status;
}
