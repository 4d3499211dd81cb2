/* SPDX-License-Identifier: MIT */
#include "network.h"

#include "analysis/time.h"

#include <stdio.h>
#include <string.h>

/* Streams of random numbers: each node, port and link has its own. */
enum { STREAM_CLOCK, STREAM_HOST, STREAM_PORT, STREAM_LINK = STREAM_PORT + 2, STREAM_FAULT, STREAMS };
#define STREAM(kind, index) ((uint64_t)(kind) + (uint64_t)(index)*STREAMS)

/* What a clock that counts from its start has come to: more than offset and steps can take away. */
#define ZERO_EPOCH_NS (100000 * NS_PER_SECOND)

/* The hosts were started at different times before. */
#define UPTIME_NS ((uint64_t)1000 * 1000000000u)

static void start_clock(struct sim_node *node, uint32_t index)
{
    struct ptpmon_simulation *simulation = node->simulation;
    const struct sim_settings *settings = &simulation->settings;
    struct sim_random random = sim_random_of((uint64_t)settings->seed, STREAM(STREAM_CLOCK, index));
    int64_t epoch = simulation->start_tai_ns;
    sim_time offset = 0;
    int64_t rate = settings->gm_drift, wander = settings->gm_wander;
    if (node->role == SIM_BRIDGE || node->role == SIM_RESPONDER) {
        offset = settings->bridge_offset * index;
        rate = index % 2 == 1 ? settings->bridge_drift : -settings->bridge_drift;
        wander = settings->bridge_wander;
    } else if (node->role == SIM_CLIENT) {
        offset = settings->offset;
        rate = settings->drift;
        wander = settings->wander;
        if (settings->client_epoch == SIM_UTC)
            epoch -= SIM_UTC_OFFSET * NS_PER_SECOND;
        else if (settings->client_epoch == SIM_ZERO)
            epoch = ZERO_EPOCH_NS;
    }
    ptpmon_sim_clock_start(&node->clock, epoch, offset, rate, wander, random);
}

/* Locally administered addresses: 02:00:5E, node, port; clockIdentity is the EUI-64 of the first one. */
static void add_port(struct sim_node *node, uint32_t index, const char *name)
{
    struct sim_port *port = &node->ports[node->port_count];
    const uint8_t mac[] = {0x02, 0x00, 0x5E, 0x10, (uint8_t)index, (uint8_t)(node->port_count + 1)};
    *port = (struct sim_port){.node = node,
                              .number = (uint16_t)(node->port_count + 1),
                              .random = sim_random_of((uint64_t)node->simulation->settings.seed,
                                                      STREAM(STREAM_PORT + node->port_count, index))};
    snprintf(port->name, sizeof port->name, "%s", name);
    memcpy(port->mac, mac, sizeof mac);
    node->port_count++;
}

static struct sim_node *add_node(struct ptpmon_simulation *simulation, enum sim_role role, const char *name)
{
    uint32_t index = simulation->node_count++;
    struct sim_node *node = &simulation->nodes[index];
    *node = (struct sim_node){.simulation = simulation, .role = role, .is_active = true};
    node->random = sim_random_of((uint64_t)simulation->settings.seed, STREAM(STREAM_HOST, index));
    snprintf(node->name, sizeof node->name, "%s", name);
    if (role == SIM_BRIDGE) {
        char port[SIM_NAME_SIZE + 8];
        snprintf(port, sizeof port, "%s-up", name);
        add_port(node, index, port);
        snprintf(port, sizeof port, "%s-down", name);
        add_port(node, index, port);
    } else {
        add_port(node, index, name);
    }
    const uint8_t *mac = node->ports[0].mac;
    const uint8_t identity[8] = {mac[0], mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]};
    memcpy(node->identity, identity, sizeof identity);
    for (size_t i = 0; i < simulation->settings.domain_count; i++)
        node->instances[i] = (struct sim_instance){
            .node = node, .domain = (uint8_t)i, .shift = simulation->settings.domain_offset * (sim_time)i};
    start_clock(node, index);
    return node;
}

static void connect(struct sim_link *link, uint32_t side, struct sim_port *port)
{
    link->ends[side] = port;
    port->link = link;
    port->side = side;
}

static struct sim_node *add_guest(struct ptpmon_simulation *simulation, enum sim_role role, const char *name,
                                  struct sim_link *link)
{
    struct sim_node *guest = add_node(simulation, role, name);
    guest->is_active = false;
    guest->ports[0].link = link;
    guest->ports[0].side = 0;
    link->guests[role == SIM_RESPONDER] = &guest->ports[0];
    return guest;
}

static bool has_fault(const struct sim_settings *settings, enum sim_fault_kind kind)
{
    for (size_t i = 0; i < settings->fault_count; i++) {
        if (settings->faults[i].kind == kind)
            return true;
    }
    return false;
}

void ptpmon_sim_build(struct ptpmon_simulation *simulation)
{
    const struct sim_settings *settings = &simulation->settings;
    uint32_t links = (uint32_t)settings->bridges + 1;
    (void)add_node(simulation, SIM_GRANDMASTER, "gm");
    for (uint32_t i = 1; i < links; i++) {
        char name[SIM_NAME_SIZE + 8];
        snprintf(name, sizeof name, "bridge%u", i);
        (void)add_node(simulation, SIM_BRIDGE, name);
    }
    simulation->client = add_node(simulation, SIM_CLIENT, "client");
    for (uint32_t i = 0; i < links; i++) {
        struct sim_link *link = &simulation->links[i];
        *link = (struct sim_link){
            .delay = {settings->link_delay[i] + settings->asymmetry[i],
                      settings->link_delay[i] - settings->asymmetry[i]},
            .random = sim_random_of((uint64_t)settings->seed, STREAM(STREAM_LINK, i)),
        };
        connect(link, 0, sim_master_port(&simulation->nodes[i]));
        connect(link, 1, sim_slave_port(&simulation->nodes[i + 1]));
    }
    if (has_fault(settings, SIM_SECOND_GM))
        simulation->second_gm = add_guest(simulation, SIM_GRANDMASTER, "gm2", &simulation->links[0]);
    if (has_fault(settings, SIM_SEVERAL_RESPONDERS))
        simulation->responder = add_guest(simulation, SIM_RESPONDER, "responder2", &simulation->links[links - 1]);
    for (uint32_t i = 0; i < SIM_FAULTS_MAX; i++)
        simulation->fault_random[i] = sim_random_of((uint64_t)settings->seed, STREAM(STREAM_FAULT, i));
}

struct sim_node *ptpmon_sim_find_node(struct ptpmon_simulation *simulation, const char *name)
{
    for (uint32_t i = 0; i < simulation->node_count; i++) {
        if (strcmp(simulation->nodes[i].name, name) == 0)
            return &simulation->nodes[i];
    }
    return NULL;
}

struct sim_port *ptpmon_sim_find_port(struct ptpmon_simulation *simulation, const char *name)
{
    for (uint32_t i = 0; i < simulation->node_count; i++) {
        for (uint32_t j = 0; j < simulation->nodes[i].port_count; j++) {
            if (strcmp(simulation->nodes[i].ports[j].name, name) == 0)
                return &simulation->nodes[i].ports[j];
        }
    }
    return NULL;
}

ptpmon_port_identity ptpmon_sim_port_identity(const struct sim_port *port)
{
    ptpmon_port_identity identity = {.portNumber = port->number};
    memcpy(identity.clockIdentity, port->node->identity, sizeof identity.clockIdentity);
    return identity;
}

bool ptpmon_sim_same_port(const ptpmon_port_identity *a, const ptpmon_port_identity *b)
{
    return a->portNumber == b->portNumber && memcmp(a->clockIdentity, b->clockIdentity, sizeof a->clockIdentity) == 0;
}

/* True time as the host's oscillator counts it, ns. */
static int64_t host_ns(const struct sim_node *node, sim_time at)
{
    return (at + sim_scale(at, node->simulation->settings.host_drift)) >> 16;
}

uint64_t ptpmon_sim_event_time(const struct sim_node *node, sim_time at)
{
    uint64_t index = (uint64_t)(node - node->simulation->nodes);
    return UPTIME_NS * (index + 1) + (uint64_t)host_ns(node, at);
}

int64_t ptpmon_sim_utc(const struct sim_node *node, sim_time at)
{
    const struct ptpmon_simulation *simulation = node->simulation;
    return simulation->start_tai_ns - SIM_UTC_OFFSET * NS_PER_SECOND + host_ns(node, at) +
           ((simulation->settings.host_offset + node->system_steps) >> 16);
}

uint16_t ptpmon_sim_count(struct sim_counter *counter, uint32_t *cycle)
{
    uint16_t number = counter->next++;
    *cycle = counter->cycle;
    counter->cycle += counter->next == 0;
    return number;
}

ptpmon_time ptpmon_sim_clock_difference(const struct sim_clock *a, sim_time a_reading, const struct sim_clock *b,
                                        sim_time b_reading)
{
    return ptpmon_time_subtract(sim_clock_time(a, a_reading), sim_clock_time(b, b_reading));
}
