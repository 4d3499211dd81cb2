/* SPDX-License-Identifier: MIT */
/* Pdelay_Req, Pdelay_Resp, Pdelay_Resp_Follow_Up: IEEE 1588-2019 11.4, IEEE 802.1AS-2020 11.2.19, 11.2.20. */
#include "network.h"

#include "truth.h"

#include "analysis/time.h"

/* Two clocks of 100 ppm each: what is beyond is a step. 2^-41 */
#define RATIO_MAX (INT64_C(200) * (INT64_C(1) << 41) / 1000000)

static bool is_gptp(const struct sim_port *port)
{
    return port->node->simulation->settings.profile == SIM_GPTP;
}

void ptpmon_sim_pdelay_timer(void *object, void *argument)
{
    struct sim_port *port = object;
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    (void)argument;
    ptpmon_sim_schedule_timer(simulation, simulation->now + sim_interval(simulation->settings.pdelay_interval),
                              ptpmon_sim_pdelay_timer, object);
    if (!node->is_active)
        return;
    struct sim_message *request = ptpmon_sim_new_message(simulation, NULL);
    if (request == NULL)
        return;
    struct sim_peer *peer = &port->peer;
    request->type = AVB_PTP_PDELAY_REQ;
    request->source = ptpmon_sim_port_identity(port);
    request->interval = is_gptp(port) ? (int8_t)simulation->settings.pdelay_interval : 0x7F;
    request->sequenceId = ptpmon_sim_count(&peer->requests, &request->cycle);
    if (simulation->settings.unicast)
        request->to = port->link->ends[1 - port->side];
    peer->is_pending = true;
    peer->has_t1 = peer->has_response = peer->is_answered = false;
    peer->sequenceId = request->sequenceId;
    peer->cycle = request->cycle;
    sim_time jitter = simulation->settings.jitter / SIM_NS / 2;
    ptpmon_sim_send(port, request, (jitter + sim_random_symmetric(&node->random, jitter)) * SIM_NS);
}

void ptpmon_sim_pdelay_req_stamped(struct sim_port *port, const struct sim_message *message)
{
    struct sim_peer *peer = &port->peer;
    if (peer->sequenceId != message->sequenceId || peer->cycle != message->cycle)
        return;
    peer->has_t1 = true;
    peer->t1 = sim_floor_divide(message->stamp, SIM_NS) * SIM_NS;
}

/* ---- Responder ---- */

void ptpmon_sim_pdelay_req_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    const struct sim_settings *settings = &simulation->settings;
    /* A second grandmaster takes the place of the first one at the link only once that is silent. */
    if (!node->is_active || settings->profile == SIM_E2E ||
        (node == simulation->second_gm && simulation->nodes[0].is_active))
        return;
    struct sim_message *response = ptpmon_sim_new_message(simulation, message);
    if (response == NULL)
        return;
    ptpmon_time received = sim_clock_time(&node->clock, message->stamp);
    response->type = AVB_PTP_PDELAY_RESP;
    response->two_step = !settings->one_step || is_gptp(port);
    response->source = ptpmon_sim_port_identity(port);
    response->requesting = message->source;
    response->interval = 0x7F;
    response->entered = message->stamp;
    response->in = NULL;
    response->correction = 0;
    if (response->two_step && !settings->turnaround_in_correction) {
        response->time_ns = received.ns;
        response->correction = is_gptp(port) ? received.fraction : -(int64_t)received.fraction;
    }
    if (settings->unicast)
        response->to = port->link->ends[1 - port->side];
    sim_time delay = settings->response_delay;
    const struct sim_fault *late = ptpmon_sim_fault_hits(simulation, SIM_LATE_TURNAROUND, port, AVB_PTP_PDELAY_RESP);
    if (late != NULL) {
        delay += late->size;
        ptpmon_sim_truth_fault(simulation, late, port, message);
    }
    ptpmon_sim_send(port, response, delay);
}

void ptpmon_sim_pdelay_resp_stamped(struct sim_port *port, const struct sim_message *message)
{
    struct sim_message *follow_up = ptpmon_sim_new_message(port->node->simulation, message);
    if (follow_up == NULL)
        return;
    follow_up->type = AVB_PTP_PDELAY_RESP_FOLLOW_UP;
    follow_up->two_step = false;
    follow_up->is_bad = false; /* what befell the Pdelay_Resp is not wrong here */
    if (port->node->simulation->settings.turnaround_in_correction) {
        follow_up->time_ns = 0;
        follow_up->correction = message->stamp - message->entered;
    } else {
        follow_up->time_ns = message->precise.ns;
        follow_up->correction = message->precise.fraction;
    }
    ptpmon_sim_send(port, follow_up, 0);
}

/* ---- Requester ---- */

void ptpmon_sim_forget_measured(struct sim_node *node)
{
    for (uint32_t i = 0; i < node->port_count; i++) {
        struct sim_peer *peer = &node->ports[i].peer;
        peer->is_pending = false;
        peer->ratios = 0;
    }
    for (int i = 0; i < SIM_DOMAINS_MAX; i++) {
        struct sim_instance *instance = &node->instances[i];
        instance->request.pending = instance->has_first = false;
        for (int j = 0; j < SIM_SYNCS; j++)
            instance->received[j].is_stale = true;
        for (int j = 0; j < 2; j++)
            instance->newest[j].is_stale = true;
    }
}

/* neighborRateRatio over the last exchanges. */
static void measure_ratio(struct sim_peer *peer, int64_t t3_ns)
{
    uint32_t oldest = peer->ratios < SIM_RATIOS ? 0 : peer->ratios % SIM_RATIOS;
    if (peer->ratios > 0) {
        sim_time ours = (peer->t4 - peer->ours[oldest]) / SIM_NS;
        int64_t more = t3_ns - peer->theirs_ns[oldest] - ours;
        int64_t ratio = ours > 0 ? sim_shift_divide(more, 41, ours) : RATIO_MAX + 1;
        if (ratio > RATIO_MAX || ratio < -RATIO_MAX) {
            peer->ratios = 0;
            ratio = 0;
        }
        peer->ratio_offset = ratio;
    }
    peer->ours[peer->ratios % SIM_RATIOS] = peer->t4;
    peer->theirs_ns[peer->ratios % SIM_RATIOS] = t3_ns;
    peer->ratios++;
}

/* turnaround: on the responder's clock. */
static void measure(struct sim_port *port, sim_time turnaround)
{
    struct sim_peer *peer = &port->peer;
    if (is_gptp(port)) /* to our own time base */
        turnaround -= sim_scale(turnaround, peer->ratio_offset * 128);
    peer->delay = (peer->t4 - peer->t1 - turnaround) / 2;
    peer->has_delay = true;
}

static bool is_answer(const struct sim_port *port, const struct sim_message *message)
{
    const ptpmon_port_identity own = ptpmon_sim_port_identity(port);
    return ptpmon_sim_same_port(&own, &message->requesting) && port->peer.is_pending &&
           message->sequenceId == port->peer.sequenceId && message->cycle == port->peer.cycle && !message->is_bad &&
           message->correction != PTPMON_CORRECTION_TOO_BIG;
}

void ptpmon_sim_pdelay_resp_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_peer *peer = &port->peer;
    if (!is_answer(port, message) || peer->has_response)
        return;
    peer->has_response = true;
    peer->responder = message->source;
    peer->t4 = sim_floor_divide(message->stamp, SIM_NS) * SIM_NS;
    peer->t2_ns = message->time_ns;
    peer->correction_response = message->correction;
    peer->trail = message->peer;
    if (message->two_step)
        return;
    peer->is_pending = false;
    ptpmon_sim_truth_pdelay(port, peer, message->domain, false, message->correction, 0);
    if (peer->has_t1)
        measure(port, message->correction);
}

void ptpmon_sim_pdelay_follow_up_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_peer *peer = &port->peer;
    if (!is_answer(port, message) || !peer->has_response || !ptpmon_sim_same_port(&peer->responder, &message->source))
        return;
    peer->is_pending = false;
    ptpmon_sim_truth_pdelay(port, peer, message->domain, true, peer->correction_response, message->correction);
    if (!peer->has_t1)
        return;
    if (message->time_ns != 0)
        measure_ratio(peer, message->time_ns);
    int64_t corrections = is_gptp(port) ? message->correction - peer->correction_response
                                        : message->correction + peer->correction_response;
    sim_time turnaround = (message->time_ns - peer->t2_ns) * SIM_NS + corrections;
    if (turnaround > -10 * SIM_S && turnaround < 10 * SIM_S)
        measure(port, turnaround);
}
