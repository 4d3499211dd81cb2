/* SPDX-License-Identifier: MIT */
/* Sync, Follow_Up and Announce: a master's timers, a slave's taking in, and the relay of a time-aware system. */
#include "network.h"

#include "truth.h"

#include "analysis/time.h"

#include <string.h>

/* A source that is silent for so many of its intervals is none any more. */
#define RECEIPT_TIMEOUT 3

static const struct sim_settings *settings_of(const struct sim_node *node)
{
    return &node->simulation->settings;
}

static struct sim_port *port_towards_client(struct sim_instance *instance)
{
    return sim_master_port(instance->node);
}

/* ---- Sending ---- */

static struct sim_message *new_message(struct sim_instance *instance, uint8_t type, int64_t interval)
{
    struct sim_port *port = port_towards_client(instance);
    struct ptpmon_simulation *simulation = instance->node->simulation;
    struct sim_message *message = ptpmon_sim_new_message(simulation, NULL);
    if (message == NULL)
        return NULL;
    message->type = type;
    message->domain = instance->domain;
    message->source = ptpmon_sim_port_identity(port);
    message->interval = (int8_t)interval;
    if (simulation->settings.unicast) {
        message->to =
            sim_is_transparent(port->link->ends[1]->node) ? sim_slave_port(simulation->client) : port->link->ends[1];
        message->interval = 0x7F;
    }
    return message;
}

static void repeat(struct sim_instance *instance, int64_t interval, sim_action timer)
{
    struct ptpmon_simulation *simulation = instance->node->simulation;
    ptpmon_sim_schedule_timer(simulation, simulation->now + sim_interval(interval), timer, instance);
}

static sim_time jitter(struct sim_node *node)
{
    return sim_random_symmetric(&node->random, settings_of(node)->jitter / SIM_NS / 2) * SIM_NS +
           settings_of(node)->jitter / SIM_NS / 2 * SIM_NS;
}

void ptpmon_sim_sync_timer(void *object, void *argument)
{
    struct sim_instance *instance = object;
    struct sim_node *node = instance->node;
    const struct sim_settings *settings = settings_of(node);
    (void)argument;
    repeat(instance, settings->sync_interval, ptpmon_sim_sync_timer);
    if (!node->is_active || (node->role == SIM_BRIDGE && !node->instances[0].is_locked))
        return;
    struct sim_message *sync = new_message(instance, AVB_PTP_SYNC, settings->sync_interval);
    if (sync == NULL)
        return;
    sync->two_step = !settings->one_step;
    sync->has_tlv = settings->profile == SIM_GPTP && settings->one_step;
    sync->time_base = node->time_base;
    sync->phase_change = node->phase_change;
    sync->sequenceId = ptpmon_sim_count(&instance->syncs, &sync->cycle);
    ptpmon_sim_send(port_towards_client(instance), sync, jitter(node));
}

void ptpmon_sim_announce_timer(void *object, void *argument)
{
    struct sim_instance *instance = object;
    struct sim_node *node = instance->node;
    (void)argument;
    repeat(instance, settings_of(node)->announce_interval, ptpmon_sim_announce_timer);
    if (!node->is_active)
        return;
    struct sim_message *announce = new_message(instance, AVB_PTP_ANNOUNCE, settings_of(node)->announce_interval);
    if (announce == NULL)
        return;
    bool is_boundary = node->role == SIM_BRIDGE;
    const struct sim_node *grandmaster = is_boundary ? &node->simulation->nodes[0] : node;
    announce->sequenceId = ptpmon_sim_count(&instance->announces, &announce->cycle);
    memcpy(announce->grandmaster, grandmaster->identity, sizeof announce->grandmaster);
    memcpy(announce->path[0], node->identity, sizeof announce->path[0]);
    announce->steps = is_boundary ? (uint16_t)(node - node->simulation->nodes) : 0;
    ptpmon_sim_send(port_towards_client(instance), announce, jitter(node));
}

void ptpmon_sim_sync_stamped(struct sim_port *port, const struct sim_message *sync)
{
    struct sim_message *follow_up = ptpmon_sim_new_message(port->node->simulation, sync);
    if (follow_up == NULL)
        return;
    follow_up->type = AVB_PTP_FOLLOW_UP;
    follow_up->two_step = false;
    follow_up->has_tlv = settings_of(port->node)->profile == SIM_GPTP;
    follow_up->trail = (struct sim_trail){0};
    follow_up->time_ns = sync->precise.ns;
    follow_up->correction = sync->in == NULL ? sync->precise.fraction : sync->carried; /* own, or sent on */
    ptpmon_sim_send(port, follow_up, 0);
}

/* ---- Receiving ---- */

static struct sim_sync *find(struct sim_instance *instance, const struct sim_message *message)
{
    for (uint32_t i = 0; i < SIM_SYNCS; i++) {
        struct sim_sync *sync = &instance->received[i];
        if (sync->is_used && sync->sequenceId == message->sequenceId && sync->cycle == message->cycle &&
            ptpmon_sim_same_port(&sync->source, &message->source))
            return sync;
    }
    return NULL;
}

static void tell(struct sim_instance *instance, struct sim_sync *sync, bool usable)
{
    if (sync->has_arrived && !sync->is_told)
        ptpmon_sim_truth_sync(sim_slave_port(instance->node), sync, instance->domain, usable);
    sync->is_told = true;
}

void ptpmon_sim_sync_finish(struct sim_instance *instance)
{
    for (uint32_t i = 0; i < SIM_SYNCS; i++)
        tell(instance, &instance->received[(instance->next_received + i) % SIM_SYNCS], false);
}

/* Of the Sync or Follow_Up that comes first. What it drives out is told as it is. */
static struct sim_sync *find_or_begin(struct sim_instance *instance, const struct sim_message *message)
{
    struct sim_sync *sync = find(instance, message);
    if (sync != NULL)
        return sync;
    sync = &instance->received[instance->next_received++ % SIM_SYNCS];
    tell(instance, sync, false);
    *sync = (struct sim_sync){
        .is_used = true, .sequenceId = message->sequenceId, .cycle = message->cycle, .source = message->source};
    return sync;
}

void ptpmon_sim_sync_arrives(struct sim_port *port, const struct sim_message *message)
{
    struct sim_node *node = port->node;
    struct sim_instance *instance = &node->instances[message->domain];
    const struct sim_trail *trail = &message->trail;
    if (sim_is_transparent(node))
        return;
    struct sim_sync *sync = find_or_begin(instance, message);
    if (sync->has_arrived)
        return;
    struct sim_node *second = node->simulation->second_gm;
    struct sim_node *gm = second != NULL && trail->clock == &second->clock ? second : &node->simulation->nodes[0];
    sim_time gm_reading = ptpmon_sim_clock_read(&gm->clock, node->simulation->now) + instance->shift;
    sync->has_arrived = true;
    sync->two_step = message->two_step;
    sync->at = node->simulation->now;
    sync->stamp = sim_floor_divide(message->stamp, SIM_NS) * SIM_NS;
    sync->reading = message->reading;
    sync->offset = ptpmon_sim_clock_difference(&node->clock, message->reading, &gm->clock, gm_reading);
    sync->offset_source = ptpmon_sim_clock_difference(&node->clock, message->reading, trail->clock, trail->entered);
    sync->forward = trail->entered - trail->sent;
    sync->ratio = sim_ratio_offset(gm->clock.rate, node->clock.rate);
    sync->trail = *trail;
}

/* The source that this port follows: a new one only once the old one is silent. */
static bool is_parent(struct sim_instance *instance, const struct sim_message *message)
{
    struct ptpmon_simulation *simulation = instance->node->simulation;
    sim_time timeout = RECEIPT_TIMEOUT * sim_interval(simulation->settings.sync_interval);
    if (!instance->has_parent || simulation->now - instance->parent_at > timeout) {
        instance->has_parent = true;
        instance->parent = message->source;
    }
    if (!ptpmon_sim_same_port(&instance->parent, &message->source))
        return false;
    instance->parent_at = simulation->now;
    return true;
}

static int32_t saturated(int64_t offset)
{
    return offset > INT32_MAX ? INT32_MAX : offset < INT32_MIN ? INT32_MIN : (int32_t)offset;
}

/* Sends the time on: IEEE 802.1AS-2020 10.2.12, sync locked. */
static void send_on(struct sim_instance *instance, const struct sim_sync *sync)
{
    struct sim_node *node = instance->node;
    const struct sim_settings *settings = settings_of(node);
    const struct sim_port *in = sim_slave_port(node);
    struct sim_message *message = new_message(instance, AVB_PTP_SYNC, settings->sync_interval);
    if (message == NULL)
        return;
    message->two_step = !settings->one_step;
    message->has_tlv = settings->one_step;
    message->sequenceId = ptpmon_sim_count(&instance->syncs, &message->cycle);
    message->carried = sync->correction_sync + sync->correction_follow_up;
    message->precise = ptpmon_time_of_ns(sync->time_ns);
    if (settings->one_step)
        message->time_ns = sync->time_ns;
    message->rate_offset = saturated(sync->rate_offset + in->peer.ratio_offset);
    message->time_base = sync->time_base;
    message->phase_change = sync->phase_change;
    message->trail = sync->trail;
    message->entered = sync->stamp - in->peer.delay;
    message->in = in;
    struct sim_port *out = sim_master_port(node);
    sim_time wait = ptpmon_sim_wait(node->simulation, &out->random, true);
    ptpmon_sim_send(out, message, settings->residence + wait);
}

/* t2 - t1 - corrections, as a daemon computes it. */
static void adjust(struct sim_instance *instance, const struct sim_sync *sync)
{
    ptpmon_time passed =
        ptpmon_time_subtract(sim_clock_time(&instance->node->clock, sync->stamp), ptpmon_time_of_ns(sync->time_ns));
    int64_t corrections = sync->correction_sync + sync->correction_follow_up;
    ptpmon_sim_follow(instance, sync, ptpmon_time_subtract(passed, ptpmon_time_of_scaled(corrections)));
}

static void complete(struct sim_instance *instance, struct sim_sync *sync, const struct sim_message *message)
{
    struct sim_node *node = instance->node;
    bool usable = !sync->is_bad && sync->correction_sync != PTPMON_CORRECTION_TOO_BIG &&
                  sync->correction_follow_up != PTPMON_CORRECTION_TOO_BIG;
    bool was_told = sync->is_told;
    tell(instance, sync, usable);
    if (!usable || was_told)
        return;
    const struct sim_node *second = node->simulation->second_gm;
    uint32_t which = second != NULL && sync->trail.clock == &second->clock;
    instance->newest[which] = *sync;
    instance->has_newest[which] = true;
    if (!is_parent(instance, message))
        return;
    if (node->role == SIM_BRIDGE && settings_of(node)->bridge == SIM_TIME_AWARE) {
        if (sim_slave_port(node)->peer.has_delay)
            send_on(instance, sync);
    } else {
        adjust(instance, sync);
    }
}

void ptpmon_sim_sync_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_instance *instance = &port->node->instances[message->domain];
    struct sim_sync *sync = find(instance, message);
    if (sync == NULL || sync->has_sync || port != sim_slave_port(port->node))
        return;
    sync->has_sync = true;
    sync->correction_sync = message->correction;
    if (!message->two_step) {
        sync->time_ns = message->time_ns;
        sync->is_bad = message->is_bad;
        sync->rate_offset = message->rate_offset;
        sync->time_base = message->time_base;
        sync->phase_change = message->phase_change;
    }
    if (!message->two_step || sync->has_follow_up)
        complete(instance, sync, message);
}

void ptpmon_sim_follow_up_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_instance *instance = &port->node->instances[message->domain];
    if (port != sim_slave_port(port->node))
        return;
    struct sim_sync *sync = find_or_begin(instance, message);
    if (sync->has_follow_up)
        return;
    sync->has_follow_up = true;
    sync->time_ns = message->time_ns;
    sync->is_bad = message->is_bad;
    sync->correction_follow_up = message->correction;
    sync->rate_offset = message->rate_offset;
    sync->time_base = message->time_base;
    sync->phase_change = message->phase_change;
    if (sync->has_sync)
        complete(instance, sync, message);
}

void ptpmon_sim_announce_received(struct sim_port *port, const struct sim_message *message)
{
    struct sim_node *node = port->node;
    struct sim_instance *instance = &node->instances[message->domain];
    if (node->role != SIM_BRIDGE || settings_of(node)->bridge != SIM_TIME_AWARE || port != sim_slave_port(node))
        return;
    struct sim_message *announce = new_message(instance, AVB_PTP_ANNOUNCE, message->interval);
    if (announce == NULL)
        return;
    memcpy(announce->grandmaster, message->grandmaster, sizeof announce->grandmaster);
    memcpy(announce->path, message->path, sizeof announce->path);
    announce->steps = message->steps + 1;
    memcpy(announce->path[announce->steps], node->identity, sizeof announce->path[0]);
    announce->sequenceId = ptpmon_sim_count(&instance->announces, &announce->cycle);
    ptpmon_sim_send(sim_master_port(node), announce, 0);
}
