/* SPDX-License-Identifier: MIT */
/* Hosts, NICs and links: from the daemon that sends to the daemon that receives. */
#include "network.h"

#include "tap.h"
#include "truth.h"

#include "analysis/time.h"

/* Of the bridge's own processor; it sends without a host's stack. */
#define BRIDGE_LEAD (SIM_US / 2)

static const struct sim_fault *hits(const struct sim_port *port, enum sim_fault_kind kind, uint8_t messageType)
{
    return ptpmon_sim_fault_hits(port->node->simulation, kind, port, messageType);
}

/* ---- Stamps ---- */

static sim_time noise(struct sim_port *port)
{
    const struct sim_settings *settings = &port->node->simulation->settings;
    if (settings->stamp_noise == SIM_UNIFORM)
        return sim_random_symmetric(&port->random, settings->stamp_error);
    return sim_random_gaussian(&port->random, settings->stamp_error);
}

/* What the NIC says of the time that its clock shows. */
static void stamp(struct sim_port *port, struct sim_message *message)
{
    struct ptpmon_simulation *simulation = port->node->simulation;
    sim_time granularity = simulation->settings.granularity;
    message->reading = ptpmon_sim_clock_read(&port->node->clock, simulation->now);
    sim_time stamped = sim_floor_divide(message->reading + noise(port), granularity) * granularity;
    const struct sim_fault *stuck = hits(port, SIM_STUCK_LATCH, message->type);
    if (stuck != NULL && port->latched != 0) {
        stamped = port->latched;
        ptpmon_sim_truth_fault(simulation, stuck, port, message);
    }
    message->stamp = port->latched = stamped;
}

/* Hosts get stamps in whole ns. */
static sim_time whole_ns(sim_time time)
{
    return sim_floor_divide(time, SIM_NS) * SIM_NS;
}

static sim_time read_shifted(struct sim_clock *clock, sim_time shift, sim_time now)
{
    return ptpmon_sim_clock_read(clock, now) + shift;
}

/* ---- Sending ---- */

static bool is_own(const struct sim_port *port, const struct sim_message *message)
{
    const ptpmon_port_identity own = ptpmon_sim_port_identity(port);
    return ptpmon_sim_same_port(&own, &message->source);
}

/* A Sync that is this node's own: the time in it is its clock's. */
static void originate(struct sim_port *port, struct sim_message *message)
{
    struct sim_trail *trail = &message->trail;
    struct sim_clock *clock = &port->node->clock;
    const struct sim_fault *utc = hits(port, SIM_UTC_SECONDS, message->type);
    sim_time wrong = utc != NULL ? SIM_UTC_OFFSET * SIM_S : 0;
    trail->clock = clock;
    trail->shift = port->node->instances[message->domain].shift;
    trail->sent = message->reading + trail->shift;
    trail->error = whole_ns(message->stamp + trail->shift) - trail->sent - wrong;
    message->precise = sim_clock_time(clock, message->stamp + trail->shift - wrong);
    if (utc != NULL)
        ptpmon_sim_truth_fault(port->node->simulation, utc, port, message);
}

/* A time-aware system sends the grandmaster's time on: IEEE 802.1AS-2020 11.2.15. `entered` is upstreamTxTime. */
static void relay(struct sim_port *port, struct sim_message *message)
{
    struct sim_trail *trail = &message->trail;
    sim_time now = port->node->simulation->now;
    sim_time passed = message->stamp - message->entered;
    message->carried += passed + sim_scale(passed, (int64_t)message->rate_offset * 128);
    if (!message->two_step)
        sim_correct(message, message->carried);
    const struct sim_link *link = message->in->link;
    sim_time residence = read_shifted(trail->clock, trail->shift, now) - trail->entered;
    trail->residence[trail->bridges++] = residence;
    trail->corrected += residence + (link->delay[0] + link->delay[1]) / 2;
}

static void send_sync(struct sim_port *port, struct sim_message *message)
{
    if (message->trail.clock == NULL) {
        originate(port, message);
        if (!message->two_step) {
            message->time_ns = message->precise.ns;
            sim_correct(message, message->precise.fraction);
        }
    } else {
        relay(port, message);
    }
}

static void send_delay_req(struct sim_port *port, struct sim_message *message)
{
    struct sim_trail *trail = &message->trail;
    struct ptpmon_simulation *simulation = port->node->simulation;
    const struct sim_instance *instance = &port->node->instances[message->domain];
    trail->requester = message->reading;
    trail->error = message->reading - whole_ns(message->stamp);
    trail->clock = instance->newest[0].trail.clock;
    trail->shift = instance->shift;
    if (trail->clock != NULL)
        trail->sent = read_shifted(trail->clock, trail->shift, simulation->now);
    if (simulation->second_gm != NULL)
        trail->sent_second = read_shifted(&simulation->second_gm->clock, trail->shift, simulation->now);
}

static void send_pdelay_req(struct sim_port *port, struct sim_message *message)
{
    message->peer.requester = &port->node->clock;
    message->peer.on_requester[0] = message->reading;
    message->peer.error[0] = whole_ns(message->stamp) - message->reading;
}

static void send_pdelay_resp(struct sim_port *port, struct sim_message *message)
{
    struct sim_peer_trail *peer = &message->peer;
    peer->on_responder[2] = message->reading;
    peer->on_requester[2] = ptpmon_sim_clock_read(peer->requester, port->node->simulation->now);
    peer->error[2] = message->stamp - message->reading;
    message->precise = sim_clock_time(&port->node->clock, message->stamp);
    if (!message->two_step)
        sim_correct(message, message->stamp - message->entered);
}

/* What the NIC does to an event message that its own host sends. */
static void complete(struct sim_port *port, struct sim_message *message)
{
    switch (message->type) {
    case AVB_PTP_SYNC:
        send_sync(port, message);
        break;
    case AVB_PTP_DELAY_REQ:
        send_delay_req(port, message);
        break;
    case AVB_PTP_PDELAY_REQ:
        send_pdelay_req(port, message);
        break;
    default:
        send_pdelay_resp(port, message);
        break;
    }
}

static void daemon_gets_stamp(void *object, void *argument)
{
    struct sim_port *port = object;
    struct sim_message *message = argument;
    switch (message->type) {
    case AVB_PTP_SYNC:
        ptpmon_sim_sync_stamped(port, message);
        break;
    case AVB_PTP_DELAY_REQ:
        ptpmon_sim_delay_req_stamped(port, message);
        break;
    case AVB_PTP_PDELAY_REQ:
        ptpmon_sim_pdelay_req_stamped(port, message);
        break;
    default:
        ptpmon_sim_pdelay_resp_stamped(port, message);
        break;
    }
    ptpmon_sim_free_message(port->node->simulation, message);
}

static void record_stamps(struct sim_port *port, const struct sim_message *message, sim_time at, sim_time hook)
{
    const struct sim_settings *settings = &port->node->simulation->settings;
    sim_time now = port->node->simulation->now, software = hook + sim_floor_divide(now - hook, 2);
    sim_time later = SIM_NS + settings->driver_latency / 2;
    if (settings->stamps == SIM_BOTH)
        ptpmon_sim_tap_stamped(port->tap, message, software + later, SIM_NEVER, software, true);
    if (settings->stamps == SIM_SOFTWARE)
        ptpmon_sim_tap_stamped(port->tap, message, software + later, SIM_NEVER, software, false);
    else
        ptpmon_sim_tap_stamped(port->tap, message, at > software + later ? at : software + 2 * later, message->stamp,
                               SIM_NEVER, false);
}

/* The stamp of a sent frame comes back, to the daemon and to the driver side. */
static void return_stamp(struct sim_port *port, const struct sim_message *message, sim_time hook)
{
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    sim_time at = simulation->now + sim_random_latency(&node->random, simulation->settings.host_latency);
    const struct sim_fault *missing = hits(port, SIM_MISSING_TX_STAMP, message->type);
    if (missing != NULL) {
        ptpmon_sim_truth_fault(simulation, missing, port, message);
        return;
    }
    if (port->tap != NULL)
        record_stamps(port, message, at, hook);
    if (!is_own(port, message))
        return;
    struct sim_message *copy = ptpmon_sim_new_message(simulation, message);
    if (copy != NULL && !ptpmon_sim_schedule(simulation, at + 2 * SIM_US, daemon_gets_stamp, port, copy))
        ptpmon_sim_free_message(simulation, copy);
}

/* Whether the sender asks for a stamp: not where the NIC writes it into the message, nor a bridge in hardware. */
static bool asks_for_stamp(const struct sim_port *port, const struct sim_message *message)
{
    if (!sim_is_event(message->type))
        return false;
    if (!is_own(port, message))
        return port->node->simulation->settings.bridge != SIM_SWITCH &&
               !port->node->simulation->settings.bridge_one_step;
    return message->two_step || message->type == AVB_PTP_DELAY_REQ || message->type == AVB_PTP_PDELAY_REQ;
}

/* What is wrong with a message, from its sender on. */
static void spoil(struct sim_port *port, struct sim_message *message)
{
    struct ptpmon_simulation *simulation = port->node->simulation;
    const struct sim_port *peer = port->link->ends[1 - port->side];
    const struct sim_fault *fault = hits(peer, SIM_BAD_NANOSECONDS, message->type);
    if (fault != NULL) {
        message->is_bad = true;
        ptpmon_sim_truth_fault(simulation, fault, peer, message);
    }
    fault = hits(peer, SIM_CORRECTION_TOO_BIG, message->type);
    if (fault != NULL) {
        message->correction = PTPMON_CORRECTION_TOO_BIG;
        ptpmon_sim_truth_fault(simulation, fault, peer, message);
    }
}

static void transmit(struct sim_port *port, struct sim_message *message);

static void leave(void *object, void *argument)
{
    struct sim_port *port = object;
    struct sim_message *message = argument;
    struct ptpmon_simulation *simulation = port->node->simulation;
    sim_time hook = simulation->now - message->lead;
    bool asks = asks_for_stamp(port, message), is_event = sim_is_event(message->type);
    if (hook <= port->last_hook)
        hook = port->last_hook + SIM_NS;
    port->last_hook = hook;
    spoil(port, message);
    /* What is on its way to the NIC does not have in it yet what the NIC will write. */
    if (is_event && port->tap != NULL)
        ptpmon_sim_tap_sent(port->tap, message, hook, asks);
    if (is_event) {
        stamp(port, message);
        if (is_own(port, message))
            complete(port, message);
    }
    if (!is_own(port, message))
        ptpmon_sim_leave(port, message);
    if (!is_event && port->tap != NULL)
        ptpmon_sim_tap_sent(port->tap, message, hook, false);
    if (asks)
        return_stamp(port, message, hook);
    transmit(port, message);
}

void ptpmon_sim_send_at(struct sim_port *port, struct sim_message *message, sim_time at)
{
    if (at < port->last_egress + SIM_FRAME_TIME)
        at = port->last_egress + SIM_FRAME_TIME;
    port->last_egress = at;
    if (message->lead == 0)
        message->lead = BRIDGE_LEAD;
    if (!ptpmon_sim_schedule(port->node->simulation, at, leave, port, message))
        ptpmon_sim_free_message(port->node->simulation, message);
}

void ptpmon_sim_send(struct sim_port *port, struct sim_message *message, sim_time delay)
{
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    message->lead = SIM_NS + sim_random_latency(&node->random, simulation->settings.host_latency / 4);
    for (int i = 0; i < 6; i++)
        message->mac[i] = port->mac[i];
    sim_time wait = sim_random_latency(&node->random, simulation->settings.driver_latency);
    ptpmon_sim_send_at(port, message, simulation->now + delay + wait + message->lead);
}

/* ---- The link ---- */

sim_time ptpmon_sim_wait(struct ptpmon_simulation *simulation, struct sim_random *random, bool in_bridge)
{
    const struct sim_settings *settings = &simulation->settings;
    if (settings->queue == SIM_QUEUE_NONE ||
        settings->queue_at == (in_bridge ? SIM_QUEUE_AT_LINKS : SIM_QUEUE_AT_BRIDGES) ||
        !sim_random_chance(random, (uint64_t)settings->load))
        return 0;
    sim_time mean = settings->queue_time, wait;
    switch (settings->queue) {
    case SIM_QUEUE_UNIFORM:
        return mean + sim_random_symmetric(random, mean);
    case SIM_QUEUE_EXPONENTIAL:
        return sim_random_exponential(random, mean);
    default:
        wait = mean + sim_random_gaussian(random, mean / 3);
        return wait > 0 ? wait : 0;
    }
}

static void arrive(void *object, void *argument);

static void carry(struct sim_port *to, struct sim_message *message, sim_time at)
{
    if (!ptpmon_sim_schedule(to->node->simulation, at, arrive, to, message))
        ptpmon_sim_free_message(to->node->simulation, message);
}

static void carry_copy(struct sim_port *to, const struct sim_message *message, sim_time at)
{
    struct sim_message *copy = ptpmon_sim_new_message(to->node->simulation, message);
    if (copy != NULL)
        carry(to, copy, at);
}

static void transmit(struct sim_port *port, struct sim_message *message)
{
    struct ptpmon_simulation *simulation = port->node->simulation;
    struct sim_link *link = port->link;
    uint32_t direction = port->side;
    struct sim_port *to = link->ends[1 - port->side];
    sim_time at = simulation->now + link->delay[direction] + ptpmon_sim_wait(simulation, &link->random, false);
    message->on_wire = simulation->now;
    if (at < link->last[direction] + SIM_FRAME_TIME)
        at = link->last[direction] + SIM_FRAME_TIME;
    for (int i = 0; direction == 1 && i < 2; i++) {
        if (link->guests[i] != NULL && link->guests[i]->node->is_active)
            carry_copy(link->guests[i], message, at);
    }
    const struct sim_fault *fault = hits(to, SIM_LOSS, message->type);
    if (fault != NULL) {
        ptpmon_sim_truth_fault(simulation, fault, to, message);
        ptpmon_sim_free_message(simulation, message);
        return;
    }
    fault = hits(to, SIM_DUPLICATE, message->type);
    if (fault != NULL) {
        ptpmon_sim_truth_fault(simulation, fault, to, message);
        carry_copy(to, message, at + fault->size);
    }
    fault = hits(to, SIM_REORDER, message->type);
    if (fault != NULL) { /* others go before it */
        ptpmon_sim_truth_fault(simulation, fault, to, message);
        at += fault->size;
    } else {
        link->last[direction] = at;
    }
    carry(to, message, at);
}

/* ---- Receiving ---- */

static void daemon_receives(void *object, void *argument)
{
    struct sim_port *port = object;
    struct sim_message *message = argument;
    switch (message->type) {
    case AVB_PTP_SYNC:
        ptpmon_sim_sync_received(port, message);
        break;
    case AVB_PTP_DELAY_REQ:
        ptpmon_sim_delay_req_received(port, message);
        break;
    case AVB_PTP_PDELAY_REQ:
        ptpmon_sim_pdelay_req_received(port, message);
        break;
    case AVB_PTP_PDELAY_RESP:
        ptpmon_sim_pdelay_resp_received(port, message);
        break;
    case AVB_PTP_FOLLOW_UP:
        ptpmon_sim_follow_up_received(port, message);
        break;
    case AVB_PTP_DELAY_RESP:
        ptpmon_sim_delay_resp_received(port, message);
        break;
    case AVB_PTP_PDELAY_RESP_FOLLOW_UP:
        ptpmon_sim_pdelay_follow_up_received(port, message);
        break;
    default:
        ptpmon_sim_announce_received(port, message);
        break;
    }
    ptpmon_sim_free_message(port->node->simulation, message);
}

/* What is true of the message as it comes in. */
static void note_arrival(struct sim_port *port, struct sim_message *message)
{
    struct ptpmon_simulation *simulation = port->node->simulation;
    struct sim_trail *trail = &message->trail;
    struct sim_peer_trail *peer = &message->peer;
    sim_time now = simulation->now;
    switch (message->type) {
    case AVB_PTP_SYNC:
    case AVB_PTP_DELAY_REQ:
        trail->link[trail->links++] = now - message->on_wire;
        if (trail->clock != NULL)
            trail->entered = read_shifted(trail->clock, trail->shift, now);
        break;
    case AVB_PTP_PDELAY_REQ:
        peer->responder = &port->node->clock;
        peer->on_responder[1] = message->reading;
        peer->on_requester[1] = ptpmon_sim_clock_read(peer->requester, now);
        peer->error[1] = message->stamp - message->reading;
        break;
    default:
        peer->on_requester[3] = ptpmon_sim_clock_read(peer->requester, now);
        peer->error[3] = whole_ns(message->stamp) - message->reading;
        break;
    }
    if (message->type == AVB_PTP_SYNC)
        ptpmon_sim_sync_arrives(port, message);
}

/* Is the message taken in here, rather than sent on? */
static bool is_for(const struct sim_port *port, const struct sim_message *message)
{
    if (!sim_is_transparent(port->node))
        return true;
    return port->node->simulation->settings.bridge == SIM_P2P_TC &&
           (message->type == AVB_PTP_PDELAY_REQ || message->type == AVB_PTP_PDELAY_RESP ||
            message->type == AVB_PTP_PDELAY_RESP_FOLLOW_UP);
}

static void take_in(struct sim_port *port, struct sim_message *message, sim_time extra)
{
    struct sim_node *node = port->node;
    struct ptpmon_simulation *simulation = node->simulation;
    const struct sim_settings *settings = &simulation->settings;
    sim_time stack = simulation->now + SIM_NS + sim_random_latency(&node->random, settings->host_latency) + extra;
    if (stack <= port->last_stack)
        stack = port->last_stack + SIM_NS;
    sim_time driver = stack + SIM_NS + sim_random_latency(&node->random, settings->driver_latency);
    if (driver <= port->last_driver)
        driver = port->last_driver + SIM_NS;
    if (extra == 0) {
        port->last_stack = stack;
        port->last_driver = driver;
    }
    if (port->tap != NULL)
        ptpmon_sim_tap_received(port->tap, message, stack, driver);
    if (!is_for(port, message))
        ptpmon_sim_forward(port, message);
    else if (!ptpmon_sim_schedule(simulation, driver + 3 * SIM_US, daemon_receives, port, message))
        ptpmon_sim_free_message(simulation, message);
}

static void arrive(void *object, void *argument)
{
    struct sim_port *port = object;
    struct sim_message *message = argument;
    sim_time extra = 0;
    sim_time now = port->node->simulation->now;
    if (now < port->next_ingress) { /* what a fault made late waits for others, and they for it */
        carry(port, message, port->next_ingress);
        return;
    }
    port->next_ingress = now + SIM_FRAME_TIME;
    if (sim_is_event(message->type)) {
        stamp(port, message);
        note_arrival(port, message);
        const struct sim_fault *late = hits(port, SIM_FOLLOW_UP_FIRST, message->type);
        if (late != NULL) {
            ptpmon_sim_truth_fault(port->node->simulation, late, port, message);
            extra = late->size;
        }
    }
    take_in(port, message, extra);
}
