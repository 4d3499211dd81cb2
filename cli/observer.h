/* SPDX-License-Identifier: MIT */
/*
 * Turns the events and captured frames of one interface into observations: what passed, when, by
 * which clocks, and whether event and frame agree. It does not know where the two come from, so a
 * live session and a recording are observed alike.
 */
#ifndef PTPMON_CLI_OBSERVER_H
#define PTPMON_CLI_OBSERVER_H

#include <ptpmon.h>
#include <stdbool.h>
#include <stdint.h>

/* The latencies of a frame, defined in ptpmon-watch(1). */
enum latency_kind {
    LATENCY_RX_DRIVER,   /* network stack's RX stamp -> driver side */
    LATENCY_NIC_TO_HOST, /* NIC's RX stamp -> driver side */
    LATENCY_TX_SOFTWARE, /* driver side -> network stack's TX stamp */
    LATENCY_TX_HARDWARE, /* driver side -> NIC's TX stamp */
    LATENCIES
};

struct latency {
    bool known;
    int64_t ns;
    uint64_t bound; /* +- ns */
};

struct observation {
    const char *interface;
    ptpmon_result result; /* outcome and reason mean nothing unless `compared` */
    bool compared;        /* frames were captured as well */
    bool has_realtime;
    int64_t realtime_ns; /* UTC when the driver side saw it; without event: capture time */
    struct latency latencies[LATENCIES];
};

/* The event where there is one, else what was read in the captured frame. */
const PTP_TIMESTAMP_EVENT *observation_identity(const struct observation *observation);

/* "rx_driver", "nic_to_host", "tx_software", "tx_hardware"; static storage. */
const char *latency_name(enum latency_kind kind);

/* Records were lost; times as event time. */
struct loss {
    const char *interface;
    bool in_capture;         /* else in the monitor's ring */
    uint64_t frames, stamps; /* dropped */
    uint64_t from, to;
};

/* Who is told. The pointers are valid during the call only. */
struct sink {
    void *context;
    void (*observation)(void *context, const struct observation *observation);
    void (*clocks)(void *context, const char *interface, const PTP_CLOCKS_RECORD *clocks);
    void (*loss)(void *context, const struct loss *loss);
};

struct observer;

/* `interface` and `sink` must outlive the observer. compare: captured frames will come too. */
ptpmon_status observer_open(const char *interface, bool compare, const struct sink *sink, struct observer **observer);
void observer_close(struct observer *observer);

/* The intervals in which everything was seen; to = 0: still running. Before the results they concern. */
void observer_monitor_ran(struct observer *observer, uint64_t from, uint64_t to);
void observer_capture_ran(struct observer *observer, int64_t from, int64_t to);

/* Records of any direction, as the events door gives them. */
ptpmon_status observer_event(struct observer *observer, const PTP_TIMESTAMP_EVENT *event);

/* False until the clocks have been read once; before that no frame may be given. */
bool observer_knows_clocks(const struct observer *observer);
ptpmon_status observer_frame(struct observer *observer, const ptpmon_frame *frame);
ptpmon_status observer_capture_lost(struct observer *observer, uint64_t frames, const PTP_CLOCKS_RECORD *from,
                                    const PTP_CLOCKS_RECORD *to);

/* As ptpmon_correlator_advance() and _finish(); what is decided goes to the sink. */
ptpmon_status observer_advance(struct observer *observer, uint64_t event_time);
ptpmon_status observer_finish(struct observer *observer);

#endif
