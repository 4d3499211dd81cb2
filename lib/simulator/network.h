/* SPDX-License-Identifier: MIT */
/*
 * The simulated network: grandmaster, bridges and client in a row, each with a clock, a host, ports that stamp, and the
 * state of its daemon. Everything happens in the order of true time, from the agenda.
 *
 * What is true travels with the messages (struct sim_trail, sim_message.peer): it never decides what a daemon does.
 */
#ifndef PTPMON_LIB_SIMULATOR_NETWORK_H
#define PTPMON_LIB_SIMULATOR_NETWORK_H

#include "agenda.h"
#include "clock.h"
#include "settings.h"

#include <ptpmon_analysis.h>

#define SIM_NODES_MAX (SIM_BRIDGES_MAX + 4) /* with a second grandmaster and a second responder */
#define SIM_SYNCS     4                     /* Syncs whose Follow_Up is waited for */
#define SIM_PASSED    16                    /* event messages whose residence a two-step transparent clock remembers */
#define SIM_RATIOS    8                     /* Pdelay exchanges that neighborRateRatio is measured over */

/* From one frame to the next at least: 64 octets, preamble and gap, 84 in all, at 1 Gbit/s (IEEE 802.3 4.4.2). */
#define SIM_FRAME_TIME (672 * SIM_NS)

struct sim_node;
struct sim_port;
struct sim_tap;
struct sim_truth;

/* What is true of a Sync or a Delay_Req on its way; readings are those of the source's clock for a Sync, of the clock
 * of the port that is asked for a Delay_Req. */
struct sim_trail {
    struct sim_clock *clock;
    sim_time shift;       /* the domain's time is ahead of the clock by this; it is in the readings */
    sim_time sent;        /* reading when it was sent */
    sim_time sent_second; /* Delay_Req: reading of the second grandmaster's clock */
    sim_time requester;   /* Delay_Req: reading of the requester's clock */
    sim_time error;       /* what the message or the requester's NIC says - what the clock truly showed */
    sim_time entered;     /* reading when it came into the bridge */
    sim_time corrected;   /* what an ideal network would say in correctionField */
    uint32_t bridges, links;
    sim_time residence[SIM_BRIDGES_MAX], link[SIM_LINKS_MAX];
};

/* Readings in a Pdelay exchange, when it happened: on the requester's clock and on the responder's. */
struct sim_peer_trail {
    struct sim_clock *requester, *responder;
    sim_time on_requester[4], on_responder[4]; /* at t1..t4 */
    sim_time error[4];                         /* of the stamps taken */
};

struct sim_message {
    uint8_t type, domain; /* domain: index */
    int8_t interval;
    bool two_step, has_tlv, is_bad; /* is_bad: nanoseconds are 10^9 more */
    uint16_t sequenceId;
    uint32_t cycle; /* how often the sender's sequence began anew before */
    ptpmon_port_identity source, requesting;
    int64_t correction;
    int64_t time_ns; /* the timestamp; 0 = none */
    uint8_t mac[6];
    const struct sim_port *to; /* unicast; NULL = multicast */
    /* Follow_Up information */
    int32_t rate_offset;
    uint16_t time_base;
    ptpmon_time phase_change;
    /* Announce */
    uint8_t grandmaster[8];
    uint16_t steps;
    uint8_t path[SIM_NODES_MAX][8];
    /* At the port it passes now */
    sim_time stamp, reading;   /* since the clock's epoch: what the NIC says, and what is true */
    sim_time on_wire;          /* since when, true time */
    sim_time lead;             /* the host had it so much before the wire */
    sim_time entered;          /* a bridge's stamp of its ingress; gptp: upstreamTxTime */
    sim_time in_reading;       /* of the bridge's clock at its ingress */
    const struct sim_port *in; /* of the bridge: where it came in */
    int64_t carried;           /* gptp: correctionField of the Follow_Up */
    ptpmon_time precise;       /* what the stamp makes the message, or the one that follows it, say */
    struct sim_trail trail;
    struct sim_peer_trail peer;
    struct sim_message *next; /* unused ones */
};

struct sim_counter {
    uint16_t next;
    uint32_t cycle;
};

/* A Sync at the port that receives it. */
struct sim_sync {
    bool is_used, has_arrived, has_sync, has_follow_up, is_told, two_step;
    bool is_bad;   /* the timestamp that counts is no time */
    bool is_stale; /* this node's clock was stepped since t2 */
    uint16_t sequenceId;
    uint32_t cycle;
    ptpmon_port_identity source;
    sim_time at, stamp, reading; /* t2 */
    ptpmon_time offset, offset_source;
    sim_time forward; /* on the source's clock */
    int64_t ratio;    /* 2^-41: grandmaster's clock over the local one */
    int64_t correction_sync, correction_follow_up, time_ns;
    int32_t rate_offset;
    uint16_t time_base;
    ptpmon_time phase_change;
    struct sim_trail trail;
};

/* A Delay_Req at the port that sent it. */
struct sim_request {
    bool pending, has_stamp;
    uint16_t sequenceId;
    uint32_t cycle;
    sim_time stamp;
};

/* What a servo does: finds the frequency, waits for a delay that was measured with it, follows. */
enum sim_phase { SIM_SEEKS, SIM_CHECKS, SIM_FOLLOWS };

/* What a node does in one domain. */
struct sim_instance {
    struct sim_node *node;
    uint8_t domain; /* index */
    sim_time shift;
    struct sim_counter syncs, announces, requests;
    /* As slave */
    ptpmon_port_identity parent;
    sim_time parent_at;
    bool has_parent;
    struct sim_sync received[SIM_SYNCS];
    uint32_t next_received;
    struct sim_sync newest[2]; /* whole; of the grandmaster, of a second one */
    bool has_newest[2];
    struct sim_request request;
    sim_time delay;
    bool has_delay;
    /* As the servo's */
    enum sim_phase phase;
    bool is_locked;               /* was set once */
    int64_t integral, adjustment; /* 2^-48 */
    bool has_first;
    int64_t first_ns; /* t1 of the Sync that the frequency is measured from */
    sim_time first_ahead;
};

/* Pdelay at a port, as requester. */
struct sim_peer {
    struct sim_counter requests;
    bool is_pending, has_t1, has_response, is_answered;
    uint16_t sequenceId;
    uint32_t cycle;
    sim_time t1, t4;
    int64_t t2_ns, correction_response;
    ptpmon_port_identity responder;
    struct sim_peer_trail trail;
    /* What was measured */
    bool has_delay;
    sim_time delay;
    int64_t ratio_offset; /* 2^-41 */
    sim_time ours[SIM_RATIOS];
    int64_t theirs_ns[SIM_RATIOS];
    uint32_t ratios;
};

struct sim_passed {
    uint8_t type, domain;
    uint16_t sequenceId;
    ptpmon_port_identity source;
    sim_time residence;
};

struct sim_link {
    sim_time delay[2];          /* 0: away from the grandmaster, 1: towards it; without waiting */
    sim_time last[2];           /* arrival: no frame overtakes another, or comes closer than SIM_FRAME_TIME */
    struct sim_port *ends[2];   /* 0: nearer to the grandmaster */
    struct sim_port *guests[2]; /* other ports beside ends[0]; NULL = none */
    struct sim_random random;
};

struct sim_port {
    struct sim_node *node;
    char name[SIM_NAME_SIZE];
    uint16_t number; /* portNumber */
    uint8_t mac[6];
    struct sim_link *link;
    uint32_t side;                                            /* of the link */
    sim_time last_egress, last_hook, last_stack, last_driver; /* one after the other */
    sim_time next_ingress;                                    /* no frame comes in before */
    sim_time latched;                                         /* the newest stamp */
    struct sim_random random;
    struct sim_peer peer;
    struct sim_tap *tap; /* NULL: not observed */
};

enum sim_role { SIM_GRANDMASTER, SIM_BRIDGE, SIM_CLIENT, SIM_RESPONDER };

struct sim_node {
    struct ptpmon_simulation *simulation;
    char name[SIM_NAME_SIZE];
    enum sim_role role;
    uint8_t identity[8];
    struct sim_clock clock;
    struct sim_random random; /* of the host's latencies */
    bool is_active;           /* takes part */
    uint32_t port_count;
    struct sim_port ports[2]; /* of a bridge: 0 up, towards the grandmaster; 1 down */
    struct sim_instance instances[SIM_DOMAINS_MAX];
    struct sim_passed passed[SIM_PASSED];
    uint32_t next_passed;
    uint16_t time_base; /* gmTimeBaseIndicator that it sends */
    ptpmon_time phase_change;
    sim_time system_steps; /* of its UTC, since the start */
};

struct ptpmon_simulation {
    struct sim_settings settings;
    const char *path;
    bool ran;
    ptpmon_status status; /* the first failure */
    sim_time now, end;    /* no message is sent by a timer after `end` */
    int64_t start_tai_ns;
    struct sim_agenda agenda;
    struct sim_message *unused;
    uint32_t node_count; /* grandmaster, bridges, client; then guests */
    struct sim_node nodes[SIM_NODES_MAX];
    struct sim_node *client, *second_gm, *responder;
    struct sim_link links[SIM_LINKS_MAX];
    struct sim_truth *truth;
    struct sim_random fault_random[SIM_FAULTS_MAX];
    uint64_t frames, events;
};

/* ---- simulation.c ---- */

/* Whether files are written of this port. */
bool ptpmon_sim_is_observed(const struct sim_port *port);
/* Keeps the first failure and ends the run. */
void ptpmon_sim_fail(struct ptpmon_simulation *simulation, ptpmon_status status);
/* Puts something down; out of memory ends the run. False: it will not happen. */
bool ptpmon_sim_schedule(struct ptpmon_simulation *simulation, sim_time at, sim_action act, void *object,
                         void *argument);
/* Likewise, something that begins anew: not after the end of the simulation. */
void ptpmon_sim_schedule_timer(struct ptpmon_simulation *simulation, sim_time at, sim_action act, void *object);
/* A message to fill, zeroed, or a copy; NULL: the run has ended. */
struct sim_message *ptpmon_sim_new_message(struct ptpmon_simulation *simulation, const struct sim_message *like);
void ptpmon_sim_free_message(struct ptpmon_simulation *simulation, struct sim_message *message);

/* ---- network.c ---- */

#define SIM_UTC_OFFSET 37 /* TAI - UTC, s */

void ptpmon_sim_build(struct ptpmon_simulation *simulation);
struct sim_node *ptpmon_sim_find_node(struct ptpmon_simulation *simulation, const char *name);
struct sim_port *ptpmon_sim_find_port(struct ptpmon_simulation *simulation, const char *name);
ptpmon_port_identity ptpmon_sim_port_identity(const struct sim_port *port);
bool ptpmon_sim_same_port(const ptpmon_port_identity *a, const ptpmon_port_identity *b);
/* CLOCK_MONOTONIC and UTC of a node's host, ns. */
uint64_t ptpmon_sim_event_time(const struct sim_node *node, sim_time at);
int64_t ptpmon_sim_utc(const struct sim_node *node, sim_time at);
uint16_t ptpmon_sim_count(struct sim_counter *counter, uint32_t *cycle);
/* a - b, of readings of two clocks. */
ptpmon_time ptpmon_sim_clock_difference(const struct sim_clock *a, sim_time a_reading, const struct sim_clock *b,
                                        sim_time b_reading);

static inline bool sim_is_event(uint8_t messageType)
{
    return messageType < 8;
}

/* "Too big" stays so. */
static inline void sim_correct(struct sim_message *message, int64_t added)
{
    if (message->correction != PTPMON_CORRECTION_TOO_BIG)
        message->correction += added;
}

static inline sim_time sim_interval(int64_t log)
{
    return log >= 0 ? SIM_S << log : SIM_S >> -log;
}

/* Whether Sync is passed on rather than taken in. */
static inline bool sim_is_transparent(const struct sim_node *node)
{
    int64_t bridge = node->simulation->settings.bridge;
    return node->role == SIM_BRIDGE && (bridge == SIM_SWITCH || bridge == SIM_E2E_TC || bridge == SIM_P2P_TC);
}

static inline struct sim_port *sim_slave_port(struct sim_node *node)
{
    return &node->ports[0];
}

/* The one towards the client. */
static inline struct sim_port *sim_master_port(struct sim_node *node)
{
    return &node->ports[node->port_count - 1];
}

/* ---- wire.c ---- */

/* The daemon sends: in `delay` at the earliest. The message becomes the wire's. */
void ptpmon_sim_send(struct sim_port *port, struct sim_message *message, sim_time delay);
/* Likewise, without a host in between: on the wire at this time, or after what goes before it. */
void ptpmon_sim_send_at(struct sim_port *port, struct sim_message *message, sim_time at);
/* How long a frame waits for other traffic. */
sim_time ptpmon_sim_wait(struct ptpmon_simulation *simulation, struct sim_random *random, bool in_bridge);

/* ---- bridge.c ---- */

/* A frame has come to a bridge that passes it on; the message becomes the bridge's. */
void ptpmon_sim_forward(struct sim_port *in, struct sim_message *message);
/* It leaves: corrections. */
void ptpmon_sim_leave(struct sim_port *out, struct sim_message *message);

/* ---- sync.c ---- */

/* A timer's; object: the instance. */
void ptpmon_sim_sync_timer(void *object, void *argument);
void ptpmon_sim_announce_timer(void *object, void *argument);
/* The NIC's stamp of a Sync that was sent is there. */
void ptpmon_sim_sync_stamped(struct sim_port *port, const struct sim_message *sync);
/* At the NIC; on its way to the daemon; there. */
void ptpmon_sim_sync_arrives(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_sync_received(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_follow_up_received(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_announce_received(struct sim_port *port, const struct sim_message *message);
/* All that waits for a Follow_Up is told as it is. */
void ptpmon_sim_sync_finish(struct sim_instance *instance);

/* ---- delay.c ---- */

void ptpmon_sim_delay_timer(void *object, void *argument);
void ptpmon_sim_delay_req_stamped(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_delay_req_received(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_delay_resp_received(struct sim_port *port, const struct sim_message *message);

/* ---- pdelay.c ---- */

void ptpmon_sim_pdelay_timer(void *object, void *argument);
void ptpmon_sim_pdelay_req_stamped(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_pdelay_req_received(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_pdelay_resp_stamped(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_pdelay_resp_received(struct sim_port *port, const struct sim_message *message);
void ptpmon_sim_pdelay_follow_up_received(struct sim_port *port, const struct sim_message *message);
/* The node's clock was stepped: what is measured across that is worth nothing. */
void ptpmon_sim_forget_measured(struct sim_node *node);

/* ---- servo.c ---- */

/* The clock follows, if it is one that does: t2 - t1 - corrections, as the daemon computed it of this Sync. */
void ptpmon_sim_follow(struct sim_instance *instance, const struct sim_sync *sync, ptpmon_time master_to_slave);

/* ---- faults.c ---- */

/* The fault that befalls a message at a port now, or NULL. */
const struct sim_fault *ptpmon_sim_fault_hits(struct ptpmon_simulation *simulation, enum sim_fault_kind kind,
                                              const struct sim_port *port, uint8_t messageType);
/* Puts down the faults that have their time. */
void ptpmon_sim_faults_schedule(struct ptpmon_simulation *simulation);
ptpmon_status ptpmon_sim_faults_check(struct ptpmon_simulation *simulation);

/* Steps a node's clock and lets its ports and the truth know. */
void ptpmon_sim_step_clock(struct sim_node *node, sim_time size, const char *by);

#endif
