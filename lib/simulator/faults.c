/* SPDX-License-Identifier: MIT */
/* What goes wrong, when, and where: those faults that befall a message are asked for where it passes. */
#include "network.h"

#include "error.h"
#include "tap.h"
#include "truth.h"

#include "analysis/time.h"

#include <string.h>

/* ---- Faults of messages ---- */

static bool is_at(const struct sim_fault *fault, const struct sim_port *port)
{
    return fault->where[0] == 0 || strcmp(fault->where, port->name) == 0 || strcmp(fault->where, port->node->name) == 0;
}

const struct sim_fault *ptpmon_sim_fault_hits(struct ptpmon_simulation *simulation, enum sim_fault_kind kind,
                                              const struct sim_port *port, uint8_t messageType)
{
    const struct sim_settings *settings = &simulation->settings;
    for (size_t i = 0; i < settings->fault_count; i++) {
        const struct sim_fault *fault = &settings->faults[i];
        if (fault->kind == kind && simulation->now >= fault->at && simulation->now < fault->until &&
            (fault->types >> messageType & 1) != 0 && is_at(fault, port) &&
            (fault->chance >= SIM_CHANCE_ONE || sim_random_chance(&simulation->fault_random[i], fault->chance)))
            return fault;
    }
    return NULL;
}

/* ---- Faults that have their time ---- */

static void step_phc(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    struct sim_node *node = ptpmon_sim_find_node(simulation, fault->where);
    if (node->role == SIM_GRANDMASTER) { /* it says so: IEEE 802.1AS-2020 9.2 */
        node->time_base++;
        node->phase_change = ptpmon_time_of_scaled(fault->size);
    }
    ptpmon_sim_step_clock(node, fault->size, "fault");
}

static void change_phc_rate(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    struct sim_node *node = ptpmon_sim_find_node(simulation, fault->where);
    ptpmon_sim_clock_change_rate(&node->clock, simulation->now, fault->rate);
    ptpmon_sim_truth_rate(node, fault->rate, "fault");
}

static void step_system(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    struct sim_node *node = ptpmon_sim_find_node(simulation, fault->where);
    node->system_steps += fault->size;
    ptpmon_sim_truth_step(node, "utc", fault->size, "fault");
    for (uint32_t i = 0; i < node->port_count; i++) {
        if (node->ports[i].tap != NULL)
            ptpmon_sim_tap_clocks(node->ports[i].tap);
    }
}

static void bring_second_gm(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    struct sim_node *second = simulation->second_gm, *first = &simulation->nodes[0];
    second->is_active = true;
    second->time_base = first->time_base + 1;
    second->phase_change = ptpmon_time_of_scaled(fault->size);
    ptpmon_sim_clock_step(&second->clock, simulation->now, fault->size);
    ptpmon_sim_clock_change_rate(&second->clock, simulation->now, fault->rate);
    if (fault->takes_over)
        first->is_active = false;
}

static void restart_counter(struct sim_counter *counter)
{
    if (counter->next != 0)
        *counter = (struct sim_counter){0, counter->cycle + 1};
}

static void restart(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    struct sim_node *node = ptpmon_sim_find_node(simulation, fault->where);
    for (int i = 0; i < SIM_DOMAINS_MAX; i++) {
        restart_counter(&node->instances[i].syncs);
        restart_counter(&node->instances[i].announces);
        restart_counter(&node->instances[i].requests);
    }
    for (uint32_t i = 0; i < node->port_count; i++)
        restart_counter(&node->ports[i].peer.requests);
}

static void change_path(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    sim_time *delay = &simulation->links[fault->link - 1].delay[fault->reverse];
    *delay = *delay + fault->size > 0 ? *delay + fault->size : 0;
}

static sim_time end_of_outage(const struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    sim_time until = simulation->now + fault->size;
    return until < simulation->end ? until : simulation->end;
}

static void happen(void *object, void *argument)
{
    struct ptpmon_simulation *simulation = object;
    const struct sim_fault *fault = argument;
    switch (fault->kind) {
    case SIM_PHC_STEP:
        step_phc(simulation, fault);
        break;
    case SIM_PHC_RATE:
        change_phc_rate(simulation, fault);
        break;
    case SIM_SYSTEM_STEP:
        step_system(simulation, fault);
        break;
    case SIM_SECOND_GM:
        bring_second_gm(simulation, fault);
        break;
    case SIM_SEVERAL_RESPONDERS:
        simulation->responder->is_active = true;
        break;
    case SIM_RESTART:
        restart(simulation, fault);
        break;
    case SIM_PATH_CHANGE:
        change_path(simulation, fault);
        break;
    case SIM_EVENT_LOSS:
        ptpmon_sim_tap_lose_events(ptpmon_sim_find_port(simulation, fault->where)->tap,
                                   end_of_outage(simulation, fault));
        break;
    default:
        ptpmon_sim_tap_lose_frames(ptpmon_sim_find_port(simulation, fault->where)->tap,
                                   end_of_outage(simulation, fault));
        break;
    }
    ptpmon_sim_truth_fault(simulation, fault, NULL, NULL);
}

static bool has_its_time(enum sim_fault_kind kind)
{
    switch (kind) {
    case SIM_PHC_STEP:
    case SIM_PHC_RATE:
    case SIM_SYSTEM_STEP:
    case SIM_SECOND_GM:
    case SIM_SEVERAL_RESPONDERS:
    case SIM_RESTART:
    case SIM_PATH_CHANGE:
    case SIM_EVENT_LOSS:
    case SIM_CAPTURE_LOSS:
        return true;
    default:
        return false;
    }
}

void ptpmon_sim_faults_schedule(struct ptpmon_simulation *simulation)
{
    struct sim_settings *settings = &simulation->settings;
    for (size_t i = 0; i < settings->fault_count; i++) {
        struct sim_fault *fault = &settings->faults[i];
        struct sim_item item = {.at = fault->at > SIM_MS ? fault->at : SIM_MS,
                                .act = happen,
                                .object = simulation,
                                .argument = fault,
                                .is_timer = true};
        if (has_its_time(fault->kind) && !ptpmon_sim_agenda_add(&simulation->agenda, &item))
            ptpmon_sim_fail(simulation, ptpmon_fail(PTPMON_NO_MEMORY, "fault: no memory; close other programs"));
    }
}

/* ---- What can be ---- */

static ptpmon_status refuse(const struct sim_fault *fault, const char *why)
{
    return ptpmon_fail(PTPMON_INVALID, "fault %s: %s", ptpmon_sim_fault_name(fault->kind), why);
}

/* A bit for each messageType. */
static uint32_t types_sent(const struct sim_settings *settings)
{
    uint32_t types = 1u << AVB_PTP_SYNC | 1u << AVB_PTP_ANNOUNCE;
    if (!settings->one_step)
        types |= 1u << AVB_PTP_FOLLOW_UP;
    if (settings->profile == SIM_E2E)
        return types | 1u << AVB_PTP_DELAY_REQ | 1u << AVB_PTP_DELAY_RESP;
    if (!settings->one_step || settings->profile == SIM_GPTP)
        types |= 1u << AVB_PTP_PDELAY_RESP_FOLLOW_UP;
    return types | 1u << AVB_PTP_PDELAY_REQ | 1u << AVB_PTP_PDELAY_RESP;
}

/* What would never happen is not what was meant. */
static ptpmon_status check_when(const struct sim_settings *settings, const struct sim_fault *fault)
{
    if (fault->at > settings->duration)
        return refuse(fault, "`at` is after the end; give less than duration, or a longer one");
    if (fault->until <= fault->at)
        return refuse(fault, "it ends before it begins; give an `until` greater than `at`");
    if ((fault->types & types_sent(settings)) == 0)
        return refuse(fault, "no message of this type is sent with this profile and step; choose another");
    return PTPMON_OK;
}

static ptpmon_status check(struct ptpmon_simulation *simulation, const struct sim_fault *fault)
{
    const struct sim_settings *settings = &simulation->settings;
    const struct sim_node *node = ptpmon_sim_find_node(simulation, fault->where);
    const struct sim_port *port = ptpmon_sim_find_port(simulation, fault->where);
    if (fault->where[0] != 0 && node == NULL && port == NULL)
        return refuse(fault, "`where` names no node or port of this network: gm, bridge1, bridge1-up... client");
    switch (fault->kind) {
    case SIM_PHC_STEP:
    case SIM_PHC_RATE:
    case SIM_SYSTEM_STEP:
    case SIM_RESTART:
        if (node == NULL)
            return refuse(fault, "`where` must name a node: gm, bridge1... client");
        break;
    case SIM_EVENT_LOSS:
    case SIM_CAPTURE_LOSS:
        if (port == NULL || !ptpmon_sim_is_observed(port) || fault->size <= 0)
            return refuse(fault, "`where` must name an observed port, and `size` be how long it lasts");
        break;
    case SIM_WRONG_SIGN:
    case SIM_NO_CORRECTION:
        if (settings->bridge != SIM_E2E_TC && settings->bridge != SIM_P2P_TC)
            return refuse(fault, "only transparent clocks do this; set bridge to e2e-tc or p2p-tc");
        break;
    case SIM_LATE_TURNAROUND:
    case SIM_SEVERAL_RESPONDERS:
        if (settings->profile == SIM_E2E)
            return refuse(fault, "there is no Pdelay_Req in profile e2e; choose p2p or gptp");
        break;
    case SIM_PATH_CHANGE:
        if (fault->link > (uint32_t)settings->bridges + 1)
            return refuse(fault, "no such link; they are numbered from the grandmaster on, from 1");
        break;
    default:
        break;
    }
    if (fault->size < 0 && (fault->kind == SIM_DUPLICATE || fault->kind == SIM_REORDER ||
                            fault->kind == SIM_FOLLOW_UP_FIRST || fault->kind == SIM_LATE_TURNAROUND))
        return refuse(fault, "`size` is how much later; give 0 or more");
    return check_when(settings, fault);
}

ptpmon_status ptpmon_sim_faults_check(struct ptpmon_simulation *simulation)
{
    ptpmon_status status = PTPMON_OK;
    for (size_t i = 0; i < simulation->settings.fault_count && status == PTPMON_OK; i++)
        status = check(simulation, &simulation->settings.faults[i]);
    return status;
}
