/* SPDX-License-Identifier: MIT */
/* Delay_Req and Delay_Resp: IEEE 1588-2019 11.3. */
#include "network.h"

#include "truth.h"

#include "analysis/time.h"

void ptpmon_sim_delay_timer(void *object, void *argument)
{
    struct sim_instance *instance = object;
    struct sim_node *node = instance->node;
    struct ptpmon_simulation *simulation = node->simulation;
    struct sim_port *port = sim_slave_port(node);
    (void)argument;
    ptpmon_sim_schedule_timer(simulation, simulation->now + sim_interval(simulation->settings.delay_interval),
                              ptpmon_sim_delay_timer, object);
    if (!instance->has_parent)
        return;
    struct sim_message *request = ptpmon_sim_new_message(simulation, NULL);
    if (request == NULL)
        return;
    request->type = AVB_PTP_DELAY_REQ;
    request->domain = instance->domain;
    request->source = ptpmon_sim_port_identity(port);
    request->interval = 0x7F;
    request->sequenceId = ptpmon_sim_count(&instance->requests, &request->cycle);
    if (simulation->settings.unicast)
        request->to = sim_is_transparent(port->link->ends[0]->node) ? sim_master_port(&simulation->nodes[0])
                                                                    : port->link->ends[0];
    instance->request =
        (struct sim_request){.pending = true, .sequenceId = request->sequenceId, .cycle = request->cycle};
    sim_time jitter = simulation->settings.jitter / SIM_NS / 2;
    ptpmon_sim_send(port, request, (jitter + sim_random_symmetric(&node->random, jitter)) * SIM_NS);
}

void ptpmon_sim_delay_req_stamped(struct sim_port *port, const struct sim_message *message)
{
    struct sim_request *request = &port->node->instances[message->domain].request;
    if (request->sequenceId != message->sequenceId || request->cycle != message->cycle)
        return;
    request->has_stamp = true;
    request->stamp = sim_floor_divide(message->stamp, SIM_NS) * SIM_NS;
}

/* Only the port that Syncs come from answers. */
void ptpmon_sim_delay_req_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    if (port != sim_master_port(node) || node->role == SIM_CLIENT || node->role == SIM_RESPONDER || !node->is_active)
        return;
    struct sim_message *response = ptpmon_sim_new_message(simulation, message);
    if (response == NULL)
        return;
    const struct sim_instance *instance = &node->instances[message->domain];
    ptpmon_time received = sim_clock_time(&node->clock, message->stamp + instance->shift);
    response->type = AVB_PTP_DELAY_RESP;
    response->source = ptpmon_sim_port_identity(port);
    response->requesting = message->source;
    response->interval = (int8_t)simulation->settings.delay_interval;
    response->time_ns = received.ns;
    sim_correct(response, -(int64_t)received.fraction);
    response->in = NULL;
    struct sim_trail *trail = &response->trail;
    trail->error +=
        sim_floor_divide(message->stamp + instance->shift, SIM_NS) * SIM_NS - message->reading - instance->shift;
    if (simulation->second_gm == node)
        trail->sent = trail->sent_second;
    trail->clock = &node->clock;
    trail->entered = message->reading + instance->shift;
    const struct sim_fault *utc = ptpmon_sim_fault_hits(simulation, SIM_UTC_SECONDS, port, AVB_PTP_DELAY_RESP);
    if (utc != NULL) {
        response->time_ns -= SIM_UTC_OFFSET * NS_PER_SECOND;
        trail->error -= SIM_UTC_OFFSET * SIM_S;
        ptpmon_sim_truth_fault(simulation, utc, port, response);
    }
    if (simulation->settings.unicast) {
        response->interval = 0x7F;
        response->to =
            sim_is_transparent(port->link->ends[1]->node) ? sim_slave_port(simulation->client) : port->link->ends[1];
    }
    ptpmon_sim_send(port, response, 0);
}

/* As a daemon computes it, from the newest Sync before. */
static void measure(struct sim_instance *instance, const struct sim_sync *sync, const struct sim_message *response)
{
    const struct sim_clock *clock = &instance->node->clock;
    ptpmon_time forward = ptpmon_time_subtract(sim_clock_time(clock, sync->stamp), ptpmon_time_of_ns(sync->time_ns));
    ptpmon_time reverse =
        ptpmon_time_subtract(ptpmon_time_of_ns(response->time_ns), sim_clock_time(clock, instance->request.stamp));
    ptpmon_time both = ptpmon_time_add(forward, reverse);
    both = ptpmon_time_subtract(both, ptpmon_time_of_scaled(sync->correction_sync + sync->correction_follow_up));
    both = ptpmon_time_half(ptpmon_time_subtract(both, ptpmon_time_of_scaled(response->correction)));
    if (both.ns < -NS_PER_SECOND || both.ns > NS_PER_SECOND)
        return;
    instance->delay = both.ns * SIM_NS + (sim_time)both.fraction;
    instance->has_delay = true;
}

void ptpmon_sim_delay_resp_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    struct sim_instance *instance = &node->instances[message->domain];
    const struct sim_trail *trail = &message->trail;
    const ptpmon_port_identity own = ptpmon_sim_port_identity(port);
    uint32_t which = simulation->second_gm != NULL && trail->clock == &simulation->second_gm->clock;
    if (!ptpmon_sim_same_port(&own, &message->requesting) || message->sequenceId != instance->request.sequenceId ||
        message->cycle != instance->request.cycle || trail->sent == 0 || message->is_bad ||
        message->correction == PTPMON_CORRECTION_TOO_BIG)
        return;
    const struct sim_sync *newest = instance->has_newest[which] ? &instance->newest[which] : NULL;
    const struct sim_truth_delay truth = {
        .response = message,
        .offset = ptpmon_sim_clock_difference(&node->clock, trail->requester, trail->clock, trail->sent),
        .reverse = trail->entered - trail->sent,
        .newest = newest,
    };
    ptpmon_sim_truth_delay(port, &truth);
    if (instance->request.pending && instance->request.has_stamp && newest != NULL && !newest->is_stale &&
        ptpmon_sim_same_port(&instance->parent, &message->source)) {
        instance->request.pending = false;
        measure(instance, newest, message);
    }
}
