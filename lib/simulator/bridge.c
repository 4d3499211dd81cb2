/* SPDX-License-Identifier: MIT */
/* Bridges that send messages on: transparent clocks (IEEE 1588-2019 10), and such as correct nothing. */
#include "network.h"

#include "truth.h"

void ptpmon_sim_forward(struct sim_port *in, struct sim_message *message)
{
    struct sim_node *node = in->node;
    struct ptpmon_simulation *simulation = node->simulation;
    struct sim_port *out = &node->ports[1 - (in - node->ports)];
    message->entered = message->stamp;
    message->in_reading = message->reading;
    message->in = in;
    message->lead = 0;
    sim_time wait = ptpmon_sim_wait(simulation, &out->random, true);
    ptpmon_sim_send_at(out, message, simulation->now + simulation->settings.residence + wait);
}

/* ---- Two-step: what was measured waits for the message that tells it ---- */

static void remember(struct sim_node *node, const struct sim_message *message, sim_time residence)
{
    node->passed[node->next_passed++ % SIM_PASSED] = (struct sim_passed){
        .type = message->type,
        .domain = message->domain,
        .sequenceId = message->sequenceId,
        .source = message->source,
        .residence = residence,
    };
}

static sim_time recall(const struct sim_node *node, const struct sim_message *message)
{
    bool follows_sync = message->type == AVB_PTP_FOLLOW_UP;
    const ptpmon_port_identity *sender = follows_sync ? &message->source : &message->requesting;
    uint8_t type = (uint8_t)(follows_sync ? AVB_PTP_SYNC : AVB_PTP_DELAY_REQ);
    for (uint32_t i = 1; i <= SIM_PASSED; i++) { /* the newest first */
        const struct sim_passed *passed = &node->passed[(node->next_passed - i) % SIM_PASSED];
        if (passed->type == type && passed->domain == message->domain && passed->sequenceId == message->sequenceId &&
            ptpmon_sim_same_port(&passed->source, sender))
            return passed->residence;
    }
    return 0;
}

/* ---- Corrections ---- */

/* What the bridge finds to add for an event message. */
static sim_time measured(struct sim_port *out, const struct sim_message *message)
{
    struct ptpmon_simulation *simulation = out->node->simulation;
    sim_time added = message->stamp - message->entered;
    if (simulation->settings.bridge == SIM_P2P_TC && message->type == AVB_PTP_SYNC && message->in->peer.has_delay)
        added += message->in->peer.delay;
    const struct sim_fault *fault = ptpmon_sim_fault_hits(simulation, SIM_WRONG_SIGN, out, message->type);
    if (fault != NULL) {
        ptpmon_sim_truth_fault(simulation, fault, out, message);
        added = -added;
    }
    fault = ptpmon_sim_fault_hits(simulation, SIM_NO_CORRECTION, out, message->type);
    if (fault != NULL) {
        ptpmon_sim_truth_fault(simulation, fault, out, message);
        added = 0;
    }
    return added;
}

static void note_residence(struct sim_port *out, struct sim_message *message)
{
    struct ptpmon_simulation *simulation = out->node->simulation;
    struct sim_trail *trail = &message->trail;
    if (trail->clock == NULL || (message->type != AVB_PTP_SYNC && message->type != AVB_PTP_DELAY_REQ))
        return;
    sim_time residence = ptpmon_sim_clock_read(trail->clock, simulation->now) + trail->shift - trail->entered;
    trail->residence[trail->bridges++] = residence;
    if (simulation->settings.bridge == SIM_SWITCH)
        return;
    trail->corrected += residence;
    if (simulation->settings.bridge == SIM_P2P_TC && message->type == AVB_PTP_SYNC)
        trail->corrected += (message->in->link->delay[0] + message->in->link->delay[1]) / 2;
}

static void leave_event(struct sim_port *out, struct sim_message *message)
{
    const struct sim_settings *settings = &out->node->simulation->settings;
    sim_time added = 0;
    note_residence(out, message);
    if (settings->bridge != SIM_SWITCH) {
        added = measured(out, message);
        if (settings->bridge_one_step)
            sim_correct(message, added);
        else
            remember(out->node, message, added);
    }
    ptpmon_sim_truth_transit(out, message, added);
}

void ptpmon_sim_leave(struct sim_port *out, struct sim_message *message)
{
    const struct sim_settings *settings = &out->node->simulation->settings;
    if (sim_is_event(message->type))
        leave_event(out, message);
    else if (settings->bridge != SIM_SWITCH && !settings->bridge_one_step &&
             (message->type == AVB_PTP_FOLLOW_UP || message->type == AVB_PTP_DELAY_RESP))
        sim_correct(message, recall(out->node, message));
}
