/* SPDX-License-Identifier: MIT */
/*
 * The way of an item: events, and frames as soon as their event time is certain (clock_map.h), wait
 * in `upcoming`. Once both streams are complete up to some event time, the items of before it leave
 * in order of time for the group of their key; so it does not matter how the streams interleave. A
 * group whose window has passed is decided (pairing.h), and the results wait in order of time.
 */
#include <ptpmon.h>

#include "coverage.h"
#include "error.h"
#include "frame.h"
#include "frame_key.h"
#include "hash_table.h"
#include "item.h"
#include "list.h"
#include "pairing.h"

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

struct group {
    struct ptpmon_hash_node node;
    struct ptpmon_list by_last;
    struct ptpmon_list queue; /* in groups, or while it is empty in remainders */
    struct ptpmon_frame_key key;
    ptpmon_instant first, last;
    struct ptpmon_item_list events, frames;
    bool has_unknown;  /* a frame of unknown direction */
    bool is_remainder; /* some of it was decided before */
    bool is_ended;     /* it has lasted long enough, and a pause has come */
    bool is_unsorted;  /* an item came after its time had been gone through */
    bool has_guess;    /* a frame's event time is a guess, so the order of its frames is */
};

struct ptpmon_correlator {
    int64_t window_ns, edge_ns;
    uint32_t max_pending;
    struct ptpmon_clock_map clocks;
    struct ptpmon_coverage monitor, capture;
    uint64_t serials[2]; /* of events, frames */

    struct ptpmon_item_heap unplaced; /* frames whose event time is not certain yet, by capture time */
    struct ptpmon_item_list doubtful; /* frames that would lie before what was promised to be over */
    struct ptpmon_item_heap upcoming; /* by event time */
    struct ptpmon_item_heap results;  /* by event time; a pair is represented by its event */
    struct ptpmon_item **scratch;
    size_t capacity;             /* items that each heap and scratch have room for */
    size_t pending, undelivered; /* items not decided; items in results */

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
    correlator->window_ns = (int64_t)(options->window_ns ? options->window_ns : DEFAULT_WINDOW_NS);
    correlator->edge_ns = correlator->window_ns < EDGE_NS ? correlator->window_ns : EDGE_NS;
    correlator->max_pending = options->max_pending ? options->max_pending : DEFAULT_MAX_PENDING;
    ptpmon_coverage_init(&correlator->monitor, NULL);
    ptpmon_coverage_init(&correlator->capture, &correlator->clocks);
    ptpmon_list_init(&correlator->by_last);
    ptpmon_list_init(&correlator->groups);
    ptpmon_list_init(&correlator->remainders);
    correlator->promised = correlator->complete = PTPMON_INSTANT_MIN;
    correlator->grouped = correlator->frontier = correlator->forgotten = PTPMON_INSTANT_MIN;
    *opened = correlator;
    return PTPMON_OK;
}

static void free_list(struct ptpmon_item_list *list)
{
    struct ptpmon_item *item;
    while ((item = ptpmon_item_list_take(list)))
        free(item);
}

static void free_heap(struct ptpmon_item_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        free(heap->items[i]->partner);
        free(heap->items[i]);
    }
    free(heap->items);
}

void ptpmon_correlator_close(ptpmon_correlator *correlator)
{
    if (!correlator)
        return;
    while (!ptpmon_list_is_empty(&correlator->by_last)) {
        struct group *group = PTPMON_CONTAINER_OF(correlator->by_last.next, struct group, by_last);
        ptpmon_list_remove(&group->by_last);
        free_list(&group->events);
        free_list(&group->frames);
        free(group);
    }
    free_list(&correlator->doubtful);
    free_heap(&correlator->unplaced);
    free_heap(&correlator->upcoming);
    free_heap(&correlator->results);
    free(correlator->scratch);
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

static void count_match(ptpmon_correlation *counts, const struct ptpmon_item *event)
{
    uint32_t differs = cross_check(&event->message, &event->partner->message);
    counts->matched++;
    counts->source_mac_differs += (differs & PTPMON_SOURCE_MAC_DIFFERS) != 0;
    counts->vlan_differs += (differs & PTPMON_VLAN_DIFFERS) != 0;
    counts->pcp_differs += (differs & PTPMON_PCP_DIFFERS) != 0;
}

static void count_result(ptpmon_correlation *counts, const struct ptpmon_item *item)
{
    switch (item->outcome) {
    case PTPMON_MATCHED:
        count_match(counts, item);
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

static void deliver_pool(ptpmon_correlator *correlator, struct ptpmon_pool *pool)
{
    struct ptpmon_item_list *lists[] = {&pool->events, &pool->frames};
    for (size_t i = 0; i < 2; i++) {
        struct ptpmon_item *item;
        while ((item = ptpmon_item_list_take(lists[i]))) {
            correlator->pending--;
            correlator->undelivered++;
            item->decided_early = pool->decided_early;
            if (item->is_frame && item->partner)
                continue;
            count_result(&correlator->counts, item);
            ptpmon_item_heap_push(&correlator->results, item);
        }
    }
}

static PTP_TIMESTAMP_EVENT placed_message(const struct ptpmon_item *frame)
{
    PTP_TIMESTAMP_EVENT message = frame->message;
    message.system_timestamp = frame->time > 0 ? (UINT64)frame->time : 0;
    return message;
}

ptpmon_status ptpmon_correlator_next(ptpmon_correlator *correlator, ptpmon_result *result)
{
    struct ptpmon_item *item = ptpmon_item_heap_pop(&correlator->results);
    if (!item)
        return PTPMON_NOTHING;
    struct ptpmon_item *frame = item->is_frame ? item : item->partner;
    *result = (ptpmon_result){
        .outcome = item->outcome,
        .reason = item->reason,
        .has_event = !item->is_frame,
        .has_frame = frame != NULL,
        .decided_early = item->decided_early,
    };
    if (result->has_event)
        result->event = item->message;
    if (frame) {
        result->frame = placed_message(frame);
        result->frame_time_ns = frame->frame_time_ns;
        result->frame_number = frame->frame_number;
    }
    if (item->partner)
        result->cross_check = cross_check(&item->message, &frame->message);
    correlator->undelivered -= item->partner ? 2 : 1;
    free(item->partner);
    free(item);
    return PTPMON_OK;
}

void ptpmon_correlator_counts(const ptpmon_correlator *correlator, ptpmon_correlation *counts)
{
    *counts = correlator->counts;
}

/* ---- Groups ------------------------------------------------------------------------------- */

static bool is_empty(const struct group *group)
{
    return group->events.count == 0 && group->frames.count == 0;
}

static bool window_has_passed(const ptpmon_correlator *correlator, const struct group *group)
{
    return ptpmon_instant_add(group->last, correlator->window_ns) < correlator->complete;
}

/* Moves the items of a list to the pools they belong to: one for each direction, or one for all. */
static void share_out(struct ptpmon_item_list *list, bool one_pool, struct ptpmon_pool pools[2], bool frames)
{
    struct ptpmon_item *item;
    while ((item = ptpmon_item_list_take(list))) {
        struct ptpmon_pool *pool = &pools[!one_pool && item->message.direction == AVB_DIRECTION_TX];
        ptpmon_item_list_append(frames ? &pool->frames : &pool->events, item);
    }
}

static void decide(ptpmon_correlator *correlator, struct group *group)
{
    struct ptpmon_pairing pairing = {
        .monitor = &correlator->monitor,
        .capture = &correlator->capture,
        .edge_ns = correlator->edge_ns,
        .scratch = correlator->scratch,
    };
    if (group->is_unsorted) {
        ptpmon_item_list_sort(&group->events, correlator->scratch);
        ptpmon_item_list_sort(&group->frames, correlator->scratch);
    }
    struct ptpmon_pool pools[2] = {{.first = group->first, .last = group->last}};
    pools[0].is_remainder = group->is_remainder;
    pools[0].has_guess = group->has_guess;
    pools[0].decided_early = group->is_remainder || !(group->is_ended || window_has_passed(correlator, group));
    pools[1] = pools[0];
    share_out(&group->events, group->has_unknown, pools, false);
    share_out(&group->frames, group->has_unknown, pools, true);
    for (size_t i = 0; i < 2; i++) {
        ptpmon_pair(&pairing, &pools[i]);
        deliver_pool(correlator, &pools[i]);
    }
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
    free(group);
}

static void close_groups_that_are_due(ptpmon_correlator *correlator)
{
    while (!ptpmon_list_is_empty(&correlator->by_last)) {
        struct group *group = PTPMON_CONTAINER_OF(correlator->by_last.next, struct group, by_last);
        if (!window_has_passed(correlator, group))
            return;
        close_group(correlator, group);
    }
}

static void forget_oldest_remainder(ptpmon_correlator *correlator)
{
    struct group *group = PTPMON_CONTAINER_OF(correlator->remainders.next, struct group, queue);
    ptpmon_instant until = ptpmon_instant_add(group->last, correlator->window_ns);
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
    group->is_remainder = true;
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
    return time > ptpmon_instant_add(group->first, LONG_GROUP_WINDOWS * correlator->window_ns) &&
           time > ptpmon_instant_add(group->last, correlator->edge_ns);
}

static bool is_within_window(const ptpmon_correlator *correlator, const struct group *group, ptpmon_instant time)
{
    return time >= ptpmon_instant_add(group->first, -correlator->window_ns) &&
           time <= ptpmon_instant_add(group->last, correlator->window_ns);
}

static struct group *new_group(ptpmon_correlator *correlator, const struct ptpmon_frame_key *key, uint64_t hash,
                               ptpmon_instant time)
{
    struct group *group = calloc(1, sizeof *group);
    if (!group)
        return NULL;
    group->key = *key;
    group->first = group->last = time;
    group->is_remainder = time <= correlator->forgotten;
    ptpmon_hash_table_insert(&correlator->keys, &group->node, hash);
    ptpmon_list_append(&correlator->by_last, &group->by_last);
    ptpmon_list_append(&correlator->groups, &group->queue);
    return group;
}

static void add_to_group(struct group *group, struct ptpmon_item *item)
{
    ptpmon_item_list_append(item->is_frame ? &group->frames : &group->events, item);
    group->has_unknown |= item->message.direction == AVB_DIRECTION_UNKNOWN;
    group->has_guess |= item->is_guess;
    if (item->time < group->first)
        group->first = item->time;
    if (item->time > group->last)
        group->last = item->time;
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
    struct group alone = {.first = item->time, .last = item->time, .is_remainder = true};
    add_to_group(&alone, item);
    decide(correlator, &alone);
}

static void join_group(ptpmon_correlator *correlator, struct group *group, struct ptpmon_item *item)
{
    if (is_empty(group))
        revive(correlator, group);
    if (item->time < correlator->frontier)
        group->is_unsorted = true;
    if (item->time >= group->last)
        move_to_end(&correlator->by_last, &group->by_last);
    add_to_group(group, item);
}

/* Gives the item to the group of its key. NO_MEMORY: it was not given. */
static ptpmon_status group_item(ptpmon_correlator *correlator, struct ptpmon_item *item)
{
    struct ptpmon_frame_key key = ptpmon_frame_key_of(&item->message);
    uint64_t hash = ptpmon_frame_key_hash(&key, correlator->keys.seed);
    struct group *group = find_group(correlator, &key, hash);
    bool ends = group && !group->is_remainder && ends_long_group(correlator, group, item->time);
    if (group && !ends && is_within_window(correlator, group, item->time)) {
        join_group(correlator, group, item);
        return PTPMON_OK;
    }
    if (group ? item->time < group->first : item->time < correlator->grouped) {
        decide_late(correlator, item);
        return PTPMON_OK;
    }
    bool cut = group && !ends && !window_has_passed(correlator, group);
    if (group) {
        group->is_ended = ends;
        close_group(correlator, group);
    }
    group = new_group(correlator, &key, hash, item->time);
    if (!group)
        return no_memory();
    group->is_remainder |= cut;
    add_to_group(group, item);
    return PTPMON_OK;
}

/* Gives the items of before `until` to their groups, in order of time. */
static ptpmon_status group_items(ptpmon_correlator *correlator, ptpmon_instant until)
{
    struct ptpmon_item *item;
    while ((item = ptpmon_item_heap_top(&correlator->upcoming)) && item->time < until) {
        ptpmon_item_heap_pop(&correlator->upcoming);
        ptpmon_status status = group_item(correlator, item);
        if (status != PTPMON_OK) {
            ptpmon_item_heap_push(&correlator->upcoming, item);
            return status;
        }
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
    if (ptpmon_clock_map_find(&correlator->clocks, capture_time, earliest, &frame->time))
        ptpmon_item_heap_push(&correlator->upcoming, frame);
    else
        ptpmon_item_list_append(&correlator->doubtful, frame);
}

static void place_until(ptpmon_correlator *correlator, ptpmon_instant capture_time, bool by_force)
{
    struct ptpmon_item *frame;
    while ((frame = ptpmon_item_heap_top(&correlator->unplaced)) && frame->time < capture_time)
        place(correlator, ptpmon_item_heap_pop(&correlator->unplaced), by_force);
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
    const struct ptpmon_item *oldest = ptpmon_item_heap_top(&correlator->upcoming);
    return group_items(correlator, ptpmon_instant_add(oldest->time, correlator->window_ns + 1));
}

static bool grow_array(struct ptpmon_item ***array, size_t capacity)
{
    struct ptpmon_item **grown = realloc(*array, capacity * sizeof *grown);
    if (!grown)
        return false;
    *array = grown;
    return true;
}

/* Makes room for one more item everywhere, so that nothing but a new group can fail later. */
static bool reserve(ptpmon_correlator *correlator)
{
    if (correlator->pending + correlator->undelivered < correlator->capacity)
        return true;
    size_t capacity = correlator->capacity ? correlator->capacity * 2 : 1024;
    if (!grow_array(&correlator->unplaced.items, capacity) || !grow_array(&correlator->upcoming.items, capacity) ||
        !grow_array(&correlator->results.items, capacity) || !grow_array(&correlator->scratch, capacity))
        return false;
    correlator->capacity = capacity;
    return true;
}

static ptpmon_status prepare_for_item(ptpmon_correlator *correlator)
{
    if (correlator->undelivered >= correlator->max_pending)
        return ptpmon_fail(PTPMON_INVALID, "correlator: %zu results wait; fetch them with ptpmon_correlator_next first",
                           correlator->results.count);
    while (correlator->pending >= correlator->max_pending) {
        ptpmon_status status = make_room(correlator);
        if (status != PTPMON_OK)
            return status;
    }
    return reserve(correlator) ? PTPMON_OK : no_memory();
}

static struct ptpmon_item *new_item(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *message, bool is_frame)
{
    struct ptpmon_item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->message = *message;
    item->is_frame = is_frame;
    item->serial = correlator->serials[is_frame]++ << 1 | is_frame;
    correlator->pending++;
    return item;
}

static ptpmon_status take_event(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *event)
{
    ptpmon_status status = prepare_for_item(correlator);
    if (status != PTPMON_OK)
        return status;
    struct ptpmon_item *item = new_item(correlator, event, false);
    if (!item)
        return no_memory();
    item->time = ptpmon_instant_from_unsigned(event->system_timestamp);
    ptpmon_item_heap_push(&correlator->upcoming, item);
    correlator->counts.events++;
    return PTPMON_OK;
}

static void take_loss(ptpmon_correlator *correlator, const PTP_TIMESTAMP_EVENT *record)
{
    PTP_LOSS_RECORD loss;
    memcpy(&loss, record, sizeof loss);
    if (loss.frames_dropped > 0)
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

static enum avb_frame_kind parse(const ptpmon_frame *frame, PTP_TIMESTAMP_EVENT *message)
{
    struct avb_fragment whole = {frame->bytes, frame->captured_length};
    *message = (PTP_TIMESTAMP_EVENT){.queueId = AVB_QUEUE_UNKNOWN};
    message->direction = frame->direction <= AVB_DIRECTION_TX ? frame->direction : AVB_DIRECTION_UNKNOWN;
    return avb_frame_parse(&whole, 1, frame->length, 0, message);
}

static ptpmon_status take_frame(ptpmon_correlator *correlator, const ptpmon_frame *frame,
                                const PTP_TIMESTAMP_EVENT *message)
{
    ptpmon_status status = prepare_for_item(correlator);
    if (status != PTPMON_OK)
        return status;
    struct ptpmon_item *item = new_item(correlator, message, true);
    if (!item)
        return no_memory();
    item->frame_time_ns = frame->time_ns;
    item->frame_number = frame->number;
    item->promised = correlator->promised;
    item->time = ptpmon_instant_clamp(frame->time_ns);
    if (item->time < ptpmon_clock_map_passed(&correlator->clocks))
        place(correlator, item, false);
    else
        ptpmon_item_heap_push(&correlator->unplaced, item);
    correlator->counts.frames++;
    return PTPMON_OK;
}

ptpmon_status ptpmon_correlator_frame(ptpmon_correlator *correlator, const ptpmon_frame *frame)
{
    ptpmon_status status = refuse_if_finished(correlator);
    if (status != PTPMON_OK)
        return status;
    if (!ptpmon_clock_map_newest(&correlator->clocks))
        return ptpmon_fail(PTPMON_INVALID, "correlator: a frame before the first CLOCKS record; feed events first");
    PTP_TIMESTAMP_EVENT message;
    enum avb_frame_kind kind = parse(frame, &message);
    if (kind == AVB_FRAME_PTP)
        status = take_frame(correlator, frame, &message);
    if (status == PTPMON_OK)
        correlator->counts.frames_by_kind[kind]++;
    return status;
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
        if (group->first < oldest)
            oldest = group->first;
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
