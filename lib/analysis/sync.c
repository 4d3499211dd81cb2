/* SPDX-License-Identifier: MIT */
/*
 * Sync, with its Follow_Up: how far the local clock is ahead of the master's.
 *
 *     t1c = originTimestamp + CF(Sync), or preciseOriginTimestamp + CF(Sync) + CF(Follow_Up)
 *     masterToSlave = t2 - t1c
 *     offsetFromMaster = masterToSlave - delay
 *
 * IEEE 1588-2019 11.2 and 11.3; IEEE 802.1AS-2020 10.2.13, where the delay, which is one by the local clock, is scaled
 * by the grandmaster's rate. A delayAsymmetry that a node was configured with is not on the wire with Sync, and is not
 * applied.
 */
#include "analysis/engine.h"

/* Of a Sync that is this much younger than the newest delay no offset is told. */
#define OLDEST_DELAY_NS (60 * NS_PER_SECOND)

/* How far two clocks seem to go apart between Syncs for want of good stamps, before one was stepped. */
static int64_t slack_of(ptpmon_stamp_kind kind)
{
    return kind == PTPMON_STAMP_HARDWARE ? NS_PER_SECOND / 1000 : 20 * NS_PER_SECOND / 1000;
}

static ptpmon_exchange_reason find_origin(const struct ptpmon_pending *pending, struct ptpmon_origin *origin)
{
    const struct ptpmon_sighting *sync = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    if (pending->alike)
        return PTPMON_SEVERAL_ALIKE;
    if (!sync->present)
        return PTPMON_WITHOUT_SYNC;
    if (sync->two_step && !follow_up->present)
        return PTPMON_WITHOUT_FOLLOW_UP;
    const struct ptpmon_sighting *teller = sync->two_step ? follow_up : sync;
    if (!sync->has_content || !teller->has_content)
        return PTPMON_WITHOUT_FRAME;
    ptpmon_exchange_reason reason = ptpmon_sighting_time(teller, &origin->t1_ns);
    if (reason != PTPMON_COMPUTED)
        return reason;
    if (!ptpmon_correction_fits(sync->correctionField) || !ptpmon_correction_fits(teller->correctionField))
        return PTPMON_CORRECTION_OUT_OF_RANGE;
    int64_t correction = sync->correctionField + (sync->two_step ? follow_up->correctionField : 0);
    origin->t1c = ptpmon_time_add(ptpmon_time_of_ns(origin->t1_ns), ptpmon_time_of_scaled(correction));
    return PTPMON_COMPUTED;
}

static void keep_sync(struct ptpmon_port *port, const struct ptpmon_pending *pending, int64_t window_ns)
{
    const struct ptpmon_sighting *sync = &pending->messages[PLACE_FIRST];
    struct ptpmon_used_sync *kept = &port->syncs[port->sync_next];
    *kept = (struct ptpmon_used_sync){
        .time = sync->time,
        .window_ns = window_ns,
        .t1_ns = pending->origin.t1_ns,
        .t1c = pending->origin.t1c,
        .correction_sync = sync->correctionField,
        .correction_follow_up = sync->two_step ? pending->messages[PLACE_FOLLOW_UP].correctionField : 0,
        .event_time = sync->event_time,
        .frame_number = sync->frame_number,
        .sequenceId = sync->sequenceId,
        .stamp_kinds = sync->stamp_kinds,
        .two_step = sync->two_step,
    };
    memcpy(kept->stamp_ns, sync->stamp_ns, sizeof kept->stamp_ns);
    port->sync_next = (port->sync_next + 1u) % SYNCS_KEPT;
    if (port->sync_count < SYNCS_KEPT)
        port->sync_count++;
}

/* A grandmaster that begins a new time base says so: IEEE 802.1AS-2020 10.6.2.2.9. */
static void follow_time_base(struct ptpmon_point *point, struct ptpmon_port *port,
                             const struct ptpmon_sighting *follow_up)
{
    if (!(follow_up->has & PTPMON_MESSAGE_FOLLOW_UP))
        return;
    bool changed = port->has_time_base && port->gmTimeBaseIndicator != follow_up->gmTimeBaseIndicator;
    port->has_time_base = true;
    port->gmTimeBaseIndicator = follow_up->gmTimeBaseIndicator;
    if (!changed)
        return;
    ptpmon_finding finding = {
        .kind = PTPMON_FOUND_GM_TIME_BASE,
        .point = point->number,
        .domainNumber = follow_up->domainNumber,
        .sdoId = follow_up->sdoId,
        .source = follow_up->source,
        .event_time = follow_up->event_time,
        .realtime_ns = follow_up->realtime_ns,
    };
    ptpmon_analyzer_found(point->analyzer, &finding);
}

void ptpmon_sync_completed(struct ptpmon_point *point, struct ptpmon_pending *pending)
{
    const struct ptpmon_sighting *sync = &pending->messages[PLACE_FIRST];
    ptpmon_exchange_reason reason = find_origin(pending, &pending->origin);
    pending->origin.reason = reason;
    if (!sync->present)
        return;
    struct ptpmon_port *port = ptpmon_port_find(point, sync->sdoId, sync->domainNumber, &sync->source);
    if (!port)
        return;
    if (reason == PTPMON_COMPUTED) {
        keep_sync(port, pending, ptpmon_window_length(point, pending->window));
        follow_time_base(point, port, sync->two_step ? &pending->messages[PLACE_FOLLOW_UP] : sync);
    } else if (reason == PTPMON_WITHOUT_FOLLOW_UP) {
        port->lost_follow_up = true;
        port->lost_follow_up_at = sync->time;
    }
}

/* The delay that this Sync had, if any is known that is not too old. */
static const struct ptpmon_newest_delay *delay_of(struct ptpmon_point *point, const struct ptpmon_sighting *sync,
                                                  const struct ptpmon_port *port, ptpmon_stamp_kind kind)
{
    const struct ptpmon_newest_delay *candidates[2] = {NULL}, *newest = NULL;
    bool gptp = AVB_PTP_MAJOR_SDO_ID(sync->sdoId) == 1 && sync->transport == AVB_TRANSPORT_ETHERNET;
    if (port && !gptp)
        candidates[0] = &port->delays[KIND_INDEX(kind)];
    if (sync->direction == AVB_DIRECTION_RX) {
        candidates[1] = &point->link[KIND_INDEX(kind)];
    } else {
        const struct ptpmon_pair *link = ptpmon_link_find(point, &sync->source);
        candidates[1] = link ? &link->delays[KIND_INDEX(kind)] : NULL;
    }
    for (unsigned i = 0; i < 2; i++)
        if (candidates[i] && candidates[i]->known && sync->time - candidates[i]->time <= OLDEST_DELAY_NS &&
            (!newest || candidates[i]->time > newest->time))
            newest = candidates[i];
    return newest;
}

static double rate_ratio(const struct ptpmon_sighting *origin, const struct ptpmon_newest_delay *delay,
                         ptpmon_exchange *exchange)
{
    if (delay->has_ratio) {
        exchange->known |= PTPMON_KNOWS_NEIGHBOR_RATE_RATIO;
        exchange->neighborRateRatio = delay->neighborRateRatio;
    }
    if (!delay->has_ratio || !(origin->has & PTPMON_MESSAGE_FOLLOW_UP))
        return 1;
    exchange->known |= PTPMON_KNOWS_RATE_RATIO;
    exchange->rateRatio = ptpmon_gm_rate_ratio(origin->cumulativeScaledRateOffset, delay);
    return exchange->rateRatio;
}

static void compute_offset(const struct ptpmon_newest_delay *delay, const struct ptpmon_sighting *sync,
                           const struct ptpmon_sighting *origin, ptpmon_exchange *exchange)
{
    double ratio = rate_ratio(origin, delay, exchange);
    exchange->delay = delay->delay;
    exchange->delay_filtered = delay->filtered;
    exchange->offsetFromMaster = ptpmon_time_subtract(exchange->masterToSlave, ptpmon_time_scale(delay->delay, ratio));
    exchange->offset_filtered =
        ptpmon_time_subtract(exchange->masterToSlave, ptpmon_time_scale(delay->filtered, ratio));
    exchange->delay_age_ns = sync->time > delay->time ? (uint64_t)(sync->time - delay->time) : 0;
    exchange->known |=
        PTPMON_KNOWS_DELAY | PTPMON_KNOWS_DELAY_FILTERED | PTPMON_KNOWS_OFFSET | PTPMON_KNOWS_OFFSET_FILTERED;
}

/* The Sync as it left here. Of a one-step one the NIC wrote the time after it was captured. */
static void audit(const struct ptpmon_sighting *sync, ptpmon_stamp_kind kind, ptpmon_time t1c,
                  ptpmon_exchange *exchange)
{
    exchange->own[0] = ptpmon_stamp_of(sync, kind);
    if (kind == PTPMON_STAMP_NONE || !sync->two_step)
        return;
    exchange->transmitter_error = ptpmon_time_subtract(t1c, ptpmon_time_of_ns(exchange->own[0].ns));
    exchange->known |= PTPMON_KNOWS_TRANSMITTER_ERROR;
}

bool ptpmon_settle_sync(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                        ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *sync = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    const struct ptpmon_sighting *origin = sync->present && !sync->two_step ? sync : follow_up;
    ptpmon_time t1c = pending->origin.t1c;
    int64_t t1_ns;
    exchange->reason = pending->origin.reason;
    if (sync->present && sync->has_content) {
        exchange->correction_sync = sync->correctionField;
        exchange->logMessageInterval = sync->logMessageInterval;
    }
    if (follow_up->present)
        exchange->correction_follow_up = follow_up->correctionField;
    /* Into a one-step Sync the NIC writes the time when it has been captured where it was sent. */
    bool is_told = origin != sync || sync->direction != AVB_DIRECTION_TX;
    if (origin->present && is_told && ptpmon_sighting_time(origin, &t1_ns) == PTPMON_COMPUTED)
        exchange->t[0] = ptpmon_stamp_of_message(t1_ns);
    if (!sync->present)
        return true;
    ptpmon_stamp_kind kind = ptpmon_best_kind(sync->stamp_kinds & point->analyzer->allowed_kinds);
    enum ptpmon_local_clock_run run = PTPMON_CLOCK_RAN;
    if (kind != PTPMON_STAMP_NONE)
        run = ptpmon_ran(point, kind, sync->event_time, sync->event_time, must, &exchange->segment);
    if (run == PTPMON_CLOCK_NOT_SURE_YET)
        return false;
    bool stepped = run == PTPMON_CLOCK_STEPPED_ON;
    if (exchange->end == PTPMON_END_RESPONDER) {
        exchange->reason = ptpmon_first_reason(exchange->reason, PTPMON_AT_RESPONDER);
        exchange->own[0] = ptpmon_stamp_of(sync, kind);
        if (exchange->reason == PTPMON_AT_RESPONDER && !stepped)
            audit(sync, kind, t1c, exchange);
        return true;
    }
    exchange->t[1] = ptpmon_stamp_of(sync, kind);
    if (exchange->reason != PTPMON_COMPUTED)
        return true;
    if (kind == PTPMON_STAMP_NONE || stepped) {
        exchange->reason = stepped ? PTPMON_CLOCK_STEPPED : PTPMON_WITHOUT_STAMP;
        return true;
    }
    exchange->masterToSlave = ptpmon_time_subtract(ptpmon_time_of_ns(exchange->t[1].ns), t1c);
    exchange->known |= PTPMON_KNOWS_MASTER_TO_SLAVE;
    struct ptpmon_port *port = ptpmon_port_find(point, sync->sdoId, sync->domainNumber, &sync->source);
    if (port)
        ptpmon_rate_add(&port->rate[KIND_INDEX(kind)], t1c.ns, exchange->t[1].ns, sync->sequenceId, exchange->segment,
                        slack_of(kind));
    const struct ptpmon_newest_delay *delay = delay_of(point, sync, port, kind);
    if (delay)
        compute_offset(delay, sync, origin, exchange);
    else
        exchange->reason = PTPMON_WITHOUT_DELAY;
    return true;
}
