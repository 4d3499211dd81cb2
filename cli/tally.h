/* SPDX-License-Identifier: MIT */
/* What was observed, counted. */
#ifndef PTPMON_CLI_TALLY_H
#define PTPMON_CLI_TALLY_H

#include "histogram.h"
#include <ptpmon.h>

#define TALLY_TYPES 16

struct tally {
    uint64_t observations; /* lines: a matched pair is one */
    uint64_t events, frames;
    uint64_t events_by_outcome[PTPMON_OUTCOMES];
    uint64_t frames_by_outcome[PTPMON_OUTCOMES];
    uint64_t by_reason[PTPMON_REASONS];
    uint64_t rx_by_type[TALLY_TYPES], tx_by_type[TALLY_TYPES];
    uint64_t stamps_missing;
    uint64_t source_mac_differs, vlan_differs, pcp_differs, time_order_differs;
    /* Not from observations: added when a session has ended. */
    uint64_t dropped_events, dropped_frames;
    struct histogram latencies[PTPMON_LATENCIES];
};

void tally_add(struct tally *tally, const ptpmon_observation *observation);

static inline uint64_t tally_matched(const struct tally *tally)
{
    return tally->events_by_outcome[PTPMON_MATCHED];
}

static inline uint64_t tally_unmatched_events(const struct tally *tally)
{
    return tally->events_by_outcome[PTPMON_EVENT_WITHOUT_FRAME];
}

static inline uint64_t tally_unmatched_frames(const struct tally *tally)
{
    return tally->frames_by_outcome[PTPMON_FRAME_WITHOUT_EVENT];
}

/* Events and frames together. */
static inline uint64_t tally_both(const struct tally *tally, ptpmon_outcome outcome)
{
    return tally->events_by_outcome[outcome] + tally->frames_by_outcome[outcome];
}

#endif
