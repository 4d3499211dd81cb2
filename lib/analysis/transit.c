/* SPDX-License-Identifier: MIT */
/*
 * One event message at several observation points: how long it took between them, and by how much its corrections
 * grew.
 *
 * A message is known again by its key. Each port of an 802.1AS bridge sends Syncs of its own, by other keys; what they
 * share is the grandmaster's preciseOriginTimestamp, so they are known by that.
 *
 * What is seen of a message waits until all points must have settled it, each by its own time: one that is given its
 * messages later than the others, or does not know yet whether its clock ran through, is waited for. Then each two that
 * follow one another in time make an exchange.
 *
 * One that only a single point saw was lost, if the others could have seen it. That they could is known where the
 * sender's messages next to it in sequence came to others, too: so it does not matter when recordings begin and end,
 * and which links a point does not see.
 */
#include "analysis/engine.h"
#include "error.h"
#include "frame_key.h"

#include <stdlib.h>

#define SEEN_MAX 8  /* points at which one message is looked at */
#define SAME_MAX 64 /* messages of one key that wait */

#define PASSAGES_MAX 1024 /* of senders and points, that are remembered */

/* For so much longer a point is waited for to which nothing comes. */
#define PATIENCE_NS (30 * NS_PER_SECOND)
/* A point whose messages lie further apart has gone on after a pause. */
#define PAUSE_NS (3 * NS_PER_SECOND / 2)
/* One whose messages go back by more has another clock, or one that was set. */
#define ANEW_NS (60 * NS_PER_SECOND)

/* A message at one point. */
struct seen {
    struct ptpmon_sighting message;
    uint32_t point;
    bool has_correction;
    int64_t correction;   /* of it and its Follow_Up; of Delay_Req less that of its answer */
    bool has_rate_offset; /* 802.1AS: Follow_Up information says */
    int32_t cumulativeScaledRateOffset;
    struct ptpmon_newest_delay link[LOCAL_KINDS];
};

struct crossing {
    struct ptpmon_hash_node node;
    struct ptpmon_list queue; /* of the point by whose time it waits; or held */
    uint64_t key[3];
    int64_t window_ns;
    bool held;
    bool unsure; /* another point has messages of this key, of which it is not known which one it is */
    /* When it was first seen: the time of that point, and how far the others had settled their messages. */
    ptpmon_instant begun[POINTS_MAX];
    uint32_t count;
    struct seen seen[SEEN_MAX];
};

/* The messages of one type of a sender, as they came to one point: which of the newest came to others, too. */
struct passage {
    struct ptpmon_map_entry entry;
    bool begun;
    uint16_t newest;       /* sequenceId */
    uint64_t shared, lone; /* bit n: newest - n came to others; to this point only, and is not counted */
};

struct ptpmon_transit {
    struct ptpmon_hash_table table;
    struct ptpmon_slab slab;
    struct ptpmon_map passages;
    bool overflowed; /* something was decided before all points had told what they saw */
    struct ptpmon_list queues[POINTS_MAX];
    struct ptpmon_list held; /* till a point to which nothing comes has settled them */
    /* Of each point: when the newest message that it settled was seen, and the first one after its newest pause;
     * INSTANT_MIN: there is none. Readings of the clocks tell nothing here: they come ahead of the messages. */
    ptpmon_instant newest[POINTS_MAX], resumed[POINTS_MAX];
};

bool ptpmon_transit_open(struct ptpmon_analyzer *analyzer)
{
    struct ptpmon_transit *transit = calloc(1, sizeof *transit);
    if (!transit)
        return false;
    ptpmon_slab_init(&transit->slab, sizeof(struct crossing));
    for (unsigned i = 0; i < POINTS_MAX; i++) {
        ptpmon_list_init(&transit->queues[i]);
        transit->newest[i] = transit->resumed[i] = PTPMON_INSTANT_MIN;
    }
    ptpmon_list_init(&transit->held);
    analyzer->transit = transit;
    bool opened = ptpmon_map_open(&transit->passages, sizeof(struct passage), PASSAGES_MAX, NULL);
    if (ptpmon_slab_reserve(&transit->slab) && ptpmon_hash_table_open(&transit->table) && opened)
        return true;
    ptpmon_transit_close(analyzer);
    return false;
}

void ptpmon_transit_close(struct ptpmon_analyzer *analyzer)
{
    struct ptpmon_transit *transit = analyzer->transit;
    if (!transit)
        return;
    ptpmon_slab_close(&transit->slab);
    ptpmon_hash_table_close(&transit->table);
    ptpmon_map_close(&transit->passages);
    free(transit);
    analyzer->transit = NULL;
}

/* ---- Between two points ------------------------------------------------------------------- */

/* Its growth, and what it should have grown by: the time in between, where the message went in at one port of a
 * device and out at another; of a device that measures its links that of the link, too (IEEE 1588-2019 10.3). Which
 * point was the first is known for certain only by a common clock. */
static void compare_corrections(struct ptpmon_point *point, const struct seen *first, const struct seen *second,
                                ptpmon_exchange *exchange)
{
    uint8_t in = first->message.direction, out = second->message.direction;
    bool through = (in == AVB_DIRECTION_RX && out == AVB_DIRECTION_TX) ||
                   (in == AVB_DIRECTION_UNKNOWN && out == AVB_DIRECTION_UNKNOWN);
    if (!first->has_correction || !second->has_correction || !(exchange->known & PTPMON_KNOWS_RESIDENCE))
        return;
    int64_t growth = second->correction - first->correction;
    exchange->correction_sync = first->correction;
    exchange->correction_follow_up = second->correction;
    if (growth < 0)
        ptpmon_tally(point, PTPMON_COUNT_CORRECTION_DECREASED);
    if (!through)
        return;
    ptpmon_time expected = exchange->residence;
    const struct ptpmon_newest_delay *link = &first->link[KIND_INDEX(exchange->t[0].kind)];
    if (link->known && exchange->messageType == AVB_PTP_SYNC)
        expected = ptpmon_time_add(expected, link->delay);
    if (link->has_ratio && first->has_rate_offset) /* 802.1AS corrects by the grandmaster's clock */
        expected = ptpmon_time_scale(expected, ptpmon_gm_rate_ratio(first->cumulativeScaledRateOffset, link));
    exchange->correction_error = ptpmon_time_subtract(ptpmon_time_of_scaled(growth), expected);
    exchange->known |= PTPMON_KNOWS_CORRECTION_ERROR;
}

/* A capture that knows directions is one of a host, too; that of a tap knows none. */
static bool is_by_host(const struct ptpmon_analyzer *analyzer, const struct seen *seen)
{
    return analyzer->points[seen->point]->takes_observations || seen->message.direction != AVB_DIRECTION_UNKNOWN;
}

/* What a host stamps itself is late for what came in and early for what goes out, by more than the message may have
 * taken in between: only who asks for such stamps gets them compared. */
static ptpmon_stamp_kind common_kind(const struct ptpmon_analyzer *analyzer, const struct seen *a, const struct seen *b)
{
    unsigned kinds = a->message.stamp_kinds & b->message.stamp_kinds & analyzer->allowed_kinds;
    bool by_host = is_by_host(analyzer, a) || is_by_host(analyzer, b);
    if (by_host && analyzer->options.stamps == PTPMON_STAMP_NONE)
        kinds &= KIND_BIT(PTPMON_STAMP_HARDWARE);
    return ptpmon_best_kind(kinds);
}

static ptpmon_status tell(struct ptpmon_analyzer *analyzer, const struct seen *first, const struct seen *second)
{
    const struct ptpmon_sighting *message = &second->message;
    struct ptpmon_point *point = analyzer->points[second->point];
    ptpmon_exchange *exchange = ptpmon_analyzer_draft(analyzer);
    *exchange = (ptpmon_exchange){
        .kind = PTPMON_EXCHANGE_TRANSIT,
        .end = PTPMON_END_UNKNOWN,
        .point = second->point,
        .two_step = message->two_step,
        .domainNumber = message->domainNumber,
        .messageType = message->messageType,
        .sdoId = message->sdoId,
        .sequenceId = message->sequenceId,
        .event_time = message->event_time,
        .realtime_ns = message->realtime_ns,
        .frame_number = message->frame_number,
        .logMessageInterval = message->has_content ? message->logMessageInterval : 0x7F,
    };
    if (message->messageType == AVB_PTP_DELAY_REQ || message->messageType == AVB_PTP_PDELAY_REQ)
        exchange->requesting = message->source;
    else
        exchange->source = message->source;
    ptpmon_stamp_kind kind = common_kind(analyzer, first, second);
    exchange->t[0] = ptpmon_stamp_of(&first->message, kind);
    exchange->t[1] = ptpmon_stamp_of(message, kind);
    if (kind == PTPMON_STAMP_NONE || !analyzer->options.points_share_clock) {
        exchange->reason = PTPMON_WITHOUT_STAMP;
    } else {
        exchange->residence = ptpmon_time_of_ns(exchange->t[1].ns - exchange->t[0].ns);
        exchange->known |= PTPMON_KNOWS_RESIDENCE;
        (void)ptpmon_ran(point, kind, message->event_time, message->event_time, true, &exchange->segment);
    }
    compare_corrections(point, first, second, exchange);
    return ptpmon_analyzer_decided(point, exchange);
}

/* The kind of their stamps, where these are of one clock. */
static bool are_of_one_clock(const struct ptpmon_analyzer *analyzer, const struct seen *a, const struct seen *b,
                             ptpmon_stamp_kind *kind)
{
    *kind = common_kind(analyzer, a, b);
    return analyzer->options.points_share_clock && *kind != PTPMON_STAMP_NONE;
}

/* By one clock if there is one, else by UTC. */
static bool comes_before(const struct ptpmon_analyzer *analyzer, const struct seen *a, const struct seen *b)
{
    ptpmon_stamp_kind kind;
    if (are_of_one_clock(analyzer, a, b, &kind))
        return a->message.stamp_ns[KIND_INDEX(kind)] < b->message.stamp_ns[KIND_INDEX(kind)];
    return a->message.realtime_ns < b->message.realtime_ns;
}

/* ---- Seen at one point only --------------------------------------------------------------- */

/* The words of a key: who sent it; what it is. */
#define KEY_BY_TIME  (UINT64_C(1) << 31) /* of a Sync of 802.1AS: not by sender and sequenceId */
#define KEY_SEQUENCE (UINT64_C(0xFFFF) << 32)
#define KEY_TYPE     UINT64_C(0xFF)

/* The places of messages of which one of the three before them, or after them, is among those given. */
static uint64_t have_earlier(uint64_t messages)
{
    return messages >> 1 | messages >> 2 | messages >> 3;
}

static uint64_t have_later(uint64_t messages)
{
    return messages << 1 | messages << 2 | messages << 3;
}

static void make_newest(struct passage *passage, uint16_t sequenceId)
{
    uint16_t ahead = (uint16_t)(sequenceId - passage->newest);
    if (!passage->begun || ahead >= 64) {
        passage->shared = passage->lone = 0;
    } else {
        passage->shared <<= ahead;
        passage->lone <<= ahead;
    }
    passage->begun = true;
    passage->newest = sequenceId;
}

static void note_passage(struct ptpmon_transit *transit, const struct crossing *crossing, struct ptpmon_point *point,
                         bool shared)
{
    uint16_t sequenceId = (uint16_t)(crossing->key[1] >> 32);
    struct ptpmon_map_key key = {{crossing->key[0], crossing->key[1] & ~KEY_SEQUENCE, point->number}};
    struct passage *passage = (struct passage *)(void *)ptpmon_map_get(&transit->passages, &key);
    uint16_t late = (uint16_t)(passage->newest - sequenceId);
    if (!passage->begun || late >= 64) {
        make_newest(passage, sequenceId);
        late = 0;
    }
    *(shared ? &passage->shared : &passage->lone) |= UINT64_C(1) << late;
    passage->lone &= ~passage->shared;
    uint64_t lost = passage->lone & have_earlier(passage->shared) & have_later(passage->shared);
    passage->lone &= ~lost;
    for (; lost != 0; lost &= lost - 1)
        ptpmon_tally(point, PTPMON_COUNT_SEEN_AT_ONE_POINT);
}

/* Answers are left out: without its content, who had asked is not known, and so not which of several it is. */
static void note_passages(struct ptpmon_analyzer *analyzer, const struct crossing *crossing)
{
    struct ptpmon_transit *transit = analyzer->transit;
    bool shared = false;
    if (crossing->unsure || transit->overflowed || crossing->key[1] & KEY_BY_TIME ||
        (crossing->key[1] & KEY_TYPE) == AVB_PTP_PDELAY_RESP)
        return;
    for (uint32_t i = 1; i < crossing->count; i++)
        shared = shared || crossing->seen[i].point != crossing->seen[0].point;
    for (uint32_t i = 0; i < crossing->count; i++)
        note_passage(transit, crossing, analyzer->points[crossing->seen[i].point], shared);
}

/* ---- Decided ------------------------------------------------------------------------------ */

static ptpmon_status decide(struct ptpmon_analyzer *analyzer, struct crossing *crossing)
{
    ptpmon_status outcome = PTPMON_OK;
    const struct seen *order[SEEN_MAX];
    for (uint32_t i = 0; i < crossing->count; i++) {
        uint32_t at = i;
        for (; at > 0 && comes_before(analyzer, &crossing->seen[i], order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = &crossing->seen[i];
    }
    for (uint32_t i = 1; i < crossing->count; i++) {
        ptpmon_status status = tell(analyzer, order[i - 1], order[i]);
        if (status != PTPMON_OK)
            outcome = status;
    }
    note_passages(analyzer, crossing);
    ptpmon_hash_table_remove(&analyzer->transit->table, &crossing->node);
    ptpmon_list_remove(&crossing->queue);
    ptpmon_slab_give(&analyzer->transit->slab, crossing);
    return outcome;
}

/* ---- What it is known again by ------------------------------------------------------------ */

/* False: nothing to know it again by. */
static bool key_of(const struct ptpmon_pending *pending, const struct ptpmon_sighting *message, uint64_t key[3])
{
    bool gptp = AVB_PTP_MAJOR_SDO_ID(message->sdoId) == 1 && message->transport == AVB_TRANSPORT_ETHERNET;
    uint64_t domain = (uint64_t)message->sdoId << 16 | (uint64_t)message->domainNumber << 8 | message->messageType;
    if (gptp && message->messageType == AVB_PTP_SYNC) {
        const struct ptpmon_sighting *origin = message->two_step ? &pending->messages[PLACE_FOLLOW_UP] : message;
        int64_t ns;
        if (!origin->present || ptpmon_sighting_time(origin, &ns) != PTPMON_COMPUTED || ns == 0)
            return false;
        key[0] = (uint64_t)ns;
        key[1] = domain | KEY_BY_TIME;
        key[2] = 0;
        return true;
    }
    key[0] = ptpmon_clock_word(&message->source);
    key[1] = domain | (uint64_t)message->source.portNumber << 48 | (uint64_t)message->sequenceId << 32;
    /* Answers copy the requester's sequenceId. */
    key[2] = message->messageType == AVB_PTP_PDELAY_RESP
                 ? ptpmon_clock_word(&message->requesting) ^ message->requesting.portNumber
                 : 0;
    return true;
}

/* ---- How long it waits -------------------------------------------------------------------- */

/* The other points may be behind by one window, and know their messages one later. */
static ptpmon_instant deadline_after(const struct crossing *crossing, ptpmon_instant begun)
{
    return ptpmon_instant_add(begun, 2 * crossing->window_ns + NS_PER_SECOND);
}

static void note_time(struct ptpmon_transit *transit, const struct ptpmon_point *point, ptpmon_instant time)
{
    ptpmon_instant *newest = &transit->newest[point->number];
    bool anew = ptpmon_instant_add(time, ANEW_NS) < *newest;
    if (anew || time > ptpmon_instant_add(*newest, PAUSE_NS))
        transit->resumed[point->number] = time;
    if (anew || time > *newest)
        *newest = time;
}

static bool was_seen_at(const struct crossing *crossing, const struct ptpmon_point *point)
{
    for (uint32_t i = 0; i < crossing->count; i++)
        if (crossing->seen[i].point == point->number)
            return true;
    return false;
}

/* It can bring nothing more to the crossing: it has settled what came since, or its time began anew. */
static bool has_passed(const struct ptpmon_point *point, const struct crossing *crossing)
{
    const struct ptpmon_transit *transit = point->analyzer->transit;
    ptpmon_instant begun = crossing->begun[point->number];
    ptpmon_instant newest = transit->newest[point->number], resumed = transit->resumed[point->number];
    if (newest < begun)
        return true;
    if (resumed > begun)
        begun = resumed;
    return begun != PTPMON_INSTANT_MIN && newest >= deadline_after(crossing, begun);
}

static bool is_for(const struct ptpmon_pending *pending, const struct crossing *crossing)
{
    uint64_t key[3];
    for (unsigned place = 0; place < PLACE_FOLLOW_UP; place++)
        if (pending->messages[place].present && key_of(pending, &pending->messages[place], key) &&
            memcmp(key, crossing->key, sizeof key) == 0)
            return true;
    return false;
}

/* The point has the message, but has not settled it. */
static bool has_unsettled(const struct ptpmon_point *point, const struct crossing *crossing)
{
    const struct ptpmon_list *link;
    for (link = point->completed.next; link != &point->completed; link = link->next)
        if (is_for(PTPMON_CONTAINER_OF(link, struct ptpmon_pending, completed), crossing))
            return true;
    for (unsigned window = 0; window < WINDOWS; window++) {
        for (link = point->windows[window].next; link != &point->windows[window]; link = link->next) {
            const struct ptpmon_pending *pending = PTPMON_CONTAINER_OF(link, struct ptpmon_pending, queue);
            if (pending->state == PENDING_WAITING && is_for(pending, crossing))
                return true;
        }
    }
    return false;
}

enum wait { IS_DUE, WAITS, IS_HELD };

/* By the time of `point`. */
static enum wait wait_of(const struct ptpmon_point *point, const struct crossing *crossing)
{
    const struct ptpmon_analyzer *analyzer = point->analyzer;
    bool anew = point->now < crossing->begun[point->number];
    ptpmon_instant deadline = deadline_after(crossing, crossing->begun[point->number]);
    bool impatient = anew || point->now >= ptpmon_instant_add(deadline, PATIENCE_NS);
    enum wait wait = IS_DUE;
    if (point->now < deadline && !anew)
        return WAITS;
    for (uint32_t i = 0; i < analyzer->point_count; i++) {
        const struct ptpmon_point *other = analyzer->points[i];
        if (other == point || was_seen_at(crossing, other) || has_passed(other, crossing))
            continue;
        if (!impatient)
            return WAITS;
        if (has_unsettled(other, crossing))
            wait = IS_HELD;
    }
    return wait;
}

static struct crossing *oldest_of(const struct ptpmon_list *queue)
{
    return ptpmon_list_is_empty(queue) ? NULL : PTPMON_CONTAINER_OF(queue->next, struct crossing, queue);
}

static ptpmon_status expire_queue(const struct ptpmon_point *point)
{
    struct ptpmon_transit *transit = point->analyzer->transit;
    ptpmon_status outcome = PTPMON_OK;
    struct crossing *crossing;
    enum wait wait;
    while ((crossing = oldest_of(&transit->queues[point->number])) && (wait = wait_of(point, crossing)) != WAITS) {
        if (wait == IS_HELD) {
            ptpmon_list_remove(&crossing->queue);
            ptpmon_list_append(&transit->held, &crossing->queue);
            crossing->held = true;
            continue;
        }
        ptpmon_status status = decide(point->analyzer, crossing);
        if (status != PTPMON_OK)
            outcome = status;
    }
    return outcome;
}

static ptpmon_status decide_all(struct ptpmon_analyzer *analyzer, const struct ptpmon_list *queue)
{
    ptpmon_status outcome = PTPMON_OK;
    struct crossing *crossing;
    while ((crossing = oldest_of(queue))) {
        ptpmon_status status = decide(analyzer, crossing);
        if (status != PTPMON_OK)
            outcome = status;
    }
    return outcome;
}

ptpmon_status ptpmon_transit_expire(struct ptpmon_analyzer *analyzer, const struct ptpmon_point *point)
{
    ptpmon_status outcome = PTPMON_OK;
    if (!analyzer->transit)
        return PTPMON_OK;
    if (point)
        return expire_queue(point);
    outcome = decide_all(analyzer, &analyzer->transit->held);
    for (uint32_t i = 0; i < analyzer->point_count; i++) {
        ptpmon_status status = decide_all(analyzer, &analyzer->transit->queues[i]);
        if (status != PTPMON_OK)
            outcome = status;
    }
    return outcome;
}

/* ---- At one point ------------------------------------------------------------------------- */

static void read_rate_offset(const struct ptpmon_pending *pending, struct seen *seen)
{
    const struct ptpmon_sighting *message = &seen->message;
    const struct ptpmon_sighting *origin = message->two_step ? &pending->messages[PLACE_FOLLOW_UP] : message;
    seen->has_rate_offset =
        message->messageType == AVB_PTP_SYNC && origin->present && origin->has & PTPMON_MESSAGE_FOLLOW_UP;
    seen->cumulativeScaledRateOffset = origin->cumulativeScaledRateOffset;
}

static void read_correction(const struct ptpmon_pending *pending, struct seen *seen)
{
    const struct ptpmon_sighting *message = &seen->message;
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    seen->has_correction = message->has_content && ptpmon_correction_fits(message->correctionField);
    seen->correction = message->correctionField;
    if (message->messageType == AVB_PTP_SYNC && message->two_step) {
        seen->has_correction &=
            follow_up->present && follow_up->has_content && ptpmon_correction_fits(follow_up->correctionField);
        seen->correction += seen->has_correction ? follow_up->correctionField : 0;
    } else if (message->messageType == AVB_PTP_DELAY_REQ) {
        seen->has_correction &=
            response->present && response->has_content && ptpmon_correction_fits(response->correctionField);
        seen->correction -= seen->has_correction ? response->correctionField : 0;
    } else if (message->messageType != AVB_PTP_SYNC) {
        seen->has_correction = false;
    }
}

/* How far the message lies from what was seen of it first; 0: not known. */
static int64_t distance(const struct ptpmon_analyzer *analyzer, const struct crossing *crossing,
                        const struct seen *seen)
{
    const struct seen *there = &crossing->seen[0];
    ptpmon_stamp_kind kind;
    if (crossing->count == 0 || !are_of_one_clock(analyzer, there, seen, &kind))
        return 0;
    int64_t apart = there->message.stamp_ns[KIND_INDEX(kind)] - seen->message.stamp_ns[KIND_INDEX(kind)];
    return apart < 0 ? -apart : apart;
}

/* Has this very message of the point been looked at? Each answer to a Delay_Req brings it again. */
static bool has_it(const struct crossing *crossing, const struct seen *seen)
{
    for (uint32_t i = 0; i < crossing->count; i++)
        if (crossing->seen[i].point == seen->point && crossing->seen[i].message.time == seen->message.time)
            return true;
    return false;
}

/* The crossing that the message has taken part in, or may: sequenceIds come again after a restart, so the nearest one;
 * of several the oldest. *surplus: the oldest of this key, if there are many. */
static struct crossing *find(const struct ptpmon_point *point, const uint64_t key[3], uint64_t hash,
                             const struct seen *seen, struct crossing **surplus)
{
    struct crossing *found = NULL;
    int64_t nearest = 0;
    unsigned same = 0;
    *surplus = NULL;
    struct ptpmon_hash_node *node = ptpmon_hash_table_first(&point->analyzer->transit->table, hash);
    for (; node; node = ptpmon_hash_table_next(node)) {
        struct crossing *crossing = PTPMON_CONTAINER_OF(node, struct crossing, node);
        if (memcmp(crossing->key, key, sizeof crossing->key) != 0)
            continue;
        if (has_it(crossing, seen))
            return crossing;
        if (++same >= SAME_MAX)
            *surplus = crossing;
        int64_t apart = distance(point->analyzer, crossing, seen);
        if (was_seen_at(crossing, point) || apart > crossing->window_ns || (found && apart > nearest))
            continue;
        found = crossing;
        nearest = apart;
    }
    return found;
}

/* Crossings count as pending: a quarter of what may be. */
static ptpmon_status make_room(struct ptpmon_point *point, struct crossing *surplus)
{
    struct ptpmon_analyzer *analyzer = point->analyzer;
    struct ptpmon_transit *transit = analyzer->transit;
    bool has_room = transit->table.count <= analyzer->options.max_pending / 4 && ptpmon_slab_reserve(&transit->slab);
    if (has_room && !surplus)
        return PTPMON_OK;
    struct crossing *oldest = surplus ? surplus : oldest_of(&transit->held);
    for (uint32_t i = 0; !oldest; i++)
        oldest = oldest_of(&transit->queues[(point->number + i) % analyzer->point_count]);
    transit->overflowed = true;
    if (oldest->count < analyzer->point_count)
        ptpmon_tally(point, PTPMON_COUNT_DECIDED_EARLY);
    return decide(analyzer, oldest);
}

static void queue_up(struct ptpmon_transit *transit, struct crossing *crossing, const struct ptpmon_point *point)
{
    ptpmon_list_remove(&crossing->queue);
    ptpmon_list_append(&transit->queues[point->number], &crossing->queue);
    crossing->held = false;
}

static ptpmon_status begin(struct ptpmon_point *point, const struct ptpmon_pending *pending, const uint64_t key[3],
                           uint64_t hash, struct crossing *surplus, struct crossing **begun)
{
    struct ptpmon_transit *transit = point->analyzer->transit;
    ptpmon_status status = make_room(point, surplus);
    struct crossing *crossing = ptpmon_slab_take(&transit->slab);
    crossing->count = 0;
    crossing->unsure = false;
    memcpy(crossing->key, key, sizeof crossing->key);
    crossing->window_ns = ptpmon_window_length(point, pending->window);
    for (uint32_t i = 0; i < POINTS_MAX; i++)
        crossing->begun[i] = i == point->number ? point->now : transit->newest[i];
    ptpmon_hash_table_insert(&transit->table, &crossing->node, hash);
    ptpmon_list_init(&crossing->queue);
    queue_up(transit, crossing, point);
    *begun = crossing;
    return status;
}

static ptpmon_status meet(struct ptpmon_point *point, const struct ptpmon_pending *pending,
                          const struct ptpmon_sighting *message)
{
    struct ptpmon_transit *transit = point->analyzer->transit;
    struct seen seen = {.message = *message, .point = point->number};
    ptpmon_status status = PTPMON_OK;
    uint64_t key[3];
    if (!key_of(pending, message, key))
        return PTPMON_OK;
    memcpy(seen.link, point->link, sizeof seen.link);
    read_correction(pending, &seen);
    read_rate_offset(pending, &seen);
    uint64_t hash = ptpmon_hash_mix((key[0] * (transit->table.seed | 1) + key[1]) ^ key[2]);
    struct crossing *surplus, *crossing = find(point, key, hash, &seen, &surplus);
    if (!crossing)
        status = begin(point, pending, key, hash, surplus, &crossing);
    else if (has_it(crossing, &seen))
        return PTPMON_OK;
    if (crossing->held)
        queue_up(transit, crossing, point);
    if (pending->alike)
        crossing->unsure = true;
    else if (crossing->count == SEEN_MAX)
        ptpmon_tally(point, PTPMON_COUNT_DECIDED_EARLY);
    else
        crossing->seen[crossing->count++] = seen;
    return status;
}

ptpmon_status ptpmon_transit_settled(struct ptpmon_point *point, const struct ptpmon_pending *pending)
{
    ptpmon_status outcome = PTPMON_OK;
    if (!point->analyzer->transit)
        return PTPMON_OK;
    for (unsigned place = 0; place < PLACE_FOLLOW_UP; place++) {
        const struct ptpmon_sighting *message = &pending->messages[place];
        if (!message->present || message->messageType > AVB_PTP_PDELAY_RESP)
            continue;
        note_time(point->analyzer->transit, point, message->time);
        ptpmon_status status = meet(point, pending, message);
        if (status != PTPMON_OK)
            outcome = status;
    }
    return outcome;
}
