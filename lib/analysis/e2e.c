/* SPDX-License-Identifier: MIT */
/*
 * Delay_Req and Delay_Resp, with the newest Sync of the same master before them. IEEE 1588-2019 11.3.
 *
 *     masterToSlave = t2 - t1c
 *     slaveToMaster = t4c - t3,  t4c = receiveTimestamp - (CF(Delay_Resp) - CF(Delay_Req))
 *     meanPathDelay = ((t2 - t3) * r + (t4c - t1c)) / 2,  r: master's clock over ours
 *     offsetFromMaster = masterToSlave - meanPathDelay
 *
 * A master copies CF(Delay_Req) as it received it into Delay_Resp (11.3.2): what it had already when it passed here
 * (-delayAsymmetry at the requester, residence times before us) is no delay from here, and is taken off again.
 *
 * The formula of the standard has r = 1, for clocks that run alike. Of those that do not, t3 - t2, which may be a
 * second, would be off by its part of the difference; so r is taken from the Syncs, where it is known. The result is
 * one by the master's clock. It is the mean of masterToSlave and slaveToMaster where r is not known or 1.
 */
#include "analysis/engine.h"

/* So far the two ways may seem to go apart between two exchanges by what queues do to them. */
static int64_t slack_of(ptpmon_stamp_kind kind)
{
    return (kind == PTPMON_STAMP_HARDWARE ? 5 : 20) * (NS_PER_SECOND / 1000);
}

/* The newest Sync before the request, within its window. */
static const struct ptpmon_used_sync *sync_before(const struct ptpmon_port *port, const struct ptpmon_sighting *request)
{
    const struct ptpmon_used_sync *newest = NULL;
    for (unsigned i = 0; i < port->sync_count; i++) {
        const struct ptpmon_used_sync *sync = &port->syncs[i];
        bool before = sync->time <= request->time && request->time - sync->time <= sync->window_ns;
        if (before && (!newest || sync->time > newest->time))
            newest = sync;
    }
    return newest;
}

/* A Sync before the request, newer than the one that is known, whose Follow_Up may still come. */
static bool may_be_newer(const struct ptpmon_port *port, const struct ptpmon_used_sync *known,
                         const struct ptpmon_sighting *request)
{
    for (const struct ptpmon_list *link = port->undecided.next; link != &port->undecided; link = link->next) {
        const struct ptpmon_pending *pending = PTPMON_CONTAINER_OF(link, struct ptpmon_pending, undecided);
        ptpmon_instant time = pending->messages[PLACE_FIRST].time;
        if (time <= request->time && (!known || time > known->time))
            return true;
    }
    return false;
}

static ptpmon_exchange_reason answer_of(const struct ptpmon_pending *pending, int64_t *t4_ns, ptpmon_time *t4c)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    if (pending->alike)
        return PTPMON_SEVERAL_ALIKE;
    if (!request->present)
        return PTPMON_WITHOUT_REQUEST;
    if (!response->present)
        return PTPMON_WITHOUT_RESPONSE;
    if (!request->has_content || !response->has_content)
        return PTPMON_WITHOUT_FRAME;
    ptpmon_exchange_reason reason = ptpmon_sighting_time(response, t4_ns);
    if (reason != PTPMON_COMPUTED)
        return reason;
    if (!ptpmon_correction_fits(request->correctionField) || !ptpmon_correction_fits(response->correctionField))
        return PTPMON_CORRECTION_OUT_OF_RANGE;
    *t4c = ptpmon_time_subtract(ptpmon_time_of_ns(*t4_ns),
                                ptpmon_time_of_scaled(response->correctionField - request->correctionField));
    return PTPMON_COMPUTED;
}

static void describe(const struct ptpmon_pending *pending, ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    const struct ptpmon_sighting *response = &pending->messages[PLACE_RESPONSE];
    int64_t t4_ns;
    if (request->present)
        exchange->correction_request = request->correctionField;
    if (!response->present)
        return;
    exchange->correction_response = response->correctionField;
    if (response->has_content)
        exchange->logMessageInterval = response->logMessageInterval;
    if (ptpmon_sighting_time(response, &t4_ns) == PTPMON_COMPUTED)
        exchange->t[3] = ptpmon_stamp_of_message(t4_ns);
}

/* At the master: the request as it came in here, beside what the answer says of it. */
static bool audit(struct ptpmon_point *point, const struct ptpmon_pending *pending, ptpmon_time t4c, bool must,
                  ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    ptpmon_stamp_kind kind = ptpmon_best_kind(request->stamp_kinds & point->analyzer->allowed_kinds);
    bool whole = exchange->reason == PTPMON_COMPUTED;
    exchange->own[3] = ptpmon_stamp_of(request, kind);
    exchange->reason = ptpmon_first_reason(exchange->reason, PTPMON_AT_RESPONDER);
    if (kind == PTPMON_STAMP_NONE)
        return true;
    enum ptpmon_local_clock_run run =
        ptpmon_ran(point, kind, request->event_time, request->event_time, must, &exchange->segment);
    if (run == PTPMON_CLOCK_RAN && whole) {
        exchange->receiver_error = ptpmon_time_subtract(t4c, ptpmon_time_of_ns(exchange->own[3].ns));
        exchange->known |= PTPMON_KNOWS_RECEIVER_ERROR;
    }
    return run != PTPMON_CLOCK_NOT_SURE_YET;
}

static void take_sync(const struct ptpmon_used_sync *sync, const struct ptpmon_sighting *request,
                      ptpmon_exchange *exchange)
{
    exchange->t[0] = ptpmon_stamp_of_message(sync->t1_ns);
    exchange->correction_sync = sync->correction_sync;
    exchange->correction_follow_up = sync->correction_follow_up;
    exchange->syncSequenceId = sync->sequenceId;
    exchange->two_step = sync->two_step;
    exchange->delay_age_ns = (uint64_t)(request->time - sync->time);
}

static ptpmon_exchange_reason without_sync(const struct ptpmon_port *port, const struct ptpmon_sighting *request)
{
    bool lost = port && port->lost_follow_up && port->lost_follow_up_at <= request->time &&
                request->time - port->lost_follow_up_at <= 30 * NS_PER_SECOND;
    return lost ? PTPMON_WITHOUT_FOLLOW_UP : PTPMON_WITHOUT_SYNC;
}

/* Known of both ways now: the delay, and what follows. */
static void compute_delay(struct ptpmon_port *port, struct ptpmon_pair *pair, struct ptpmon_point *point,
                          const struct ptpmon_sighting *request, ptpmon_exchange *exchange)
{
    ptpmon_stamp_kind kind = exchange->t[2].kind;
    ptpmon_time sum = ptpmon_time_add(exchange->masterToSlave, exchange->slaveToMaster);
    if (ptpmon_rate_ratio(&port->rate[KIND_INDEX(kind)], &exchange->rateRatio)) {
        double back = (double)(exchange->t[1].ns - exchange->t[2].ns) * (exchange->rateRatio - 1);
        sum = ptpmon_time_add(sum, ptpmon_time_of_double(back));
        exchange->known |= PTPMON_KNOWS_RATE_RATIO;
    }
    exchange->delay = ptpmon_time_half(sum);
    exchange->offsetFromMaster = ptpmon_time_subtract(exchange->masterToSlave, exchange->delay);
    exchange->known |= PTPMON_KNOWS_DELAY | PTPMON_KNOWS_OFFSET;
    ptpmon_pair_filter(point, pair, kind, exchange);
    exchange->offset_filtered = ptpmon_time_subtract(exchange->masterToSlave, exchange->delay_filtered);
    exchange->known |= PTPMON_KNOWS_OFFSET_FILTERED;
    port->delays[KIND_INDEX(kind)] = (struct ptpmon_newest_delay){
        .known = true,
        .delay = exchange->delay,
        .filtered = exchange->delay_filtered,
        .time = request->time,
    };
}

/* Everything is there but the local times. False: it must wait. */
static bool compute(struct ptpmon_point *point, struct ptpmon_port *port, const struct ptpmon_used_sync *sync,
                    const struct ptpmon_pending *pending, ptpmon_time t4c, bool must, ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    ptpmon_stamp_kind kind =
        ptpmon_best_kind(sync->stamp_kinds & request->stamp_kinds & point->analyzer->allowed_kinds);
    if (kind == PTPMON_STAMP_NONE) {
        exchange->reason = PTPMON_WITHOUT_STAMP;
        return true;
    }
    exchange->t[1] = (ptpmon_stamp){sync->stamp_ns[KIND_INDEX(kind)], kind};
    exchange->t[2] = ptpmon_stamp_of(request, kind);
    enum ptpmon_local_clock_run run =
        ptpmon_ran(point, kind, sync->event_time, request->event_time, must, &exchange->segment);
    if (run == PTPMON_CLOCK_NOT_SURE_YET)
        return false;
    if (run == PTPMON_CLOCK_STEPPED_ON || exchange->t[2].ns < exchange->t[1].ns) {
        exchange->reason = run == PTPMON_CLOCK_STEPPED_ON ? PTPMON_CLOCK_STEPPED : PTPMON_TIMES_CONTRADICT;
        return true;
    }
    struct ptpmon_pair *pair =
        ptpmon_pair_get(point, PTPMON_EXCHANGE_E2E, &pending->messages[PLACE_RESPONSE], &request->source);
    struct ptpmon_clock_pair begin = {sync->t1c.ns, exchange->t[1].ns, 0}, end = {t4c.ns, exchange->t[2].ns, 0};
    double twice_delay = (double)(end.remote - begin.remote) - (double)(end.local - begin.local);
    unsigned index = KIND_INDEX(kind);
    if (ptpmon_times_contradict(&pair->newest[index], &pair->newest_known[index], begin, end, twice_delay,
                                slack_of(kind))) {
        exchange->reason = PTPMON_TIMES_CONTRADICT;
        return true;
    }
    exchange->masterToSlave = ptpmon_time_subtract(ptpmon_time_of_ns(exchange->t[1].ns), sync->t1c);
    exchange->slaveToMaster = ptpmon_time_subtract(t4c, ptpmon_time_of_ns(exchange->t[2].ns));
    exchange->known |= PTPMON_KNOWS_MASTER_TO_SLAVE | PTPMON_KNOWS_SLAVE_TO_MASTER;
    compute_delay(port, pair, point, request, exchange);
    return true;
}

bool ptpmon_settle_e2e(struct ptpmon_point *point, const struct ptpmon_pending *pending, bool must,
                       ptpmon_exchange *exchange)
{
    const struct ptpmon_sighting *request = &pending->messages[PLACE_FIRST];
    int64_t t4_ns = 0;
    ptpmon_time t4c = {0};
    exchange->reason = answer_of(pending, &t4_ns, &t4c);
    describe(pending, exchange);
    if (!request->present)
        return true;
    if (exchange->end == PTPMON_END_RESPONDER)
        return audit(point, pending, t4c, must, exchange);
    ptpmon_stamp_kind kind = ptpmon_best_kind(request->stamp_kinds & point->analyzer->allowed_kinds);
    exchange->t[2] = ptpmon_stamp_of(request, kind);
    if (exchange->reason == PTPMON_COMPUTED && exchange->end == PTPMON_END_BYSTANDER)
        exchange->reason = PTPMON_OF_ANOTHER_PORT;
    if (exchange->reason != PTPMON_COMPUTED)
        return true;
    struct ptpmon_port *port =
        ptpmon_port_find(point, request->sdoId, request->domainNumber, &pending->messages[PLACE_RESPONSE].source);
    const struct ptpmon_used_sync *sync = port ? sync_before(port, request) : NULL;
    if (!must && port && may_be_newer(port, sync, request))
        return false;
    if (!sync) {
        exchange->reason = without_sync(port, request);
        return true;
    }
    take_sync(sync, request, exchange);
    return compute(point, port, sync, pending, t4c, must, exchange);
}
