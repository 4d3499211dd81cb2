/* SPDX-License-Identifier: MIT */
/*
 * Pdelay_Req, Pdelay_Resp and Pdelay_Resp_Follow_Up: the delay of a link.
 *
 *     meanLinkDelay = ((t4 - t1) - turnaround / r) / 2,  r: neighborRateRatio
 *
 * IEEE 1588-2019 11.4, one-step:  turnaround = CF(Resp) - CF(Req)
 *                      two-step:  turnaround = t3 - t2 + CF(Resp) + CF(Resp_Follow_Up) - CF(Req)
 * IEEE 802.1AS-2020 11.2.19:      turnaround = t3 + CF(Resp_Follow_Up) - (t2 + CF(Resp))
 *
 * A 1588 responder copies CF(Pdelay_Req) as it received it (11.4.2), and what that had already when it passed here
 * (-delayAsymmetry at the requester) is no delay from here; one of 802.1AS does not. It may also give both timestamps
 * as 0 and the whole turnaround as a correction.
 *
 * The turnaround is one by the responder's clock, and becomes one by ours with r, where that is known. 1588 has r = 1,
 * for clocks that run alike; 802.1AS gives the delay by the responder's clock, which is r times this one.
 */
#include "analysis/engine.h"

static int64_t slack_of(ptpmon_stamp_kind kind)
{
    return kind == PTPMON_STAMP_HARDWARE ? NS_PER_SECOND / 100000 : NS_PER_SECOND / 1000;
}

/* What the messages say, without any local time. */
struct turnaround {
    bool known, has_times; /* has_times: t2, t3 */
    int64_t t2_ns, t3_ns;
    ptpmon_time t2c, t3c; /* as the responder stamped them, corrected */
    ptpmon_time length;
};

static ptpmon_time moved(int64_t ns, int64_t correction)
{
    return ptpmon_time_add(ptpmon_time_of_ns(ns), ptpmon_time_of_scaled(correction));
}

static ptpmon_exchange_reason read_times(const struct ptpmon_pending *pending, struct turnaround *turnaround)
{
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    ptpmon_exchange_reason reason = ptpmon_first_reason(ptpmon_sighting_time(response, &turnaround->t2_ns),
                                                        ptpmon_sighting_time(follow_up, &turnaround->t3_ns));
    if (reason != PTPMON_COMPUTED)
        return reason;
    bool none = turnaround->t2_ns == 0 && turnaround->t3_ns == 0;
    if (none && pending->kind == PTPMON_EXCHANGE_P2P)
        return PTPMON_COMPUTED;
    if (turnaround->t2_ns == 0 || turnaround->t3_ns == 0)
        return PTPMON_TIMESTAMP_NOT_GIVEN;
    turnaround->has_times = true;
    return PTPMON_COMPUTED;
}

/* Of what the responder sent. What the request had of corrections is 0 where it was not seen. */
static ptpmon_exchange_reason read_turnaround(const struct ptpmon_pending *pending, bool two_step,
                                              struct turnaround *turnaround)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    if (!response->has_content || (two_step && !follow_up->has_content))
        return PTPMON_WITHOUT_FRAME;
    if (two_step) {
        ptpmon_exchange_reason reason = read_times(pending, turnaround);
        if (reason != PTPMON_COMPUTED)
            return reason;
    }
    int64_t asked = request->present ? request->correctionField : 0, last = two_step ? follow_up->correctionField : 0;
    if (!ptpmon_correction_fits(asked) || !ptpmon_correction_fits(response->correctionField) ||
        !ptpmon_correction_fits(last))
        return PTPMON_CORRECTION_OUT_OF_RANGE;
    if (AVB_PTP_MAJOR_SDO_ID(response->sdoId) == 2 && pending->kind == PTPMON_EXCHANGE_P2P_AS) {
        turnaround->t2c = ptpmon_time_of_ns(turnaround->t2_ns);
        turnaround->t3c = ptpmon_time_of_ns(turnaround->t3_ns);
    } else if (pending->kind == PTPMON_EXCHANGE_P2P_AS) {
        turnaround->t2c = moved(turnaround->t2_ns, response->correctionField);
        turnaround->t3c = moved(turnaround->t3_ns, last);
    } else {
        turnaround->t2c = moved(turnaround->t2_ns, -response->correctionField);
        turnaround->t3c = moved(turnaround->t3_ns, last - asked);
    }
    turnaround->length = ptpmon_time_subtract(turnaround->t3c, turnaround->t2c);
    turnaround->known = true;
    return PTPMON_COMPUTED;
}

static ptpmon_exchange_reason whats_missing(const struct ptpmon_pending *pending, bool two_step)
{
    if (pending->alike)
        return PTPMON_SEVERAL_ALIKE;
    if (!pending->messages[PLACE_FIRST].present)
        return PTPMON_WITHOUT_REQUEST;
    if (!pending->messages[PLACE_RESPONSE].present)
        return PTPMON_WITHOUT_RESPONSE;
    if (two_step && !pending->messages[PLACE_FOLLOW_UP].present)
        return PTPMON_WITHOUT_RESPONSE_FOLLOW_UP;
    return pending->several ? PTPMON_SEVERAL_RESPONDERS : PTPMON_COMPUTED;
}

static void describe(const struct ptpmon_pending *pending, bool two_step, const struct turnaround *turnaround,
                     ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    int64_t ns;
    exchange->two_step = two_step && response->present;
    if (request->present) {
        exchange->correction_request = request->correctionField;
        exchange->logMessageInterval = request->has_content ? request->logMessageInterval : 0x7F;
    }
    if (response->present) {
        exchange->correction_response = response->correctionField;
        if (two_step && ptpmon_sighting_time(response, &ns) == PTPMON_COMPUTED && ns != 0)
            exchange->t[1] = ptpmon_stamp_of_message(ns);
    }
    if (follow_up->present) {
        exchange->correction_response_follow_up = follow_up->correctionField;
        if (ptpmon_sighting_time(follow_up, &ns) == PTPMON_COMPUTED && ns != 0)
            exchange->t[2] = ptpmon_stamp_of_message(ns);
    }
    if (turnaround->known) {
        exchange->turnaround = turnaround->length;
        exchange->known |= PTPMON_KNOWS_TURNAROUND;
    }
}

/* Kind and clock of the local times; false: it must wait. */
static bool find_local_times(const struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                             ptpmon_stamp_kind *kind, bool *stepped, uint32_t *segment)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    unsigned kinds = point->analyzer->allowed_kinds;
    if (request->present)
        kinds &= request->stamp_kinds;
    if (response->present)
        kinds &= response->stamp_kinds;
    *kind = request->present || response->present ? ptpmon_best_kind(kinds) : PTPMON_STAMP_NONE;
    *stepped = false;
    if (*kind == PTPMON_STAMP_NONE)
        return true;
    uint64_t from = request->present ? request->event_time : response->event_time;
    uint64_t to = response->present ? response->event_time : from;
    enum ptpmon_local_clock_run run = ptpmon_ran(point, *kind, from, to, must, segment);
    *stepped = run == PTPMON_CLOCK_STEPPED_ON;
    return run != PTPMON_CLOCK_NOT_SURE_YET;
}

/* At the responder: what it says of its times beside our own. A one-step response was captured before its turnaround
 * was written into it. */
static void audit(const struct turnaround *turnaround, ptpmon_exchange *exchange)
{
    if (!turnaround->known || !turnaround->has_times || exchange->own[1].kind == PTPMON_STAMP_NONE ||
        exchange->own[2].kind == PTPMON_STAMP_NONE)
        return;
    exchange->receiver_error = ptpmon_time_subtract(turnaround->t2c, ptpmon_time_of_ns(exchange->own[1].ns));
    exchange->transmitter_error = ptpmon_time_subtract(turnaround->t3c, ptpmon_time_of_ns(exchange->own[2].ns));
    exchange->known |= PTPMON_KNOWS_RECEIVER_ERROR | PTPMON_KNOWS_TRANSMITTER_ERROR;
}

static void compute_delay(struct ptpmon_point *point, struct ptpmon_pair *pair, const struct ptpmon_pending *pending,
                          const struct turnaround *turnaround, ptpmon_exchange *exchange)
{
    ptpmon_stamp_kind kind = exchange->t[0].kind;
    struct ptpmon_rate *rate = &pair->rate[KIND_INDEX(kind)];
    ptpmon_time away = ptpmon_time_of_ns(exchange->t[3].ns - exchange->t[0].ns), there = turnaround->length;
    if (turnaround->has_times) {
        ptpmon_rate_add(rate, turnaround->t3c.ns, exchange->t[3].ns, exchange->sequenceId, exchange->segment,
                        slack_of(kind));
        if (ptpmon_rate_ratio(rate, &exchange->neighborRateRatio)) {
            there = ptpmon_time_scale(there, 1 / exchange->neighborRateRatio);
            exchange->known |= PTPMON_KNOWS_NEIGHBOR_RATE_RATIO;
        }
    }
    exchange->delay = ptpmon_time_half(ptpmon_time_subtract(away, there));
    exchange->known |= PTPMON_KNOWS_DELAY;
    ptpmon_pair_filter(point, pair, kind, exchange);
    pair->delays[KIND_INDEX(kind)] = (struct ptpmon_newest_delay){
        .known = true,
        .has_ratio = exchange->known & PTPMON_KNOWS_NEIGHBOR_RATE_RATIO,
        .delay = exchange->delay,
        .filtered = exchange->delay_filtered,
        .neighborRateRatio = exchange->neighborRateRatio,
        .time = pending->messages[PLACE_FIRST].time,
    };
}

/* For Syncs over this link. */
static void keep_delay(struct ptpmon_point *point, struct ptpmon_newest_delay delay, const ptpmon_exchange *exchange)
{
    unsigned kind = KIND_INDEX(exchange->t[0].kind);
    if (exchange->end == PTPMON_END_REQUESTER) {
        point->link[kind] = delay;
        return;
    }
    ptpmon_link_get(point, &exchange->source)->delays[kind] = delay;
}

static bool contradicts(struct ptpmon_pair *pair, const struct turnaround *turnaround, const ptpmon_exchange *exchange)
{
    ptpmon_stamp_kind kind = exchange->t[0].kind;
    unsigned index = KIND_INDEX(kind);
    struct ptpmon_clock_pair begin = {turnaround->t2c.ns, exchange->t[0].ns, 0};
    struct ptpmon_clock_pair end = {turnaround->t3c.ns, exchange->t[3].ns, 0};
    double twice_delay = (double)(end.local - begin.local) - ptpmon_time_to_double(turnaround->length);
    if (turnaround->has_times)
        return ptpmon_times_contradict(&pair->newest[index], &pair->newest_known[index], begin, end, twice_delay,
                                       slack_of(kind)) ||
               turnaround->length.ns <= 0; /* the very stamp of the request, or an older one, for the response */
    pair->newest_known[index] = false;
    return twice_delay < -(double)slack_of(kind);
}

static void compute(struct ptpmon_point *point, const struct ptpmon_pending *pending,
                    const struct turnaround *turnaround, ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    struct ptpmon_pair *pair = ptpmon_pair_get(point, pending->kind, response, &exchange->requesting);
    if (contradicts(pair, turnaround, exchange)) {
        exchange->reason = PTPMON_TIMES_CONTRADICT;
        return;
    }
    compute_delay(point, pair, pending, turnaround, exchange);
    keep_delay(point, pair->delays[KIND_INDEX(exchange->t[0].kind)], exchange);
}

bool ptpmon_settle_peer_delay(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                              ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    const struct ptpmon_sighting *follow_up = &pending->messages[PLACE_FOLLOW_UP];
    bool two_step = pending->kind == PTPMON_EXCHANGE_P2P_AS || (response->present && response->two_step);
    struct turnaround turnaround = {0};
    ptpmon_stamp_kind kind;
    bool stepped;
    if (!find_local_times(point, pending, must, &kind, &stepped, &exchange->segment))
        return false;
    exchange->reason = whats_missing(pending, two_step);
    /* Into a one-step response the NIC writes the turnaround when it has been captured where it was sent. */
    bool answered = response->present && (two_step ? follow_up->present : response->direction != AVB_DIRECTION_TX);
    if (answered && !pending->alike && !pending->several)
        exchange->reason = ptpmon_first_reason(exchange->reason, read_turnaround(pending, two_step, &turnaround));
    describe(pending, two_step, &turnaround, exchange);
    if (exchange->end == PTPMON_END_RESPONDER) {
        exchange->own[1] = ptpmon_stamp_of(request, kind);
        exchange->own[2] = ptpmon_stamp_of(response, kind);
        exchange->reason = ptpmon_first_reason(exchange->reason, PTPMON_AT_RESPONDER);
        if (exchange->reason == PTPMON_AT_RESPONDER && !stepped && two_step)
            audit(&turnaround, exchange);
        return true;
    }
    exchange->t[0] = ptpmon_stamp_of(request, kind);
    exchange->t[3] = ptpmon_stamp_of(response, kind);
    if (exchange->reason != PTPMON_COMPUTED)
        return true;
    if (AVB_PTP_MAJOR_SDO_ID(exchange->sdoId) == 2 && pending->kind == PTPMON_EXCHANGE_P2P_AS)
        exchange->reason = PTPMON_RULE_UNKNOWN;
    else if (exchange->end == PTPMON_END_BYSTANDER)
        exchange->reason = PTPMON_OF_ANOTHER_PORT;
    else if (kind == PTPMON_STAMP_NONE)
        exchange->reason = PTPMON_WITHOUT_STAMP;
    else if (stepped)
        exchange->reason = PTPMON_CLOCK_STEPPED;
    else if (exchange->t[3].ns < exchange->t[0].ns)
        exchange->reason = PTPMON_TIMES_CONTRADICT;
    else
        compute(point, pending, &turnaround, exchange);
    return true;
}
