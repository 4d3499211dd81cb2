/* SPDX-License-Identifier: MIT */
/* Exchanges that are complete wait here, in order, until all is known that they are computed with. */
#include "analysis/engine.h"

/* A second port may answer a Pdelay_Req so much later than the first. */
#define LATE_RESPONDER_NS (100 * NS_PER_SECOND / 1000)

/* IEEE 802.1AS-2020 B.2.3 */
#define LATEST_TURNAROUND_NS (10 * NS_PER_SECOND / 1000)
/* What granularity of stamps makes of a short link. */
#define LEAST_DELAY_NS (-80)

/* ---- The local clock ---------------------------------------------------------------------- */

/* Captures are stamped by the system's clock, as software stamps are. */
enum ptpmon_local_clock_run ptpmon_clock_ran(const struct ptpmon_point *point, ptpmon_stamp_kind kind, uint64_t from,
                                             uint64_t to, bool must, uint32_t *segment)
{
    const struct ptpmon_local_clock *clock = point->clocks[kind == PTPMON_STAMP_HARDWARE ? 0 : 1];
    enum ptpmon_local_clock_run run = from <= to ? ptpmon_local_clock_ran(clock, from, to, segment)
                                                 : ptpmon_local_clock_ran(clock, to, from, segment);
    return run == PTPMON_CLOCK_NOT_SURE_YET && must ? PTPMON_CLOCK_STEPPED_ON : run;
}

/* ---- In order ----------------------------------------------------------------------------- */

void ptpmon_complete(struct ptpmon_point *point, struct ptpmon_pending *pending)
{
    pending->state = PENDING_COMPLETE;
    pending->completed_at = point->now;
    ptpmon_list_append(&point->completed, &pending->completed);
    if (pending->kind == PTPMON_EXCHANGE_SYNC) {
        ptpmon_list_remove(&pending->undecided);
        ptpmon_sync_completed(point, pending);
    }
}

static const struct ptpmon_sighting *earliest_of(const struct ptpmon_pending *pending)
{
    const struct ptpmon_sighting *earliest = NULL;
    for (unsigned place = 0; place < PLACES; place++) {
        const struct ptpmon_sighting *message = &pending->messages[place];
        if (message->present && (!earliest || message->time < earliest->time))
            earliest = message;
    }
    return earliest;
}

/* Its first event message, or what else there is. */
static const struct ptpmon_sighting *first_of(const struct ptpmon_pending *pending)
{
    for (unsigned place = 0; place < PLACES; place++)
        if (pending->messages[place].present)
            return &pending->messages[place];
    return NULL;
}

/* Where we stand, by the ways that request and answer went. */
static ptpmon_end end_of(const struct ptpmon_pending *pending)
{
    const struct ptpmon_sighting *first = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *answer = &pending->messages[PLACE_RESPONSE];
    if (pending->kind == PTPMON_EXCHANGE_SYNC || !first->present) {
        uint8_t direction = first_of(pending)->direction;
        return direction == AVB_DIRECTION_RX   ? PTPMON_END_REQUESTER
               : direction == AVB_DIRECTION_TX ? PTPMON_END_RESPONDER
                                               : PTPMON_END_UNKNOWN;
    }
    if (first->direction == AVB_DIRECTION_TX)
        return PTPMON_END_REQUESTER;
    if (first->direction != AVB_DIRECTION_RX)
        return PTPMON_END_UNKNOWN;
    return answer->present && answer->direction == AVB_DIRECTION_TX ? PTPMON_END_RESPONDER : PTPMON_END_BYSTANDER;
}

static void describe(const struct ptpmon_point *point, const struct ptpmon_pending *pending, ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *first = first_of(pending), *earliest = earliest_of(pending);
    const struct ptpmon_sighting *answer = &pending->messages[PLACE_RESPONSE];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    memset(exchange, 0, sizeof *exchange);
    exchange->kind = pending->kind;
    exchange->end = end_of(pending);
    exchange->point = point->number;
    exchange->domainNumber = first->domainNumber;
    exchange->messageType = first->messageType;
    exchange->sdoId = first->sdoId;
    exchange->sequenceId = first->sequenceId;
    exchange->event_time = first->event_time;
    exchange->realtime_ns = first->realtime_ns;
    exchange->frame_number = earliest->frame_number;
    exchange->logMessageInterval = 0x7F;
    if (pending->kind == PTPMON_EXCHANGE_SYNC) {
        exchange->source = first->source;
        exchange->two_step = follow_up->present || first->two_step;
        return;
    }
    if (pending->messages[PLACE_FIRST].present)
        exchange->requesting = pending->messages[PLACE_FIRST].source;
    else if (first->has & PTPMON_MESSAGE_REQUESTING)
        exchange->requesting = first->requesting;
    if (answer->present || follow_up->present)
        exchange->source = answer->present ? answer->source : follow_up->source;
    exchange->two_step =
        pending->kind != PTPMON_EXCHANGE_E2E && (follow_up->present || (answer->present && answer->two_step));
}

/* What is odd about a result, without being wrong. */
static void tally_values(struct ptpmon_point *point, const ptpmon_exchange *exchange)
{
    int64_t turnaround_ns = exchange->turnaround.ns;
    if (exchange->known & PTPMON_KNOWS_TURNAROUND && turnaround_ns < 0)
        ptpmon_tally(point, PTPMON_COUNT_NEGATIVE_TURNAROUND);
    if (exchange->kind == PTPMON_EXCHANGE_P2P_AS && exchange->known & PTPMON_KNOWS_TURNAROUND &&
        turnaround_ns >= LATEST_TURNAROUND_NS)
        ptpmon_tally(point, PTPMON_COUNT_LATE_TURNAROUND);
    if (exchange->kind != PTPMON_EXCHANGE_SYNC && exchange->known & PTPMON_KNOWS_DELAY &&
        exchange->delay.ns < LEAST_DELAY_NS)
        ptpmon_tally(point, PTPMON_COUNT_NEGATIVE_DELAY);
    if (exchange->reason == PTPMON_TIMESTAMP_NOT_GIVEN)
        ptpmon_tally(point, PTPMON_COUNT_TIMESTAMP_NOT_GIVEN);
}

/* OK, NO_MEMORY; NOTHING: it must wait. */
static ptpmon_status settle_one(struct ptpmon_point *point, struct ptpmon_pending *pending, bool must)
{
    static const ptpmon_settle_function functions[] = {
        [PTPMON_EXCHANGE_SYNC] = ptpmon_settle_sync,
        [PTPMON_EXCHANGE_E2E] = ptpmon_settle_e2e,
        [PTPMON_EXCHANGE_P2P] = ptpmon_settle_peer_delay,
        [PTPMON_EXCHANGE_P2P_AS] = ptpmon_settle_peer_delay,
    };
    bool peer_delay = pending->kind == PTPMON_EXCHANGE_P2P || pending->kind == PTPMON_EXCHANGE_P2P_AS;
    if (!must && peer_delay && !pending->expired && point->now - pending->completed_at < LATE_RESPONDER_NS)
        return PTPMON_NOTHING;
    ptpmon_exchange *exchange = ptpmon_analyzer_draft(point->analyzer);
    describe(point, pending, exchange);
    if (!functions[pending->kind](point, pending, must, exchange))
        return PTPMON_NOTHING;
    tally_values(point, exchange);
    ptpmon_list_remove(&pending->completed);
    pending->state = PENDING_SETTLED;
    ptpmon_status status = ptpmon_analyzer_decided(point, exchange);
    ptpmon_status crossed = point->analyzer->transit ? ptpmon_transit_settled(point, pending) : PTPMON_OK;
    return status != PTPMON_OK ? status : crossed;
}

ptpmon_status ptpmon_settle(struct ptpmon_point *point, struct ptpmon_pending *until)
{
    ptpmon_status outcome = PTPMON_OK;
    while (!ptpmon_list_is_empty(&point->completed)) {
        struct ptpmon_pending *pending = PTPMON_CONTAINER_OF(point->completed.next, struct ptpmon_pending, completed);
        ptpmon_status status = settle_one(point, pending, until != NULL || point->analyzer->finished);
        if (status == PTPMON_NOTHING)
            break;
        if (status != PTPMON_OK)
            outcome = status;
        if (pending == until)
            until = NULL;
        if (pending->expired)
            ptpmon_pending_free(point, pending);
    }
    return outcome;
}
