/* SPDX-License-Identifier: MIT */
/*
 * A node's PTP traffic, of which everything is known, and files of it: a recording of events and a
 * capture, each of its own stretch, clock and faults.
 *
 * Times are ns since KIT_REALTIME, on a system clock that is right.
 */
#ifndef PTPMON_TESTS_ALIGNMENT_KIT_H
#define PTPMON_TESTS_ALIGNMENT_KIT_H

#include "correlator_kit.h"
#include "random.h"

/* A message as it passed: at the card, in the network stack, at the driver side. */
struct node_message {
    struct kit_message message;
    int64_t at_card, at_stack, at_driver_side;
};

struct node {
    struct random random;
    struct node_message *messages;
    size_t count, capacity;
};

/* One kind of message from `from` until `to`: every interval, give or take `jitter`. Sync is followed by its Follow_Up,
 * requests by their answers, with the same sequenceId, from the peer: senders 2 and 3 are peers. */
struct node_stream {
    int64_t from, to, interval, jitter;
    uint8_t direction, messageType, sender;
    uint16_t first_sequence;
};

void node_start(struct node *node, uint64_t seed);
void node_free(struct node *node);
void node_add_stream(struct node *node, const struct node_stream *stream);
/* A port with peer delay (802.1AS): Sync at 8/s and Announce received, Pdelay in both directions. */
void node_add_gptp(struct node *node, int64_t from, int64_t to, uint16_t first_sequence);
/* A port with end-to-end delay: Sync at 8/s, Announce and Delay_Resp received, Delay_Req sent at random. */
void node_add_e2e(struct node *node, int64_t from, int64_t to, uint16_t first_sequence);

enum capture_stamps {
    STAMPED_BY_STACK,   /* the events' stamps, moved by offset */
    STAMPED_BY_OTHER,   /* at the card, by a clock with offset and drift */
    STAMPED_BY_OWN_PHC, /* the events' hardware stamps */
};

struct recorded {
    int64_t events_from, events_to, capture_from, capture_to;
    /* Events. */
    bool no_software_stamps;
    bool hardware_stamps;
    int64_t phc_offset; /* PHC - UTC */
    unsigned event_loss_percent;
    int64_t clock_set_at, clock_set_by;     /* a step of the system clock; stamps and events follow it */
    const char *interface, *host, *boot_id; /* of the header; NULL: nic0, host-a, boot-a */
    uint8_t mac;                            /* last byte */
    /* Capture. */
    enum capture_stamps stamps;
    int64_t offset; /* capture clock - system clock at time 0 */
    double drift;   /* of it */
    bool microseconds;
    bool pcapng;    /* with directions, of the interfaces below */
    bool other_end; /* captured by the peer: the directions are swapped, the times its own */
    unsigned frame_loss_percent;
    const ptpmon_capture_interface *interfaces; /* pcapng; NULL: one without name */
    size_t interface_count, frames_of;
};

/* Writes both files. Messages are recorded in the order in which they passed. */
void node_write(struct node *node, const struct recorded *recorded, const char *events, const char *capture);

#endif
